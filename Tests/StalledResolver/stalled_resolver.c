#include "stalled_resolver.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_int is_stalled;

void stalled_resolver_stall(int stalled) {
    atomic_store(&is_stalled, stalled);
}

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **result) {
    if (node != NULL && strcmp(node, "stalled.test") == 0) {
        while (atomic_load(&is_stalled)) {
            usleep(10000);
        }
        return EAI_NONAME;
    }
    resolver next = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");
    return next(node, service, hints, result);
}

#include "plm_canceller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

// A pipe that is polled beside the sockets: unlike curl_multi_wakeup() it needs no handle that
// could be gone by the time another thread cancels.

struct plm_canceller {
    atomic_int references;
    atomic_bool cancelled;
    int read_end;
    int write_end;
};

plm_canceller *plm_canceller_create(void) {
    plm_canceller *canceller = malloc(sizeof *canceller);
    if (canceller == NULL) {
        return NULL;
    }
    int ends[2];
#if defined(__linux__)
    int status = pipe2(ends, O_CLOEXEC | O_NONBLOCK);
#else
    int status = pipe(ends);
    if (status == 0) {
        for (int end = 0; end < 2; end++) {
            fcntl(ends[end], F_SETFD, FD_CLOEXEC);
            fcntl(ends[end], F_SETFL, O_NONBLOCK);
        }
    }
#endif
    if (status != 0) {
        free(canceller);
        return NULL;
    }
    atomic_init(&canceller->references, 1);
    atomic_init(&canceller->cancelled, false);
    canceller->read_end = ends[0];
    canceller->write_end = ends[1];
    return canceller;
}

plm_canceller *plm_canceller_retain(plm_canceller *canceller) {
    atomic_fetch_add_explicit(&canceller->references, 1, memory_order_relaxed);
    return canceller;
}

void plm_canceller_release(plm_canceller *canceller) {
    if (canceller == NULL ||
        atomic_fetch_sub_explicit(&canceller->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    close(canceller->read_end);
    close(canceller->write_end);
    free(canceller);
}

void plm_canceller_cancel(plm_canceller *canceller) {
    if (atomic_exchange(&canceller->cancelled, true)) {
        return;
    }
    // A new pipe has room for one byte; nobody ever reads it, so the descriptor stays readable.
    ssize_t written = write(canceller->write_end, "", 1);
    (void)written;
}

bool plm_canceller_is_cancelled(const plm_canceller *canceller) {
    return atomic_load(&canceller->cancelled);
}

bool plm_canceller_sleep(const plm_canceller *canceller, int32_t timeout_ms) {
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int64_t left = timeout_ms;
    while (left > 0) {
        struct pollfd wake = {canceller->read_end, POLLIN, 0};
        if (poll(&wake, 1, (int)left) >= 0 || errno != EINTR) {
            break;
        }
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        left = timeout_ms - ((int64_t)(now.tv_sec - start.tv_sec) * 1000 +
                             (now.tv_nsec - start.tv_nsec) / 1000000);
    }
    return plm_canceller_is_cancelled(canceller);
}

int plm_canceller_descriptor(const plm_canceller *canceller) {
    return canceller->read_end;
}

#include "plm_hash.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/random.h>
#endif

static inline uint64_t load(const unsigned char *bytes, size_t count) {
    uint64_t word = 0;
    memcpy(&word, bytes, count);
    return word;
}

uint64_t plm_hash_number(uint64_t seed, uint64_t value) {
    return plm_hash_fold(seed ^ PLM_MIX_A, value ^ PLM_MIX_B);
}

uint64_t plm_hash_bytes(uint64_t seed, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    // The length goes in first, so that a text and its prefix with zero bytes differ.
    uint64_t state = plm_hash_fold(seed ^ PLM_MIX_A, count ^ PLM_MIX_B);
    size_t left = count;
    while (left >= 16) {
        state = plm_hash_fold(load(at, 8) ^ state, load(at + 8, 8) ^ PLM_MIX_B);
        at += 16;
        left -= 16;
    }
    if (left >= 8) {
        state = plm_hash_fold(load(at, 8) ^ state, load(at + 8, left - 8) ^ PLM_MIX_B);
    } else if (left > 0) {
        state = plm_hash_fold(load(at, left) ^ state, PLM_MIX_B);
    }
    return plm_hash_fold(state, PLM_MIX_A);
}

uint64_t plm_hash_random_seed(void) {
    uint64_t seed = 0;
#if defined(__linux__)
    if (getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed) {
        return seed;
    }
#else
    arc4random_buf(&seed, sizeof seed);
    return seed;
#endif
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return plm_hash_fold((uint64_t)now.tv_nsec ^ PLM_MIX_A,
                         (uint64_t)now.tv_sec ^ (uint64_t)getpid());
}

#include "plm_hash.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/random.h>
#endif

// Odd constants with evenly spread bits (fractions of the golden ratio and of square roots).
#define MIX_A 0x9e3779b97f4a7c15u
#define MIX_B 0x6a09e667f3bcc909u

/// Multiplies to 128 bits and folds: every input bit reaches every output bit.
static inline uint64_t fold(uint64_t left, uint64_t right) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load(const unsigned char *bytes, size_t count) {
    uint64_t word = 0;
    memcpy(&word, bytes, count);
    return word;
}

uint64_t plm_hash_number(uint64_t seed, uint64_t value) {
    return fold(seed ^ MIX_A, value ^ MIX_B);
}

uint64_t plm_hash_bytes(uint64_t seed, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    // The length goes in first, so that a text and its prefix with zero bytes differ.
    uint64_t state = fold(seed ^ MIX_A, count ^ MIX_B);
    size_t left = count;
    while (left >= 16) {
        state = fold(load(at, 8) ^ state, load(at + 8, 8) ^ MIX_B);
        at += 16;
        left -= 16;
    }
    if (left >= 8) {
        state = fold(load(at, 8) ^ state, load(at + 8, left - 8) ^ MIX_B);
    } else if (left > 0) {
        state = fold(load(at, left) ^ state, MIX_B);
    }
    return fold(state, MIX_A);
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
    return fold((uint64_t)now.tv_nsec ^ MIX_A, (uint64_t)now.tv_sec ^ (uint64_t)getpid());
}

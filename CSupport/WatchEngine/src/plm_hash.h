#pragma once

// A seeded 64-bit hash for tables and fingerprints. Not for secrets.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Hashes `count` bytes on top of `seed`; chain calls by passing the last result as the seed.
uint64_t plm_hash_bytes(uint64_t seed, const void *bytes, size_t count);
/// Hashes one number on top of `seed`.
uint64_t plm_hash_number(uint64_t seed, uint64_t value);
/// A fresh random seed of this process.
uint64_t plm_hash_random_seed(void);

// Odd constants with evenly spread bits (fractions of the golden ratio and of square roots).
#define PLM_MIX_A 0x9e3779b97f4a7c15u
#define PLM_MIX_B 0x6a09e667f3bcc909u

/// Multiplies to 128 bits and folds: every input bit reaches every output bit.
static inline uint64_t plm_hash_fold(uint64_t left, uint64_t right) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/// The same kind of hash for a number of bytes that is always the same.
static inline uint64_t plm_hash_32_bytes(uint64_t seed, const void *bytes) {
    uint64_t words[4];
    memcpy(words, bytes, sizeof words);
    uint64_t first = plm_hash_fold(words[0] ^ seed, words[1] ^ PLM_MIX_B);
    uint64_t second = plm_hash_fold(words[2] ^ PLM_MIX_A, words[3] ^ first);
    return plm_hash_fold(second, PLM_MIX_A);
}

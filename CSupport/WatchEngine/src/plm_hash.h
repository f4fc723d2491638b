#pragma once

// A seeded 64-bit hash for tables and fingerprints. Not for secrets.

#include <stddef.h>
#include <stdint.h>

/// Hashes `count` bytes on top of `seed`; chain calls by passing the last result as the seed.
uint64_t plm_hash_bytes(uint64_t seed, const void *bytes, size_t count);
/// Hashes one number on top of `seed`.
uint64_t plm_hash_number(uint64_t seed, uint64_t value);
/// A fresh random seed of this process.
uint64_t plm_hash_random_seed(void);

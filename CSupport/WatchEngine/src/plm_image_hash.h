#pragma once

// Finds images by their bytes: most of what a watch brings has been seen before, byte for byte.

#include <string.h>

#include "plm_client.h"
#include "plm_hash.h"

/// What tells an image from most others: the end of its first name, which mostly is of a digest. 0
/// where the bytes do not begin as every API server begins an image, or the name is very long.
static inline uint64_t plm_image_hash(const plm_client *client, const char *bytes, size_t count) {
    static const char begin[] = "{\"names\":[\"";
    enum { BEGIN_BYTES = sizeof begin - 1, PART_BYTES = 32, MAX_NAME_BYTES = 512 };
    if (count <= BEGIN_BYTES || memcmp(bytes, begin, 8) != 0 ||
        memcmp(bytes + BEGIN_BYTES - 8, begin + BEGIN_BYTES - 8, 8) != 0) {
        return 0;
    }
    const char *name = bytes + BEGIN_BYTES;
    size_t left = count - BEGIN_BYTES;
    const char *end = memchr(name, '"', left < MAX_NAME_BYTES ? left : MAX_NAME_BYTES);
    if (end == NULL) {
        return 0;
    }
    size_t length = (size_t)(end - name);
    uint64_t seed = client->images.seed + length;
    return (length < PART_BYTES ? plm_hash_bytes(seed, name, length)
                                : plm_hash_32_bytes(seed, end - PART_BYTES)) |
           1;
}

/// Whether the bytes begin with an image that is known under that hash, which is what the entry
/// then has as `raw`.
static inline bool plm_image_find(const plm_client *client, uint64_t hash, const char *bytes,
                                  size_t count, plm_raw_entry *entry) {
    return plm_raw_cache_find(&client->raw_images, hash, (plm_text){bytes, count}, entry) &&
           plm_image_table_has(&client->images, entry->id, entry->generation);
}

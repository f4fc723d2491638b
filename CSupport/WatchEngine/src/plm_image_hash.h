#pragma once

// Finds images by their bytes: most of what a watch brings has been seen before, byte for byte.

#include <string.h>

#include "plm_client.h"
#include "plm_hash.h"
#include "plm_wire.h"

/// What tells an image from most others: the end of its first name, which mostly is of a digest.
static inline uint64_t plm_image_hash_name(uint64_t seed, plm_text name) {
    enum { PART_BYTES = 32 };
    seed += name.length;
    return (name.length < PART_BYTES
                ? plm_hash_bytes(seed, name.bytes, name.length)
                : plm_hash_32_bytes(seed, name.bytes + name.length - PART_BYTES)) |
           1;
}

/// The hash of an image in JSON, which the bytes begin with. 0 where the bytes do not begin as
/// every API server begins an image, or the name is very long.
static inline uint64_t plm_image_hash(const plm_client *client, const char *bytes, size_t count) {
    static const char begin[] = "{\"names\":[\"";
    enum { BEGIN_BYTES = sizeof begin - 1, MAX_NAME_BYTES = 512 };
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
    return plm_image_hash_name(client->images.seed, (plm_text){name, (size_t)(end - name)});
}

/// The hash of an image in protobuf. 0 where it does not begin with a name, or that is very long.
static inline uint64_t plm_image_hash_protobuf(const plm_client *client, plm_text message) {
    enum { NAMES_TAG = 1 << 3 | PLM_WIRE_BYTES, MAX_LENGTH_BYTES = 2 };
    if (message.length == 0 || message.bytes[0] != NAMES_TAG) {
        return 0;
    }
    const char *end = message.bytes + message.length;
    uint64_t length;
    const char *name = plm_wire_varint(message.bytes + 1, end, &length);
    if (name == NULL || name - message.bytes > 1 + MAX_LENGTH_BYTES ||
        length > (size_t)(end - name)) {
        return 0;
    }
    // Of other bytes than in JSON: not to be in the way there.
    return plm_image_hash_name(client->images.seed + PLM_MIX_B, (plm_text){name, (size_t)length});
}

/// The image that the bytes begin with, where one is known under that hash; or NULL.
static inline const plm_raw_slot *plm_image_find(const plm_client *client, uint64_t hash,
                                                 const char *bytes, size_t count) {
    const plm_raw_slot *slot =
        plm_raw_cache_find(&client->raw_images, hash, (plm_text){bytes, count});
    return slot != NULL && plm_image_table_has(&client->images, slot->id, slot->generation) ? slot
                                                                                            : NULL;
}

#pragma once

// Image entries as they came over the wire, and the ids they stand for. The bytes are a key, never
// an identity: the same image in other spacing has the same id. Everything in it may be forgotten
// at any time; what is not found is parsed.

#include <string.h>

#include "plm_memory.h"

typedef struct plm_raw_slot {
    uint64_t hash;
    /// NULL where the slot is free.
    const char *bytes;
    int64_t size_bytes;
    uint32_t id;
    uint32_t generation;
    uint32_t length;
} plm_raw_slot;

typedef struct plm_raw_cache {
    const plm_allocator *allocator;
    plm_raw_slot *slots;
    size_t slot_count;
    size_t used;
    /// The bytes, of all slots.
    plm_arena arena;
    size_t kept_bytes;
    /// Somebody points into the bytes: they may not be forgotten now.
    size_t pins;
} plm_raw_cache;

typedef struct plm_raw_entry {
    uint32_t id;
    /// Of the id: it may have been retired since.
    uint32_t generation;
    int64_t size_bytes;
    plm_text raw;
} plm_raw_entry;

void plm_raw_cache_init(plm_raw_cache *cache, const plm_allocator *allocator);
void plm_raw_cache_free(plm_raw_cache *cache);
/// Keeps `entry->raw`, or gives known bytes another id. None may be the beginning of another (whole
/// JSON objects are not, nor are fields of protobuf with tag and length). Without memory it forgets
/// them.
void plm_raw_cache_remember(plm_raw_cache *cache, uint64_t hash, const plm_raw_entry *entry);

/// So far a lookup goes: who finds names that hash alike loses the cache, and costs us no time.
#define PLM_RAW_CACHE_STEPS 32u

/// The slot that holds what `text` begins with, or the free one where it belongs; NULL where too
/// many that hash alike are in the way. Not for a cache that has never held anything.
static inline plm_raw_slot *plm_raw_cache_slot(const plm_raw_cache *cache, uint64_t hash,
                                               plm_text text) {
    size_t mask = cache->slot_count - 1;
    for (size_t step = 0; step < PLM_RAW_CACHE_STEPS; step++) {
        plm_raw_slot *slot = &cache->slots[((size_t)hash + step) & mask];
        // A free slot has no hash.
        bool is_it = slot->hash == hash && slot->length <= text.length &&
                     memcmp(slot->bytes, text.bytes, slot->length) == 0;
        if (is_it || slot->bytes == NULL) {
            return slot;
        }
    }
    return NULL;
}

/// The slot of known bytes that `text` begins with, or NULL. The id may have been retired since.
static inline const plm_raw_slot *plm_raw_cache_find(const plm_raw_cache *cache, uint64_t hash,
                                                     plm_text text) {
    const plm_raw_slot *slot =
        cache->slot_count == 0 ? NULL : plm_raw_cache_slot(cache, hash, text);
    return slot == NULL || slot->bytes == NULL ? NULL : slot;
}

/// What a slot holds, for who keeps it longer.
static inline plm_raw_entry plm_raw_cache_entry(const plm_raw_slot *slot) {
    return (plm_raw_entry){slot->id, slot->generation, slot->size_bytes,
                           (plm_text){slot->bytes, slot->length}};
}

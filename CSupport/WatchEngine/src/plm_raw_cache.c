#include "plm_raw_cache.h"

#include <string.h>

/// More than this, index included, is not kept: everything is forgotten then, and what is in use
/// comes back.
#define MAX_BYTES (8u * 1024 * 1024)
#define FIRST_SLOT_COUNT 1024u

void plm_raw_cache_init(plm_raw_cache *self, const plm_allocator *allocator) {
    *self = (plm_raw_cache){.allocator = allocator};
}

void plm_raw_cache_free(plm_raw_cache *self) {
    plm_deallocate(self->allocator, self->slots);
    plm_arena_free(self->allocator, &self->arena);
    plm_raw_cache_init(self, self->allocator);
}

/// Keeps half of the slots free.
static bool make_room(plm_raw_cache *self) {
    if ((self->used + 1) * 2 <= self->slot_count) {
        return true;
    }
    size_t count = self->slot_count == 0 ? FIRST_SLOT_COUNT : self->slot_count * 2;
    plm_raw_slot *slots = plm_allocate(self->allocator, count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots, 0, count * sizeof *slots);
    for (size_t old = 0; old < self->slot_count; old++) {
        if (self->slots[old].bytes == NULL) {
            continue;
        }
        size_t index = (size_t)self->slots[old].hash & (count - 1);
        while (slots[index].bytes != NULL) {
            index = (index + 1) & (count - 1);
        }
        slots[index] = self->slots[old];
    }
    plm_deallocate(self->allocator, self->slots);
    self->slots = slots;
    self->slot_count = count;
    return true;
}

void plm_raw_cache_remember(plm_raw_cache *self, uint64_t hash, const plm_raw_entry *entry) {
    plm_text raw = entry->raw;
    if (self->kept_bytes + raw.length > MAX_BYTES) {
        if (self->pins > 0) {
            return;
        }
        plm_raw_cache_free(self);
    }
    if (raw.length == 0 || raw.length > MAX_BYTES / 16 || !make_room(self)) {
        return;
    }
    plm_raw_slot *slot = plm_raw_cache_slot(self, hash, raw);
    if (slot == NULL) {
        return;
    }
    if (slot->bytes == NULL) {
        char *bytes = plm_arena_allocate(self->allocator, &self->arena, raw.length);
        if (bytes == NULL) {
            return;
        }
        memcpy(bytes, raw.bytes, raw.length);
        self->kept_bytes += raw.length + 2 * sizeof *slot;
        self->used++;
        slot->hash = hash;
        slot->bytes = bytes;
        slot->length = (uint32_t)raw.length;
    }
    slot->id = entry->id;
    slot->generation = entry->generation;
    slot->size_bytes = entry->size_bytes;
}

#include "plm_image_table.h"

#include <string.h>

#include "plm_hash.h"

struct plm_image_entry {
    uint64_t hash;
    int64_t size_bytes;
    uint32_t id;
    uint32_t name_count;
    uint32_t byte_count;
    /// `name_count` lengths, then the names' bytes.
    uint32_t lengths[];
};

static struct plm_image_entry tombstone;

#define FIRST_SLOT_COUNT 1024

static const char *entry_bytes(const struct plm_image_entry *entry) {
    return (const char *)(entry->lengths + entry->name_count);
}

bool plm_image_table_init(plm_image_table *table, const plm_allocator *allocator,
                          size_t max_entries) {
    *table = (plm_image_table){.allocator = allocator, .max_entries = max_entries};
    table->seed = plm_hash_random_seed();
    table->slots = plm_allocate(allocator, FIRST_SLOT_COUNT * sizeof *table->slots);
    if (table->slots == NULL) {
        return false;
    }
    memset(table->slots, 0, FIRST_SLOT_COUNT * sizeof *table->slots);
    table->slot_count = FIRST_SLOT_COUNT;
    return true;
}

void plm_image_table_free(plm_image_table *table) {
    for (uint32_t id = 0; id < table->next_id; id++) {
        plm_deallocate(table->allocator, table->by_id[id]);
    }
    plm_deallocate(table->allocator, table->by_id);
    plm_deallocate(table->allocator, table->generations);
    plm_deallocate(table->allocator, table->free_ids);
    plm_deallocate(table->allocator, table->slots);
    *table = (plm_image_table){0};
}

static uint64_t key_hash(uint64_t seed, const plm_image_key *key) {
    uint64_t hash = plm_hash_number(seed, (uint64_t)key->size_bytes);
    hash = plm_hash_bytes(hash, key->lengths, key->name_count * sizeof *key->lengths);
    return plm_hash_bytes(hash, key->bytes, key->byte_count);
}

static bool equals(const struct plm_image_entry *entry, const plm_image_key *key) {
    if (entry->size_bytes != key->size_bytes || entry->name_count != key->name_count ||
        entry->byte_count != key->byte_count) {
        return false;
    }
    if (key->name_count == 0) {
        return true;
    }
    return memcmp(entry->lengths, key->lengths, key->name_count * sizeof *key->lengths) == 0 &&
           (key->byte_count == 0 || memcmp(entry_bytes(entry), key->bytes, key->byte_count) == 0);
}

/// Keeps at least a third of the slots free, tombstones included.
static bool make_room(plm_image_table *table) {
    if ((table->used_slots + 1) * 3 < table->slot_count * 2) {
        return true;
    }
    size_t count = table->slot_count;
    if ((table->entry_count + 1) * 2 >= count) {
        count *= 2;
    }
    struct plm_image_entry **slots = plm_allocate(table->allocator, count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots, 0, count * sizeof *slots);
    for (size_t index = 0; index < table->slot_count; index++) {
        struct plm_image_entry *entry = table->slots[index];
        if (entry == NULL || entry == &tombstone) {
            continue;
        }
        size_t slot = (size_t)entry->hash & (count - 1);
        while (slots[slot] != NULL) {
            slot = (slot + 1) & (count - 1);
        }
        slots[slot] = entry;
    }
    plm_deallocate(table->allocator, table->slots);
    table->slots = slots;
    table->slot_count = count;
    table->used_slots = table->entry_count;
    return true;
}

/// Makes an id that is free.
static bool make_id(plm_image_table *table) {
    size_t count = (size_t)table->next_id + 1;
    void *by_id = table->by_id;
    void *generations = table->generations;
    void *free_ids = table->free_ids;
    bool made = plm_array_grow(table->allocator, &by_id, &table->by_id_capacity, count,
                               sizeof *table->by_id) &&
                plm_array_grow(table->allocator, &generations, &table->generation_capacity, count,
                               sizeof *table->generations) &&
                plm_array_grow(table->allocator, &free_ids, &table->free_id_capacity, count,
                               sizeof *table->free_ids);
    table->by_id = by_id;
    table->generations = generations;
    table->free_ids = free_ids;
    if (!made) {
        return false;
    }
    table->by_id[table->next_id] = NULL;
    table->generations[table->next_id] = 0;
    table->free_ids[table->free_id_count++] = table->next_id++;
    return true;
}

plm_intern_result plm_image_table_intern(plm_image_table *table, const plm_image_key *key,
                                         uint32_t *id) {
    uint64_t hash = key_hash(table->seed, key);
    size_t mask = table->slot_count - 1;
    for (size_t slot = (size_t)hash & mask; table->slots[slot] != NULL; slot = (slot + 1) & mask) {
        const struct plm_image_entry *entry = table->slots[slot];
        if (entry != &tombstone && entry->hash == hash && equals(entry, key)) {
            *id = entry->id;
            return PLM_INTERN_KNOWN;
        }
    }
    if (table->entry_count >= table->max_entries || table->next_id == UINT32_MAX) {
        return PLM_INTERN_FULL;
    }
    if (!make_room(table) || (table->free_id_count == 0 && !make_id(table))) {
        return PLM_INTERN_NO_MEMORY;
    }
    size_t lengths_bytes = key->name_count * sizeof *key->lengths;
    struct plm_image_entry *entry = plm_allocate(
        table->allocator, sizeof(struct plm_image_entry) + lengths_bytes + key->byte_count);
    if (entry == NULL) {
        return PLM_INTERN_NO_MEMORY;
    }
    entry->hash = hash;
    entry->size_bytes = key->size_bytes;
    entry->id = table->free_ids[--table->free_id_count];
    entry->name_count = (uint32_t)key->name_count;
    entry->byte_count = (uint32_t)key->byte_count;
    if (key->name_count > 0) {
        memcpy(entry->lengths, key->lengths, lengths_bytes);
    }
    if (key->byte_count > 0) {
        memcpy((char *)(entry->lengths + key->name_count), key->bytes, key->byte_count);
    }
    mask = table->slot_count - 1;
    size_t slot = (size_t)hash & mask;
    while (table->slots[slot] != NULL) {
        slot = (slot + 1) & mask;
    }
    table->slots[slot] = entry;
    table->by_id[entry->id] = entry;
    table->used_slots++;
    table->entry_count++;
    *id = entry->id;
    return PLM_INTERN_NEW;
}

size_t plm_image_table_name_count(const plm_image_table *table, uint32_t id) {
    return table->by_id[id]->name_count;
}

void plm_image_table_view(const plm_image_table *table, uint32_t id, plm_text *names,
                          plm_image *image) {
    const struct plm_image_entry *entry = table->by_id[id];
    const char *bytes = entry_bytes(entry);
    for (uint32_t index = 0; index < entry->name_count; index++) {
        names[index] = (plm_text){bytes, entry->lengths[index]};
        bytes += entry->lengths[index];
    }
    image->id = id;
    image->names = names;
    image->name_count = entry->name_count;
    image->size_bytes = entry->size_bytes;
}

void plm_image_table_retire(plm_image_table *table, uint32_t id) {
    if (id >= table->next_id || table->by_id[id] == NULL) {
        return;
    }
    struct plm_image_entry *entry = table->by_id[id];
    size_t mask = table->slot_count - 1;
    size_t slot = (size_t)entry->hash & mask;
    while (table->slots[slot] != entry) {
        slot = (slot + 1) & mask;
    }
    table->slots[slot] = &tombstone;
    table->by_id[id] = NULL;
    table->generations[id]++;
    table->free_ids[table->free_id_count++] = id;
    table->entry_count--;
    plm_deallocate(table->allocator, entry);
}

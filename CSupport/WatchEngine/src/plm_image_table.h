#pragma once

// The image table of one client: which (names, size) have been seen, and under which id.

#include "plm_memory.h"

typedef struct plm_image_table {
    const plm_allocator *allocator;
    /// Open addressing over pointers to entries; NULL is free, a tombstone was retired.
    struct plm_image_entry **slots;
    size_t slot_count;
    size_t used_slots;
    size_t entry_count;
    size_t max_entries;
    /// Entries by id, dense from 0. A retired id is given out again, so that the table follows what
    /// is in use and not what ever was.
    struct plm_image_entry **by_id;
    size_t by_id_capacity;
    /// How often each id was given out: who remembers an id with its generation knows whether it
    /// still stands for the same image.
    uint32_t *generations;
    size_t generation_capacity;
    uint32_t next_id;
    /// Retired ids. There is room for all ids, so that retiring cannot fail.
    uint32_t *free_ids;
    size_t free_id_count;
    size_t free_id_capacity;
    uint64_t seed;
} plm_image_table;

/// A candidate: names one after another in `bytes`, each `lengths[i]` long.
typedef struct plm_image_key {
    const char *bytes;
    const uint32_t *lengths;
    size_t name_count;
    size_t byte_count;
    int64_t size_bytes;
} plm_image_key;

typedef enum plm_intern_result {
    PLM_INTERN_KNOWN,
    PLM_INTERN_NEW,
    PLM_INTERN_FULL,
    PLM_INTERN_NO_MEMORY,
} plm_intern_result;

bool plm_image_table_init(plm_image_table *table, const plm_allocator *allocator,
                          size_t max_entries);
void plm_image_table_free(plm_image_table *table);
/// Finds or adds. With NEW, the entry is the caller's to announce before its first use.
plm_intern_result plm_image_table_intern(plm_image_table *table, const plm_image_key *key,
                                         uint32_t *id);
/// Views an entry. The texts are borrowed until the entry is retired; `names` must have room for
/// `plm_image_table_name_count()`.
size_t plm_image_table_name_count(const plm_image_table *table, uint32_t id);
void plm_image_table_view(const plm_image_table *table, uint32_t id, plm_text *names,
                          plm_image *image);
/// Forgets an entry; its id may be given out again.
void plm_image_table_retire(plm_image_table *table, uint32_t id);
/// How often an id was given out.
static inline uint32_t plm_image_table_generation(const plm_image_table *table, uint32_t id) {
    return table->generations[id];
}
/// Whether an id still stands for what it stood for then. An id that is free has another
/// generation.
static inline bool plm_image_table_has(const plm_image_table *table, uint32_t id,
                                       uint32_t generation) {
    return table->generations[id] == generation;
}

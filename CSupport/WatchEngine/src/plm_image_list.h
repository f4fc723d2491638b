#pragma once

// The images of one object as they are read, whoever reads them.

#include "plm_reading.h"

typedef struct plm_image_list {
    plm_raw_image *images;
    size_t count;
    size_t capacity;
    /// The names of all of them, one after another.
    plm_buffer name_bytes;
    uint32_t *name_lengths;
    size_t name_count;
    size_t name_capacity;
} plm_image_list;

bool plm_image_list_grow(plm_image_list *list, const plm_allocator *allocator);
/// Adds an image, to be filled in: what was there is of an earlier object. NULL when memory is
/// short.
static inline plm_raw_image *plm_image_list_add(plm_image_list *list,
                                                const plm_allocator *allocator) {
    if (list->count == list->capacity && !plm_image_list_grow(list, allocator)) {
        return NULL;
    }
    return &list->images[list->count++];
}
/// An image that has no names yet.
static inline plm_raw_image plm_image_list_begin(const plm_image_list *list) {
    return (plm_raw_image){
        .first_name = list->name_count,
        .first_byte = list->name_bytes.length,
    };
}
/// Adds a name to the last image. False when memory is short.
bool plm_image_list_add_name(plm_image_list *list, const plm_allocator *allocator, plm_text name);
void plm_image_list_clear(plm_image_list *list);
void plm_image_list_free(plm_image_list *list, const plm_allocator *allocator);
/// Lends the list to who reads `values`, until it is changed.
void plm_image_list_lend(const plm_image_list *list, plm_projected *values);

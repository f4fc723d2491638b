#include "plm_image_list.h"

bool plm_image_list_grow(plm_image_list *self, const plm_allocator *allocator) {
    void *images = self->images;
    bool grown =
        plm_array_grow(allocator, &images, &self->capacity, self->count + 1, sizeof *self->images);
    self->images = images;
    return grown;
}

bool plm_image_list_add_name(plm_image_list *self, const plm_allocator *allocator, plm_text name) {
    void *lengths = self->name_lengths;
    if (!plm_buffer_append(allocator, &self->name_bytes, name.bytes, name.length) ||
        !plm_array_grow(allocator, &lengths, &self->name_capacity, self->name_count + 1,
                        sizeof *self->name_lengths)) {
        return false;
    }
    self->name_lengths = lengths;
    self->name_lengths[self->name_count++] = (uint32_t)name.length;
    plm_raw_image *image = &self->images[self->count - 1];
    image->name_count++;
    image->byte_count += name.length;
    return true;
}

void plm_image_list_clear(plm_image_list *self) {
    self->count = 0;
    self->name_bytes.length = 0;
    self->name_count = 0;
}

void plm_image_list_free(plm_image_list *self, const plm_allocator *allocator) {
    plm_deallocate(allocator, self->images);
    plm_buffer_free(allocator, &self->name_bytes);
    plm_deallocate(allocator, self->name_lengths);
    *self = (plm_image_list){0};
}

void plm_image_list_lend(const plm_image_list *self, plm_projected *values) {
    values->images = self->images;
    values->image_count = self->count;
    values->name_lengths = self->name_lengths;
    values->name_bytes = self->name_bytes.bytes;
}

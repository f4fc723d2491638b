#include "plm_wanted.h"

#include <string.h>

bool plm_wanted_init(plm_wanted *self, const plm_allocator *allocator,
                     const plm_projection *projection) {
    *self = (plm_wanted){
        .allocator = allocator,
        .whole_objects = projection->whole_objects,
        .strict = projection->strict,
        .scanner = projection->scanner,
        .shard = projection->shard,
    };
    size_t text_bytes = 0;
    for (size_t index = 0; index < projection->label_key_count; index++) {
        text_bytes += strlen(projection->label_keys[index].key);
    }
    self->labels =
        plm_allocate(allocator, (projection->label_key_count + 1) * sizeof *self->labels);
    self->label_text = plm_allocate(allocator, text_bytes + 1);
    if (self->labels == NULL || self->label_text == NULL) {
        return false;
    }
    char *text = self->label_text;
    for (size_t index = 0; index < projection->label_key_count; index++) {
        const plm_label_key *given = &projection->label_keys[index];
        if (given->slot >= PLM_LABEL_SLOTS) {
            continue;
        }
        size_t length = strlen(given->key);
        memcpy(text, given->key, length);
        self->labels[self->label_count++] = (plm_wanted_label){text, length, given->slot};
        text += length;
    }
    return true;
}

void plm_wanted_free(plm_wanted *self) {
    if (self->allocator != NULL) {
        plm_deallocate(self->allocator, self->labels);
        plm_deallocate(self->allocator, self->label_text);
    }
}

#pragma once

// What a decoder looks for: a projection that is its own.

#include "plm_reading.h"

typedef struct plm_wanted {
    const plm_allocator *allocator;
    plm_wanted_label *labels;
    size_t label_count;
    char *label_text;
    bool whole_objects;
    bool strict;
    plm_scanner scanner;
    plm_shard shard;
} plm_wanted;

/// False when memory is short; to be freed then as well.
bool plm_wanted_init(plm_wanted *wanted, const plm_allocator *allocator,
                     const plm_projection *projection);
void plm_wanted_free(plm_wanted *wanted);

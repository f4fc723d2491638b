#pragma once

// What the streams and decoders of one cluster share.

#include "plm_image_table.h"
#include "plm_memory.h"

struct plm_client {
    plm_allocator allocator;
    /// Without zeros: defaults are filled in.
    plm_limits limits;
    plm_image_table images;
};

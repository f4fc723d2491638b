#pragma once

// What was read of one object, whoever read it: the projector with yajl, or a reader of its own.

#include <string.h>

#include "plm_memory.h"

/// Scalars that are kept as text.
typedef enum plm_field {
    PLM_FIELD_TYPE, // of a watch event
    PLM_FIELD_KIND,
    PLM_FIELD_NAME,
    PLM_FIELD_NAMESPACE,
    PLM_FIELD_UID,
    PLM_FIELD_RESOURCE_VERSION,
    PLM_FIELD_CREATION_TIMESTAMP,
    PLM_FIELD_DELETION_TIMESTAMP,
    PLM_FIELD_CONTINUE,
    PLM_FIELD_INITIAL_EVENTS_END,
    PLM_FIELD_CAPACITY,
    PLM_FIELD_ALLOCATABLE,
    PLM_FIELD_RUNTIME_VERSION,
    PLM_FIELD_KUBELET_VERSION,
    PLM_FIELD_BOOT_ID,
    PLM_FIELD_REASON,
    PLM_FIELD_MESSAGE,
    PLM_FIELD_DETAILS_NAME,
    PLM_FIELD_DETAILS_KIND,
    PLM_FIELD_CAUSE,
    PLM_FIELD_LABEL, // the first of PLM_LABEL_SLOTS
    PLM_FIELD_COUNT = PLM_FIELD_LABEL + PLM_LABEL_SLOTS,
} plm_field;

/// A label that is wanted.
typedef struct plm_wanted_label {
    const char *key;
    size_t length;
    uint32_t slot;
} plm_wanted_label;

/// One entry of status.images as read, before it is interned.
typedef struct plm_raw_image {
    /// Into `name_lengths` and `name_bytes`.
    size_t first_name;
    size_t first_byte;
    size_t name_count;
    size_t byte_count;
    int64_t size_bytes;
    /// As it came, where that is known: what a cache can find it by.
    plm_text raw;
    uint64_t raw_hash;
    /// It was found by that; names and lengths are not set then.
    bool has_id;
    uint32_t id;
} plm_raw_image;

typedef struct plm_projected {
    plm_condition ready;
    plm_condition disk_pressure;
    bool unschedulable;
    bool has_items;
    bool has_object;
    bool has_images;
    plm_raw_image *images;
    size_t image_count;
    const uint32_t *name_lengths;
    const char *name_bytes;
    int64_t code;
    int64_t retry_after_seconds;
    int64_t remaining_item_count;
} plm_projected;

typedef struct plm_reading {
    /// Absent fields have no bytes.
    plm_text texts[PLM_FIELD_COUNT];
    plm_projected values;
    /// NULL, or in one line why this cannot be used.
    const char *rejection;
} plm_reading;

/// Nothing has been read; numbers that may be absent are.
static inline void plm_reading_clear(plm_reading *reading) {
    memset(reading, 0, sizeof *reading);
    reading->values.retry_after_seconds = -1;
    reading->values.remaining_item_count = -1;
}

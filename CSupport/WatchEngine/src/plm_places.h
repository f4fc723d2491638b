#pragma once

// What the projector looks for, by path: the places of a document and how one leads to another.

#include "plm_projector.h"

/// A value's place in the document: what its keys mean, or which field it is.
typedef enum plm_place {
    PLACE_SKIPPED,
    // Maps and arrays.
    PLACE_OBJECT,
    PLACE_METADATA,
    PLACE_LABELS,
    PLACE_ANNOTATIONS,
    PLACE_SPEC,
    PLACE_STATUS,
    PLACE_CAPACITY,
    PLACE_ALLOCATABLE,
    PLACE_CONDITIONS,
    PLACE_CONDITION,
    PLACE_NODE_INFO,
    PLACE_IMAGES,
    PLACE_IMAGE,
    PLACE_NAMES,
    PLACE_DETAILS,
    PLACE_CAUSES,
    PLACE_CAUSE,
    PLACE_ITEMS,
    PLACE_EVENT_OBJECT,
    // Scalars that are not kept as text.
    PLACE_UNSCHEDULABLE,
    PLACE_CONDITION_TYPE,
    PLACE_CONDITION_STATUS,
    PLACE_IMAGE_NAME,
    PLACE_IMAGE_SIZE,
    PLACE_CODE,
    PLACE_RETRY_AFTER,
    PLACE_REMAINING,
    // Scalars kept as text: PLACE_TEXT + plm_field.
    PLACE_TEXT,
} plm_place;

/// The place of a key's value in a map; PLACE_SKIPPED for what nobody asked for.
int plm_place_of_key(int map, const char *key, size_t count);
/// The place of an array's elements; PLACE_SKIPPED for what is no wanted array.
int plm_place_of_element(int array);
/// Whether the place is a map whose keys are looked at.
bool plm_place_is_map(int place);
/// The path, for messages: "status.images".
const char *plm_place_name(int place);

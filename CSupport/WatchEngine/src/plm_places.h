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
/// The lengths that a map's keys have, modulo 64, one bit each: most keys that nobody asked for
/// have another.
uint64_t plm_place_key_lengths(int map);
/// One bit for each place that a key may lead to.
#define PLM_PLACE_BIT(place) ((uint64_t)1 << (place))
_Static_assert((int)PLACE_TEXT + (int)PLM_FIELD_LABEL <= 64, "every place has a bit");
/// The places of all that is wanted of a map: once it has been read, the rest of the map is
/// skipped, repeated keys included. 0 for a map that is read to its end.
uint64_t plm_place_all_keys(int map);
/// The place of an array's elements; PLACE_SKIPPED for what is no wanted array.
int plm_place_of_element(int array);
/// Whether the place is a map whose keys are looked at.
bool plm_place_is_map(int place);
/// The path, for messages: "status.images".
const char *plm_place_name(int place);

#pragma once

// Reads one JSON value after another with yajl and keeps the fields of a Node, a Status, a bookmark
// or a list's envelope, found by path. It knows nothing of framing: it is fed whole values, in
// pieces of any size. It commits nothing: the decoder takes the fields when the value has ended.

#include "plm_reading.h"

typedef struct plm_projector plm_projector;

/// Where a value is to be read: the whole of an object, or an envelope whose `object` and `items`
/// are handed to somebody else.
typedef enum plm_pending {
    PLM_PENDING_OTHER,
    PLM_PENDING_OBJECT,
    PLM_PENDING_ITEMS,
} plm_pending;

/// What is looked for.
typedef enum plm_projector_scope {
    /// The fields of a Node, a Status and an envelope.
    PLM_SCOPE_NODE,
    /// The fields of an envelope or a Status; nothing is said against the rest.
    PLM_SCOPE_ENVELOPE,
    /// Names, versions and the fields of a Status, in an object of any kind.
    PLM_SCOPE_OBJECT,
} plm_projector_scope;

/// Owned. `labels` is borrowed for the projector's life, as are `allocator` and `limits`.
plm_projector *plm_projector_create(const plm_allocator *allocator, const plm_limits *limits,
                                    const plm_wanted_label *labels, size_t label_count,
                                    plm_projector_scope scope);
void plm_projector_destroy(plm_projector *projector);

typedef enum plm_feed_result {
    PLM_FEED_OK,
    PLM_FEED_SYNTAX,
    PLM_FEED_NO_MEMORY,
} plm_feed_result;

/// Reads on. After a failure only `plm_projector_restart()` helps.
plm_feed_result plm_projector_feed(plm_projector *projector, const char *bytes, size_t count);
/// What was wrong in the last failed feed, and how many of its bytes came before the fault.
const char *plm_projector_error(const plm_projector *projector, size_t *consumed);
/// Forgets the value it is in the middle of and everything read of it.
bool plm_projector_restart(plm_projector *projector);
/// Forgets what was read; to be called between values.
void plm_projector_clear(plm_projector *projector);
/// Whether the value last begun is complete.
bool plm_projector_is_complete(const plm_projector *projector);
/// The key whose value comes next, in the outermost map.
plm_pending plm_projector_pending(const plm_projector *projector);

// What was read. Texts are borrowed until the next feed, clear or restart.

plm_text plm_projector_text(const plm_projector *projector, plm_field field);
/// NULL, or in one line why the value cannot be used as a Node.
const char *plm_projector_rejection(const plm_projector *projector);
/// Makes the value unusable for a reason found outside; the first reason stays.
void plm_projector_reject(plm_projector *projector, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

plm_projected plm_projector_values(const plm_projector *projector);
/// All of it.
void plm_projector_read(const plm_projector *projector, plm_reading *reading);

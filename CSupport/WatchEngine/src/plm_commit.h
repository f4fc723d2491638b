#pragma once

// Turns what was read into events of a batch. This is where images get their ids and
// nodes their fingerprints; nothing of it happens before the value is known to be whole.

#include "plm_batch.h"
#include "plm_client.h"
#include "plm_reading.h"

typedef enum plm_commit_result {
    PLM_COMMIT_OK,
    PLM_COMMIT_IMAGES_FULL,
    PLM_COMMIT_NO_MEMORY,
} plm_commit_result;

/// Adds an object of any kind as `kind` (added, modified or deleted) with all its bytes; or a
/// rejection where it has no name.
plm_commit_result plm_commit_object(plm_batch_builder *batch, const plm_reading *reading,
                                    plm_text json, plm_event_kind kind);

/// Adds a node as `kind` (added, modified or deleted) and before it the images it defines; or a
/// rejection where the value is no usable Node.
plm_commit_result plm_commit_node(plm_batch_builder *batch, plm_client *client,
                                  plm_reading *reading, plm_event_kind kind);
/// Adds a node that was found usable, and before it the images it defines.
plm_commit_result plm_commit_reading(plm_batch_builder *batch, plm_client *client,
                                     plm_reading *reading, plm_event_kind kind);
plm_commit_result plm_commit_bookmark(plm_batch_builder *batch, const plm_reading *reading);
plm_commit_result plm_commit_status(plm_batch_builder *batch, const plm_reading *reading,
                                    bool in_stream);
plm_commit_result plm_commit_list(plm_batch_builder *batch, const plm_reading *reading);
/// Adds that an object of another shard came.
plm_commit_result plm_commit_skipped(plm_batch_builder *batch, const plm_reading *reading);
plm_commit_result plm_commit_rejection(plm_batch_builder *batch, const plm_reading *reading);

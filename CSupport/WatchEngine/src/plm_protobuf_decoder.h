#pragma once

// Framing of protobuf: the frames of a watch, or "k8s\0" and a runtime.Unknown that holds a list, a
// Node or a Status. A list is never whole in memory: its items are read one by one.

#include "plm_batch.h"
#include "plm_wanted.h"

typedef struct plm_protobuf_decoder plm_protobuf_decoder;

/// Owned. `client` and `wanted` are borrowed for the decoder's life. NULL when memory is short.
plm_protobuf_decoder *plm_protobuf_decoder_create(plm_client *client, const plm_wanted *wanted);
void plm_protobuf_decoder_destroy(plm_protobuf_decoder *decoder);
/// Decodes into a batch that the caller owns. Returns false after a failure, which is in the batch.
bool plm_protobuf_decoder_decode(plm_protobuf_decoder *decoder, const char *bytes, size_t count,
                                 plm_batch_builder *batch);
/// Says that the body is over. Adds `end` or a failure; before it the end of a list.
bool plm_protobuf_decoder_end(plm_protobuf_decoder *decoder, plm_batch_builder *batch);

#pragma once

// Framing of JSON: finds the objects in a body and hands each to the projector or the node reader.

#include "plm_batch.h"
#include "plm_wanted.h"

typedef struct plm_json_decoder plm_json_decoder;

/// Owned. `client` and `wanted` are borrowed for the decoder's life. NULL when memory is short.
plm_json_decoder *plm_json_decoder_create(plm_client *client, const plm_wanted *wanted);
void plm_json_decoder_destroy(plm_json_decoder *decoder);
/// Decodes into a batch that the caller owns. Returns false after a failure, which is in the batch.
bool plm_json_decoder_decode(plm_json_decoder *decoder, const char *bytes, size_t count,
                             plm_batch_builder *batch);
/// Says that the body is over. Adds `end` or a failure.
bool plm_json_decoder_end(plm_json_decoder *decoder, plm_batch_builder *batch);

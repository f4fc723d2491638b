#pragma once

// Framing: finds the objects in a body of JSON and hands each to the projector that reads it.

#include "plm_batch.h"

/// Decodes into a batch that the caller owns. Returns false after a failure, which is in the batch.
bool plm_decoder_decode(plm_decoder *decoder, const char *bytes, size_t count,
                        plm_batch_builder *batch);
/// Says that the body is over. Adds `end` or a failure.
bool plm_decoder_end(plm_decoder *decoder, plm_batch_builder *batch);

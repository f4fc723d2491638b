#pragma once

// A body in either wire format: tells which it is and leaves it to that format's decoder.

#include "plm_batch.h"

/// To be called before the first byte, where something tells the format.
void plm_decoder_set_format(plm_decoder *decoder, plm_wire_format format);
/// Decodes into a batch that the caller owns. Returns false after a failure, which is in the batch.
bool plm_decoder_decode(plm_decoder *decoder, const char *bytes, size_t count,
                        plm_batch_builder *batch);
/// Says that the body is over. Adds `end` or a failure.
bool plm_decoder_end(plm_decoder *decoder, plm_batch_builder *batch);

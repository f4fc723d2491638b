#pragma once

// Reads a whole Node from its bytes and their structure, without yajl: what is wanted and plain is
// taken as it stands, what nobody asks for is skipped, and images are found by their bytes.
// Whatever is out of the ordinary (escapes, odd numbers, a wanted field of another type, a key
// twice, a bound passed) it leaves to the projector, which then says what it is.

#include "plm_client.h"
#include "plm_element.h"
#include "plm_wanted.h"

typedef struct plm_node_reader plm_node_reader;

/// Owned. `client` and `wanted` are borrowed for the reader's life. NULL when memory is short.
plm_node_reader *plm_node_reader_create(const plm_client *client, const plm_wanted *wanted);
void plm_node_reader_destroy(plm_node_reader *reader);
/// Reads a whole element, of a Node of another shard only what tells that. NULL: to be read by the
/// projector. The reading is borrowed until the next
/// call, and its texts until the element is cleared.
plm_reading *plm_node_reader_read(plm_node_reader *reader, const plm_element *element);

#pragma once

// Reads messages of protobuf that are whole in memory: a Node's wanted fields, a Status, ListMeta.
// What nobody asks for is skipped by its length, and images are found by their bytes. Numbers of
// fields: k8s.io/api/core/v1/generated.proto and apimachinery's meta/v1/generated.proto.

#include "plm_client.h"
#include "plm_wanted.h"

typedef struct plm_protobuf_reader plm_protobuf_reader;

/// Owned. `client` and `wanted` are borrowed for the reader's life. NULL when memory is short.
plm_protobuf_reader *plm_protobuf_reader_create(const plm_client *client, const plm_wanted *wanted);
void plm_protobuf_reader_destroy(plm_protobuf_reader *reader);

// Each reading is borrowed until the next call, and its texts as long as the message. What is wrong
// with the message is the reading's rejection. NULL when memory is short.

plm_reading *plm_protobuf_read_node(plm_protobuf_reader *reader, plm_text message);
/// The same of a message's beginning, as far as it goes.
plm_reading *plm_protobuf_read_beginning(plm_protobuf_reader *reader, plm_text beginning);
/// A Node that is a bookmark.
plm_reading *plm_protobuf_read_bookmark(plm_protobuf_reader *reader, plm_text message);
plm_reading *plm_protobuf_read_status(plm_protobuf_reader *reader, plm_text message);
plm_reading *plm_protobuf_read_list_meta(plm_protobuf_reader *reader, plm_text message);

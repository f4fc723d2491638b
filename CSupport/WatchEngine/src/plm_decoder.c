#include "plm_decoder.h"

#include "plm_client.h"
#include "plm_json_decoder.h"
#include "plm_protobuf_decoder.h"

struct plm_decoder {
    plm_client *client;
    plm_wanted wanted;
    plm_wire_format format;
    /// Of the two the one that the format calls for, once it is known.
    plm_json_decoder *json;
    plm_protobuf_decoder *protobuf;
    /// From the start of the stream.
    uint64_t offset;
    bool over;
    /// Only for decoders that are fed by hand.
    plm_batch_builder batch;
};

// MARK: Life

plm_decoder *plm_decoder_create(plm_client *client, const plm_projection *projection) {
    const plm_allocator *allocator = &client->allocator;
    if (!plm_scanner_is_available(projection->scanner)) {
        return NULL;
    }
    plm_decoder *self = plm_allocate(allocator, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    *self = (plm_decoder){.client = client, .format = projection->wire_format};
    if (!plm_batch_init(&self->batch, allocator) ||
        !plm_wanted_init(&self->wanted, allocator, projection)) {
        plm_decoder_destroy(self);
        return NULL;
    }
    return self;
}

void plm_decoder_destroy(plm_decoder *self) {
    if (self == NULL) {
        return;
    }
    plm_json_decoder_destroy(self->json);
    plm_protobuf_decoder_destroy(self->protobuf);
    plm_wanted_free(&self->wanted);
    plm_batch_free(&self->batch);
    plm_deallocate(&self->client->allocator, self);
}

void plm_decoder_set_format(plm_decoder *self, plm_wire_format format) {
    self->format = format;
}

// MARK: Either format

/// Protobuf begins with "k8s", or with the length of a frame, whose first byte tells of 16 MiB
/// each. JSON begins with a bracket or white space.
static plm_wire_format format_of(char first) {
    return first == 'k' || (unsigned char)first < '\t' ? PLM_WIRE_PROTOBUF : PLM_WIRE_JSON;
}

/// Makes the decoder that the format calls for.
static bool prepare(plm_decoder *self, plm_batch_builder *batch) {
    if (self->format == PLM_WIRE_PROTOBUF) {
        self->protobuf = plm_protobuf_decoder_create(self->client, &self->wanted);
    } else {
        self->json = plm_json_decoder_create(self->client, &self->wanted);
    }
    if (self->json == NULL && self->protobuf == NULL) {
        plm_batch_fail(batch, PLM_FAILURE_MEMORY, "out of memory for a decoder");
        return false;
    }
    return true;
}

bool plm_decoder_decode(plm_decoder *self, const char *bytes, size_t count,
                        plm_batch_builder *batch) {
    if (self->over) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    if (self->format == PLM_WIRE_AUTOMATIC) {
        self->format = format_of(bytes[0]);
    }
    bool is_ready = self->json != NULL || self->protobuf != NULL || prepare(self, batch);
    bool goes_on =
        is_ready &&
        (self->protobuf != NULL ? plm_protobuf_decoder_decode(self->protobuf, bytes, count, batch)
                                : plm_json_decoder_decode(self->json, bytes, count, batch));
    self->offset += goes_on ? count : 0;
    self->over = !goes_on;
    return goes_on;
}

bool plm_decoder_end(plm_decoder *self, plm_batch_builder *batch) {
    if (self->over) {
        return false;
    }
    self->over = true;
    bool is_ready = self->json != NULL || self->protobuf != NULL || prepare(self, batch);
    return is_ready && (self->protobuf != NULL ? plm_protobuf_decoder_end(self->protobuf, batch)
                                               : plm_json_decoder_end(self->json, batch));
}

// MARK: By hand

static bool finish_batch(plm_decoder *self, plm_batch *batch, bool going_on) {
    *batch = (plm_batch){
        .events = self->batch.events,
        .count = self->batch.count,
        .body_bytes = self->offset,
        .done = self->over,
    };
    return going_on;
}

bool plm_decoder_feed(plm_decoder *self, const char *bytes, size_t count, plm_batch *batch) {
    plm_batch_begin(&self->batch);
    return finish_batch(self, batch, plm_decoder_decode(self, bytes, count, &self->batch));
}

bool plm_decoder_finish(plm_decoder *self, plm_batch *batch) {
    plm_batch_begin(&self->batch);
    return finish_batch(self, batch, plm_decoder_end(self, &self->batch));
}

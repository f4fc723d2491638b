// Fuzzes the decoder: whatever the bytes are and however they are cut, it must neither crash nor
// leak, and must say the same as when it is fed the whole at once. Run by `make fuzz`.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plm.h"

/// A running hash of what a reader would see; the fingerprint is left out, for it is seeded.
typedef struct digest {
    uint64_t value;
    bool failed;
} digest;

static void add_bytes(digest *digest, const void *bytes, size_t count) {
    for (size_t at = 0; at < count; at++) {
        digest->value = (digest->value ^ ((const unsigned char *)bytes)[at]) * 0x100000001b3u;
    }
    digest->value = (digest->value ^ count) * 0x100000001b3u;
}

static void add_text(digest *digest, plm_text text) {
    add_bytes(digest, text.bytes, text.length);
}

static void add_object(digest *digest, const plm_object *object) {
    add_text(digest, object->name);
    add_text(digest, object->namespace_name);
    add_text(digest, object->resource_version);
    add_text(digest, object->json);
}

static void add_batch(digest *digest, const plm_batch *batch, bool whole_objects) {
    for (size_t index = 0; index < batch->count; index++) {
        const plm_event *event = &batch->events[index];
        add_bytes(digest, &event->kind, sizeof event->kind);
        switch (event->kind) {
        case PLM_EVENT_IMAGE:
            for (size_t name = 0; name < event->image.name_count; name++) {
                add_text(digest, event->image.names[name]);
            }
            add_bytes(digest, &event->image.size_bytes, sizeof event->image.size_bytes);
            break;
        case PLM_EVENT_ADDED:
        case PLM_EVENT_MODIFIED:
        case PLM_EVENT_DELETED:
            if (whole_objects) {
                add_object(digest, &event->object);
                break;
            }
            add_text(digest, event->node.name);
            add_text(digest, event->node.uid);
            add_text(digest, event->node.resource_version);
            add_text(digest, event->node.labels[0]);
            add_text(digest, event->node.boot_id);
            add_bytes(digest, &event->node.image_bytes, sizeof event->node.image_bytes);
            add_bytes(digest, event->node.image_ids,
                      event->node.image_count * sizeof *event->node.image_ids);
            break;
        case PLM_EVENT_BOOKMARK: add_text(digest, event->bookmark.resource_version); break;
        case PLM_EVENT_LIST:
            add_text(digest, event->list.resource_version);
            add_text(digest, event->list.continue_token);
            break;
        case PLM_EVENT_STATUS:
            add_bytes(digest, &event->status.code, sizeof event->status.code);
            add_text(digest, event->status.message);
            break;
        case PLM_EVENT_REJECTED: add_text(digest, event->rejection.reason); break;
        case PLM_EVENT_UNKNOWN: add_text(digest, event->unknown_type); break;
        case PLM_EVENT_FAILURE: digest->failed = true; break;
        case PLM_EVENT_HEAD:
        case PLM_EVENT_END: break;
        }
    }
}

static digest decode(const uint8_t *bytes, size_t count, size_t chunk, bool whole_objects) {
    digest digest = {0xcbf29ce484222325u, false};
    plm_client_options options = {.limits = {.max_images_per_node = 1000}};
    plm_client *client = plm_client_create(&options);
    plm_label_key label = {"pool", 0};
    plm_projection projection = {&label, 1, whole_objects};
    plm_decoder *decoder = plm_decoder_create(client, &projection);
    plm_batch batch;
    bool going_on = true;
    for (size_t at = 0; at < count && going_on; at += chunk) {
        size_t size = count - at < chunk ? count - at : chunk;
        // A copy of its own, so that a read beyond it is found.
        char *copy = malloc(size);
        memcpy(copy, bytes + at, size);
        going_on = plm_decoder_feed(decoder, copy, size, &batch);
        add_batch(&digest, &batch, whole_objects);
        free(copy);
    }
    if (going_on) {
        plm_decoder_finish(decoder, &batch);
        add_batch(&digest, &batch, whole_objects);
    }
    plm_decoder_destroy(decoder);
    plm_client_destroy(client);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    size_t chunk = data[0] % 32 + 1;
    bool whole_objects = (data[0] & 0x80) != 0;
    digest whole = decode(data + 1, size - 1, size, whole_objects);
    digest pieces = decode(data + 1, size - 1, chunk, whole_objects);
    // Where the bytes are malformed, more or fewer events may have come before it was seen.
    if (whole.failed != pieces.failed || (!whole.failed && whole.value != pieces.value)) {
        fprintf(stderr, "differs in chunks of %zu\n", chunk);
        abort();
    }
    return 0;
}

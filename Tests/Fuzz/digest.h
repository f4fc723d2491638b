#pragma once

// What a reader would see of a body, to be compared.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plm.h"

#define MAX_EVENTS 8192

/// What a reader would see, a hash for each event; the fingerprint is left out, for it is seeded.
typedef struct digest {
    uint64_t events[MAX_EVENTS];
    size_t count;
    uint64_t value;
    /// Index of the first object that was rejected; SIZE_MAX where none was.
    size_t first_rejection;
    bool failed;
    char message[200];
} digest;

static void add_bytes(digest *digest, const void *bytes, size_t count) {
    for (size_t at = 0; at < count; at++) {
        digest->value = (digest->value ^ ((const unsigned char *)bytes)[at]) * 0x100000001b3u;
    }
    digest->value = (digest->value ^ count) * 0x100000001b3u;
}

static void add_text(digest *digest, plm_text text) {
    bool absent = text.bytes == NULL;
    add_bytes(digest, &absent, sizeof absent);
    add_bytes(digest, text.bytes, text.length);
}

static void add_node(digest *digest, const plm_node *node) {
    const plm_text texts[] = {
        node->name,
        node->uid,
        node->resource_version,
        node->creation_timestamp,
        node->deletion_timestamp,
        node->capacity_ephemeral_storage,
        node->allocatable_ephemeral_storage,
        node->container_runtime_version,
        node->kubelet_version,
        node->boot_id,
        node->labels[0],
        node->labels[1],
    };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
        add_text(digest, texts[index]);
    }
    const int64_t numbers[] = {
        node->ready,      node->disk_pressure,        node->unschedulable,
        node->has_images, node->image_bytes_overflow, node->image_bytes,
    };
    add_bytes(digest, numbers, sizeof numbers);
    add_bytes(digest, node->image_ids, node->image_count * sizeof *node->image_ids);
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
        digest->value = 0xcbf29ce484222325u;
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
            add_node(digest, &event->node);
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
        case PLM_EVENT_REJECTED:
            add_text(digest, event->rejection.reason);
            if (digest->first_rejection == SIZE_MAX) {
                digest->first_rejection = digest->count;
            }
            break;
        case PLM_EVENT_SKIPPED: add_text(digest, event->skipped_version); break;
        case PLM_EVENT_UNKNOWN: add_text(digest, event->unknown_type); break;
        case PLM_EVENT_FAILURE:
            digest->failed = true;
            snprintf(digest->message, sizeof digest->message, "%.*s",
                     (int)event->failure.message.length, event->failure.message.bytes);
            return;
        case PLM_EVENT_HEAD:
        case PLM_EVENT_END: break;
        }
        if (digest->count < MAX_EVENTS) {
            digest->events[digest->count++] = digest->value;
        }
    }
}

/// Ends the fuzzer where two ways to decode do not say the same.
static void require_same(bool same, const digest *expected, const digest *found, const char *what,
                         size_t chunk) {
    if (!same) {
        fprintf(stderr, "%s differs in chunks of %zu: %zu events %s, not %zu %s\n", what, chunk,
                found->count, found->message, expected->count, expected->message);
        abort();
    }
}

static const plm_label_key labels[] = {{"pool", 0}, {"team", 0}, {"zone", 1}};

/// Decodes twice with one client: the second time every image has been seen.
static digest *decode(const uint8_t *bytes, size_t count, bool bounded, size_t chunk,
                      plm_projection projection) {
    digest *digest = calloc(1, sizeof *digest);
    digest->first_rejection = SIZE_MAX;
    plm_client_options options = {0};
    if (bounded) {
        options.limits = (plm_limits){
            .max_object_bytes = 2048, .max_node_name_bytes = 40, .max_images_per_node = 1000};
    }
    plm_client *client = plm_client_create(&options);
    projection.label_keys = labels;
    projection.label_key_count = sizeof labels / sizeof *labels;
    for (int pass = 0; pass < 2; pass++) {
        plm_decoder *decoder = plm_decoder_create(client, &projection);
        plm_batch batch;
        bool going_on = true;
        for (size_t at = 0; at < count && going_on; at += chunk) {
            size_t size = count - at < chunk ? count - at : chunk;
            // A copy of its own, so that a read beyond it is found.
            char *copy = malloc(size);
            memcpy(copy, bytes + at, size);
            going_on = plm_decoder_feed(decoder, copy, size, &batch);
            add_batch(digest, &batch, projection.whole_objects);
            free(copy);
        }
        if (going_on) {
            plm_decoder_finish(decoder, &batch);
            add_batch(digest, &batch, projection.whole_objects);
        }
        plm_decoder_destroy(decoder);
        if (digest->failed) {
            break;
        }
    }
    plm_client_destroy(client);
    return digest;
}

#include "plm_commit.h"

#include <stdio.h>
#include <string.h>

#include "plm_hash.h"
#include "plm_text.h"

static plm_commit_result reject(plm_batch_builder *batch, const plm_reading *reading,
                                const char *reason) {
    plm_event *event = plm_batch_add(batch, PLM_EVENT_REJECTED);
    if (event == NULL) {
        return PLM_COMMIT_NO_MEMORY;
    }
    const plm_text *texts = reading->texts;
    plm_rejection *rejection = &event->rejection;
    return plm_batch_copy(batch, texts[PLM_FIELD_NAME], &rejection->name) &&
                   plm_batch_copy(batch, texts[PLM_FIELD_NAMESPACE], &rejection->namespace_name) &&
                   plm_batch_copy(batch, texts[PLM_FIELD_RESOURCE_VERSION],
                                  &rejection->resource_version) &&
                   plm_batch_copy(batch, (plm_text){reason, strlen(reason)}, &rejection->reason)
               ? PLM_COMMIT_OK
               : PLM_COMMIT_NO_MEMORY;
}

plm_commit_result plm_commit_rejection(plm_batch_builder *batch, const plm_reading *reading) {
    return reject(batch, reading, reading->rejection);
}

// MARK: Images

/// Adds the definition of an image. Its texts point into the table, where they stay until the
/// image is retired, which cannot happen before the next call.
static bool define_image(plm_batch_builder *batch, const plm_client *client, uint32_t id) {
    size_t name_count = plm_image_table_name_count(&client->images, id);
    plm_text *names =
        plm_arena_allocate(batch->allocator, &batch->arena, (name_count + 1) * sizeof *names);
    plm_event *event = names == NULL ? NULL : plm_batch_add(batch, PLM_EVENT_IMAGE);
    if (event == NULL) {
        return false;
    }
    plm_image_table_view(&client->images, id, names, &event->image);
    return true;
}

/// Gives an image its id and its size.
static plm_commit_result intern_image(plm_batch_builder *batch, plm_client *client,
                                      const plm_projected *values, plm_raw_image *image) {
    plm_image_key key = {
        .bytes = image->byte_count > 0 ? values->name_bytes + image->first_byte : "",
        .lengths = values->name_lengths + image->first_name,
        .name_count = image->name_count,
        .byte_count = image->byte_count,
        .size_bytes = image->size_bytes,
    };
    switch (plm_image_table_intern(&client->images, &key, &image->id)) {
    case PLM_INTERN_KNOWN: break;
    case PLM_INTERN_NEW:
        if (!define_image(batch, client, image->id)) {
            // Not announced, so not to be found again.
            plm_image_table_retire(&client->images, image->id);
            return PLM_COMMIT_NO_MEMORY;
        }
        break;
    case PLM_INTERN_FULL: return PLM_COMMIT_IMAGES_FULL;
    case PLM_INTERN_NO_MEMORY: return PLM_COMMIT_NO_MEMORY;
    }
    if (image->raw.length > 0) {
        plm_raw_entry entry = {
            .id = image->id,
            .generation = plm_image_table_generation(&client->images, image->id),
            .size_bytes = image->size_bytes,
            .raw = image->raw,
        };
        plm_raw_cache_remember(&client->raw_images, image->raw_hash, &entry);
    }
    return PLM_COMMIT_OK;
}

// MARK: Nodes

static uint64_t hash_text(uint64_t seed, plm_text text) {
    return text.bytes == NULL ? plm_hash_number(seed, 0)
                              : plm_hash_bytes(seed + 1, text.bytes, text.length);
}

static uint64_t fingerprint(uint64_t seed, const plm_node *node) {
    uint64_t hash = hash_text(seed, node->name);
    hash = hash_text(hash, node->uid);
    hash = hash_text(hash, node->creation_timestamp);
    hash = hash_text(hash, node->deletion_timestamp);
    for (size_t slot = 0; slot < PLM_LABEL_SLOTS; slot++) {
        hash = hash_text(hash, node->labels[slot]);
    }
    hash = hash_text(hash, node->capacity_ephemeral_storage);
    hash = hash_text(hash, node->allocatable_ephemeral_storage);
    hash = hash_text(hash, node->container_runtime_version);
    hash = hash_text(hash, node->kubelet_version);
    hash = hash_text(hash, node->boot_id);
    hash =
        plm_hash_number(hash, (uint64_t)node->ready << 8 | (uint64_t)node->disk_pressure << 4 |
                                  (uint64_t)node->unschedulable << 1 | (uint64_t)node->has_images);
    // An id stands for names and size, so equal ids are equal images.
    return plm_hash_bytes(hash, node->image_ids, node->image_count * sizeof *node->image_ids);
}

/// Copies the texts of a node into the batch.
static bool copy_texts(plm_batch_builder *batch, const plm_reading *reading, plm_node *node) {
    const struct {
        plm_field field;
        plm_text *target;
    } texts[] = {
        {PLM_FIELD_NAME, &node->name},
        {PLM_FIELD_UID, &node->uid},
        {PLM_FIELD_RESOURCE_VERSION, &node->resource_version},
        {PLM_FIELD_CREATION_TIMESTAMP, &node->creation_timestamp},
        {PLM_FIELD_DELETION_TIMESTAMP, &node->deletion_timestamp},
        {PLM_FIELD_CAPACITY, &node->capacity_ephemeral_storage},
        {PLM_FIELD_ALLOCATABLE, &node->allocatable_ephemeral_storage},
        {PLM_FIELD_RUNTIME_VERSION, &node->container_runtime_version},
        {PLM_FIELD_KUBELET_VERSION, &node->kubelet_version},
        {PLM_FIELD_BOOT_ID, &node->boot_id},
    };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
        if (!plm_batch_copy(batch, reading->texts[texts[index].field], texts[index].target)) {
            return false;
        }
    }
    for (size_t slot = 0; slot < PLM_LABEL_SLOTS; slot++) {
        if (!plm_batch_copy(batch, reading->texts[PLM_FIELD_LABEL + slot], &node->labels[slot])) {
            return false;
        }
    }
    return true;
}

/// Says, in `reason`, why what is well-formed is no usable Node. False where it is one.
static bool is_no_node(const plm_reading *reading, const plm_limits *limits, char *reason,
                       size_t size) {
    plm_text kind = reading->texts[PLM_FIELD_KIND];
    plm_text name = reading->texts[PLM_FIELD_NAME];
    if (kind.bytes != NULL && !plm_text_is(kind, "Node")) {
        snprintf(reason, size, "expected a Node, got a %.*s",
                 kind.length > 60 ? 60 : (int)kind.length, kind.bytes);
    } else if (name.length == 0) {
        snprintf(reason, size, "metadata.name is missing");
    } else if (name.length > limits->max_node_name_bytes) {
        snprintf(reason, size,
                 "metadata.name has %zu bytes, over the limit of %zu (max_node_name_bytes)",
                 name.length, limits->max_node_name_bytes);
    } else {
        return false;
    }
    return true;
}

plm_commit_result plm_commit_reading(plm_batch_builder *batch, plm_client *client,
                                     plm_reading *reading, plm_event_kind kind) {
    plm_projected *values = &reading->values;
    plm_node node = {
        .ready = values->ready,
        .disk_pressure = values->disk_pressure,
        .unschedulable = values->unschedulable,
        .has_images = values->has_images,
        .image_count = values->image_count,
    };
    uint32_t *ids = plm_arena_allocate(batch->allocator, &batch->arena,
                                       (values->image_count + 1) * sizeof *ids);
    if (ids == NULL || !copy_texts(batch, reading, &node)) {
        return PLM_COMMIT_NO_MEMORY;
    }
    for (size_t index = 0; index < values->image_count; index++) {
        plm_raw_image *image = &values->images[index];
        if (!image->has_id) {
            plm_commit_result interned = intern_image(batch, client, values, image);
            if (interned != PLM_COMMIT_OK) {
                return interned;
            }
        }
        ids[index] = image->id;
        node.image_bytes_overflow |=
            __builtin_add_overflow(node.image_bytes, image->size_bytes, &node.image_bytes);
    }
    if (node.image_bytes_overflow) {
        node.image_bytes = 0;
    }
    node.image_ids = ids;
    node.fingerprint = fingerprint(client->images.seed, &node);
    plm_event *event = plm_batch_add(batch, kind);
    if (event == NULL) {
        return PLM_COMMIT_NO_MEMORY;
    }
    event->node = node;
    return PLM_COMMIT_OK;
}

plm_commit_result plm_commit_node(plm_batch_builder *batch, plm_client *client,
                                  plm_reading *reading, plm_event_kind kind) {
    char reason[160];
    if (reading->rejection != NULL) {
        return plm_commit_rejection(batch, reading);
    }
    return is_no_node(reading, &client->limits, reason, sizeof reason)
               ? reject(batch, reading, reason)
               : plm_commit_reading(batch, client, reading, kind);
}

// MARK: Objects of any kind

plm_commit_result plm_commit_object(plm_batch_builder *batch, const plm_reading *reading,
                                    plm_text json, plm_event_kind kind) {
    if (reading->rejection != NULL) {
        return plm_commit_rejection(batch, reading);
    }
    if (reading->texts[PLM_FIELD_NAME].length == 0) {
        return reject(batch, reading, "metadata.name is missing");
    }
    plm_object object = {.json = {NULL, 0}};
    const struct {
        plm_text text;
        plm_text *target;
    } texts[] = {
        {reading->texts[PLM_FIELD_NAME], &object.name},
        {reading->texts[PLM_FIELD_NAMESPACE], &object.namespace_name},
        {reading->texts[PLM_FIELD_UID], &object.uid},
        {reading->texts[PLM_FIELD_RESOURCE_VERSION], &object.resource_version},
        {json, &object.json},
    };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
        if (!plm_batch_copy(batch, texts[index].text, texts[index].target)) {
            return PLM_COMMIT_NO_MEMORY;
        }
    }
    plm_event *event = plm_batch_add(batch, kind);
    if (event == NULL) {
        return PLM_COMMIT_NO_MEMORY;
    }
    event->object = object;
    return PLM_COMMIT_OK;
}

// MARK: Everything else

plm_commit_result plm_commit_skipped(plm_batch_builder *batch, const plm_reading *reading) {
    plm_event *event = plm_batch_add(batch, PLM_EVENT_SKIPPED);
    return event != NULL && plm_batch_copy(batch, reading->texts[PLM_FIELD_RESOURCE_VERSION],
                                           &event->skipped_version)
               ? PLM_COMMIT_OK
               : PLM_COMMIT_NO_MEMORY;
}

plm_commit_result plm_commit_bookmark(plm_batch_builder *batch, const plm_reading *reading) {
    plm_text version = reading->texts[PLM_FIELD_RESOURCE_VERSION];
    if (version.length == 0) {
        return reject(batch, reading,
                      reading->rejection != NULL ? reading->rejection
                                                 : "a bookmark without metadata.resourceVersion");
    }
    plm_event *event = plm_batch_add(batch, PLM_EVENT_BOOKMARK);
    if (event == NULL || !plm_batch_copy(batch, version, &event->bookmark.resource_version)) {
        return PLM_COMMIT_NO_MEMORY;
    }
    event->bookmark.initial_events_end =
        plm_text_is(reading->texts[PLM_FIELD_INITIAL_EVENTS_END], "true");
    return PLM_COMMIT_OK;
}

plm_commit_result plm_commit_status(plm_batch_builder *batch, const plm_reading *reading,
                                    bool in_stream) {
    plm_event *event = plm_batch_add(batch, PLM_EVENT_STATUS);
    if (event == NULL) {
        return PLM_COMMIT_NO_MEMORY;
    }
    plm_status *status = &event->status;
    status->code = reading->values.code > INT32_MAX ? 0 : (int32_t)reading->values.code;
    status->retry_after_seconds = reading->values.retry_after_seconds;
    status->in_stream = in_stream;
    const struct {
        plm_field field;
        plm_text *target;
    } texts[] = {
        {PLM_FIELD_REASON, &status->reason},     {PLM_FIELD_MESSAGE, &status->message},
        {PLM_FIELD_DETAILS_NAME, &status->name}, {PLM_FIELD_DETAILS_KIND, &status->kind},
        {PLM_FIELD_CAUSE, &status->cause},       {PLM_FIELD_CONTINUE, &status->continue_token},
    };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
        if (!plm_batch_copy(batch, reading->texts[texts[index].field], texts[index].target)) {
            return PLM_COMMIT_NO_MEMORY;
        }
    }
    return PLM_COMMIT_OK;
}

plm_commit_result plm_commit_list(plm_batch_builder *batch, const plm_reading *reading) {
    plm_event *event = plm_batch_add(batch, PLM_EVENT_LIST);
    if (event == NULL) {
        return PLM_COMMIT_NO_MEMORY;
    }
    event->list.remaining_item_count = reading->values.remaining_item_count;
    return plm_batch_copy(batch, reading->texts[PLM_FIELD_RESOURCE_VERSION],
                          &event->list.resource_version) &&
                   plm_batch_copy(batch, reading->texts[PLM_FIELD_CONTINUE],
                                  &event->list.continue_token)
               ? PLM_COMMIT_OK
               : PLM_COMMIT_NO_MEMORY;
}

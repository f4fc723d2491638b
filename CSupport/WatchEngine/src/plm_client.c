#include "plm_client.h"

static size_t or_default(size_t value, size_t fallback) {
    return value != 0 ? value : fallback;
}

static plm_limits effective(const plm_limits *given) {
    return (plm_limits){
        .max_object_bytes = or_default(given->max_object_bytes, PLM_DEFAULT_MAX_OBJECT_BYTES),
        .max_node_name_bytes =
            or_default(given->max_node_name_bytes, PLM_DEFAULT_MAX_NODE_NAME_BYTES),
        .max_image_name_bytes =
            or_default(given->max_image_name_bytes, PLM_DEFAULT_MAX_IMAGE_NAME_BYTES),
        .max_images_per_node =
            or_default(given->max_images_per_node, PLM_DEFAULT_MAX_IMAGES_PER_NODE),
        .max_images = or_default(given->max_images, PLM_DEFAULT_MAX_IMAGES),
        .max_body_bytes = or_default(given->max_body_bytes, PLM_DEFAULT_MAX_BODY_BYTES),
    };
}

plm_client *plm_client_create(const plm_client_options *options) {
    const plm_allocator *allocator =
        options->allocator != NULL ? options->allocator : &plm_default_allocator;
    plm_client *client = plm_allocate(allocator, sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    *client = (plm_client){.allocator = *allocator, .limits = effective(&options->limits)};
    if (!plm_image_table_init(&client->images, &client->allocator, client->limits.max_images)) {
        plm_client_destroy(client);
        return NULL;
    }
    return client;
}

void plm_client_destroy(plm_client *client) {
    if (client == NULL) {
        return;
    }
    if (client->images.slots != NULL) {
        plm_image_table_free(&client->images);
    }
    plm_allocator allocator = client->allocator;
    plm_deallocate(&allocator, client);
}

void plm_client_retire_images(plm_client *client, const uint32_t *ids, size_t count) {
    for (size_t index = 0; index < count; index++) {
        plm_image_table_retire(&client->images, ids[index]);
    }
}

size_t plm_client_image_count(const plm_client *client) {
    return client->images.entry_count;
}

#include "plm_client.h"

#include <pthread.h>
#include <string.h>

#define DEFAULT_CONNECT_TIMEOUT_MS 30000
#define DEFAULT_DEAD_PEER_TIMEOUT_MS 30000
#define DEFAULT_USER_AGENT "plimsoll"

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

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void initialize_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool copy_string(const plm_allocator *allocator, const char *text, char **copy) {
    *copy = plm_copy_bytes(allocator, text, strlen(text));
    return *copy != NULL;
}

static bool set_up_transfer(plm_client *client, const plm_client_options *options) {
    const plm_allocator *allocator = &client->allocator;
    pthread_once(&curl_once, initialize_curl);
    client->insecure_skip_verify = options->insecure_skip_verify;
    client->connect_timeout_ms =
        options->connect_timeout_ms > 0 ? options->connect_timeout_ms : DEFAULT_CONNECT_TIMEOUT_MS;
    client->dead_peer_timeout_ms = options->dead_peer_timeout_ms > 0 ? options->dead_peer_timeout_ms
                                                                     : DEFAULT_DEAD_PEER_TIMEOUT_MS;
    client->multi = curl_multi_init();
    client->share = curl_share_init();
    return client->multi != NULL && client->share != NULL &&
           curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
               CURLSHE_OK &&
           copy_string(allocator, options->base_url, &client->base_url) &&
           copy_string(allocator,
                       options->user_agent != NULL ? options->user_agent : DEFAULT_USER_AGENT,
                       &client->user_agent) &&
           plm_buffer_append(allocator, &client->ca_pem, options->ca_pem.bytes,
                             options->ca_pem.length) &&
           plm_buffer_append(allocator, &client->client_certificate_pem,
                             options->client_certificate_pem.bytes,
                             options->client_certificate_pem.length) &&
           plm_buffer_append(allocator, &client->client_key_pem, options->client_key_pem.bytes,
                             options->client_key_pem.length);
}

plm_client *plm_client_create(const plm_client_options *options) {
    const plm_allocator *allocator =
        options->allocator != NULL ? options->allocator : &plm_default_allocator;
    plm_client *client = plm_allocate(allocator, sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    *client = (plm_client){.allocator = *allocator, .limits = effective(&options->limits)};
    if (!plm_image_table_init(&client->images, &client->allocator, client->limits.max_images) ||
        (options->base_url != NULL && !set_up_transfer(client, options))) {
        plm_client_destroy(client);
        return NULL;
    }
    return client;
}

/// Frees what holds a private key after wiping it.
static void free_secret(const plm_allocator *allocator, plm_buffer *secret) {
    if (secret->bytes != NULL) {
        explicit_bzero(secret->bytes, secret->capacity);
    }
    plm_buffer_free(allocator, secret);
}

void plm_client_destroy(plm_client *client) {
    if (client == NULL) {
        return;
    }
    plm_allocator allocator = client->allocator;
    if (client->multi != NULL) {
        curl_multi_cleanup(client->multi);
    }
    if (client->share != NULL) {
        curl_share_cleanup(client->share);
    }
    if (client->images.slots != NULL) {
        plm_image_table_free(&client->images);
    }
    plm_deallocate(&allocator, client->base_url);
    plm_deallocate(&allocator, client->user_agent);
    plm_buffer_free(&allocator, &client->ca_pem);
    plm_buffer_free(&allocator, &client->client_certificate_pem);
    free_secret(&allocator, &client->client_key_pem);
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

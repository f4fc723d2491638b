#include "plm_client.h"

#include <pthread.h>
#include <stdio.h>
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

static bool append_line(struct curl_slist **list, const char *line) {
    struct curl_slist *grown = curl_slist_append(*list, line);
    *list = grown != NULL ? grown : *list;
    return grown != NULL;
}

/// libcurl asks for, and checks, the certificate of the URL's host. So the URL gets the wanted
/// name, and the connection is led to the real host, which also stands in the Host header.
static bool set_tls_server_name(plm_client *client, const char *base_url, const char *name) {
    CURLU *url = curl_url();
    char *host = NULL;
    char *port = NULL;
    char *text = NULL;
    char line[1024];
    bool done = url != NULL && curl_url_set(url, CURLUPART_URL, base_url, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (done) {
        bool is_plain_v6 = strchr(name, ':') != NULL && name[0] != '[';
        char target[300];
        snprintf(target, sizeof target, is_plain_v6 ? "[%s]" : "%s", name);
        snprintf(line, sizeof line, "%s:%s:%s:%s", target, port, host, port);
        done = curl_url_set(url, CURLUPART_HOST, target, 0) == CURLUE_OK &&
               append_line(&client->connect_to, line) &&
               curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK;
        snprintf(line, sizeof line, "Host: %s:%s", host, port);
        done = done && append_line(&client->header_lines, line);
    }
    if (done) {
        size_t length = strlen(text);
        if (length > 0 && text[length - 1] == '/') {
            text[length - 1] = '\0';
        }
        done = copy_string(&client->allocator, text, &client->base_url);
    }
    curl_free(text);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return done;
}

static bool copy_header_lines(plm_client *client, const plm_client_options *options) {
    for (size_t index = 0; index < options->header_line_count; index++) {
        const plm_text *text = &options->header_lines[index];
        char *line = plm_copy_bytes(&client->allocator, text->bytes, text->length);
        bool done = line != NULL && append_line(&client->header_lines, line);
        plm_deallocate(&client->allocator, line);
        if (!done) {
            return false;
        }
    }
    return true;
}

static bool set_address(plm_client *client, const plm_client_options *options) {
    if (options->proxy_url != NULL &&
        !copy_string(&client->allocator, options->proxy_url, &client->proxy_url)) {
        return false;
    }
    // A URL that cannot be parsed is kept as it is: the first stream will say so.
    if (options->tls_server_name != NULL &&
        set_tls_server_name(client, options->base_url, options->tls_server_name)) {
        return true;
    }
    return copy_string(&client->allocator, options->base_url, &client->base_url);
}

static bool set_up_transfer(plm_client *client, const plm_client_options *options) {
    const plm_allocator *allocator = &client->allocator;
    pthread_once(&curl_once, initialize_curl);
    client->insecure_skip_verify = options->insecure_skip_verify;
    client->connect_timeout_ms =
        options->connect_timeout_ms > 0 ? options->connect_timeout_ms : DEFAULT_CONNECT_TIMEOUT_MS;
    client->dead_peer_timeout_ms = options->dead_peer_timeout_ms > 0 ? options->dead_peer_timeout_ms
                                                                     : DEFAULT_DEAD_PEER_TIMEOUT_MS;
    client->max_connection_age_seconds = options->max_connection_age_seconds;
    client->speaks_http2 = options->speaks_http2;
    client->multi = curl_multi_init();
    client->share = curl_share_init();
    return client->multi != NULL && client->share != NULL &&
           curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
               CURLSHE_OK &&
           set_address(client, options) && copy_header_lines(client, options) &&
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
    *client = (plm_client){
        .allocator = *allocator,
        .limits = effective(&options->limits),
        .socket = CURL_SOCKET_BAD,
    };
    plm_raw_cache_init(&client->raw_images, &client->allocator);
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
    plm_raw_cache_free(&client->raw_images);
    curl_slist_free_all(client->connect_to);
    curl_slist_free_all(client->header_lines);
    plm_deallocate(&allocator, client->proxy_url);
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

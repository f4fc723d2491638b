// Fuzzes the reader of HTTP responses: whatever the bytes are and however they are cut, it must
// neither crash nor leak, and must say the same as when it is fed the whole at once. Run by `make
// fuzz`.

#include "digest.h"
#include "plm_http.h"

typedef struct outcome {
    uint64_t value;
    size_t body_bytes;
} outcome;

static outcome read_response(const uint8_t *bytes, size_t count, size_t chunk) {
    plm_client_options options = {.limits = {.max_body_bytes = 64 * 1024}};
    plm_client *client = plm_client_create(&options);
    plm_response *response = plm_response_create(client, NULL);
    plm_http http;
    plm_http_init(&http, response);
    for (size_t at = 0; at < count && !response->is_over; at += chunk) {
        size_t size = count - at < chunk ? count - at : chunk;
        // A copy of its own, so that a read beyond it is found.
        char *copy = malloc(size);
        memcpy(copy, bytes + at, size);
        bool goes_on = plm_http_take(&http, copy, size);
        free(copy);
        if (goes_on == response->is_over) {
            abort();
        }
    }
    if (!response->is_over) {
        plm_http_close(&http);
    }
    digest digest = {.value = 0xcbf29ce484222325u};
    plm_batch batch;
    plm_response_deliver(response, &batch);
    for (size_t index = 0; index < batch.count; index++) {
        const plm_event *event = &batch.events[index];
        add_bytes(&digest, &event->kind, sizeof event->kind);
        if (event->kind == PLM_EVENT_HEAD) {
            add_bytes(&digest, &event->head.status, sizeof event->head.status);
            add_bytes(&digest, &event->head.retry_after_seconds,
                      sizeof event->head.retry_after_seconds);
            add_text(&digest, event->head.content_type);
        } else if (event->kind == PLM_EVENT_FAILURE) {
            add_text(&digest, event->failure.message);
        }
    }
    if (batch.count == 0 || !batch.done) {
        abort();
    }
    add_bytes(&digest, response->body.bytes, response->body.length);
    outcome outcome = {digest.value, response->body.length};
    plm_http_free(&http);
    plm_response_destroy(response);
    plm_client_destroy(client);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    outcome whole = read_response(data + 1, size - 1, size);
    outcome pieces = read_response(data + 1, size - 1, data[0] % 64 + 1);
    if (whole.value != pieces.value || whole.body_bytes != pieces.body_bytes) {
        fprintf(stderr, "%zu bytes of body at once, %zu in pieces\n", whole.body_bytes,
                pieces.body_bytes);
        abort();
    }
    return 0;
}

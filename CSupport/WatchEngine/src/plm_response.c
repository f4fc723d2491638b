#include "plm_response.h"

#include <stdio.h>
#include <string.h>

#include "plm_decoder.h"

// MARK: Life

bool plm_response_init(plm_response *self, plm_client *client, const plm_projection *projection) {
    *self = (plm_response){.client = client, .retry_after_seconds = -1};
    self->decoder = projection == NULL ? NULL : plm_decoder_create(client, projection);
    return plm_batch_init(&self->batch, &client->allocator) &&
           (projection == NULL || self->decoder != NULL);
}

void plm_response_free(plm_response *self) {
    const plm_allocator *allocator = &self->client->allocator;
    plm_decoder_destroy(self->decoder);
    plm_buffer_free(allocator, &self->body);
    plm_buffer_free(allocator, &self->raw);
    plm_batch_free(&self->batch);
}

// MARK: Batches

void plm_response_begin(plm_response *self) {
    if (self->is_delivered) {
        plm_batch_begin(&self->batch);
        self->raw.length = 0;
        self->is_delivered = false;
    }
}

void plm_response_deliver(plm_response *self, plm_batch *batch) {
    self->is_delivered = true;
    *batch = (plm_batch){
        .events = self->batch.events,
        .count = self->batch.count,
        .body_bytes = self->body_bytes,
        .raw = {self->raw.bytes, self->raw.length},
        .done = self->is_over,
    };
}

plm_failure *plm_response_add_failure(plm_response *self, plm_failure_kind kind,
                                      const char *message) {
    plm_failure *failure = plm_batch_fail(&self->batch, kind, "%s", message);
    failure->http_status = self->status;
    failure->byte_offset = self->body_bytes;
    self->is_over = true;
    return failure;
}

// MARK: Head

bool plm_response_is_success(const plm_response *self) {
    return self->status >= 200 && self->status < 300;
}

/// The wire format by Content-Type; automatic where that is missing or of neither.
static plm_wire_format wire_format(const plm_response *self) {
    if (strstr(self->content_type, "json") != NULL) {
        return PLM_WIRE_JSON;
    }
    return strstr(self->content_type, "vnd.kubernetes.protobuf") != NULL ? PLM_WIRE_PROTOBUF
                                                                         : PLM_WIRE_AUTOMATIC;
}

void plm_response_begin_head(plm_response *self, int32_t status) {
    self->status = status;
    self->retry_after_seconds = -1;
    self->content_type[0] = '\0';
}

void plm_response_set_content_type(plm_response *self, const char *type, size_t count) {
    snprintf(self->content_type, sizeof self->content_type, "%.*s", (int)count,
             type == NULL ? "" : type);
}

bool plm_response_finish_head(plm_response *self, int32_t http_version) {
    plm_event *event = plm_batch_add(&self->batch, PLM_EVENT_HEAD);
    plm_text type = {self->content_type, strlen(self->content_type)};
    if (event != NULL && plm_batch_copy(&self->batch, type, &type)) {
        event->head = (plm_head){
            .status = self->status,
            .http_version = http_version,
            .content_type = type,
            .retry_after_seconds = self->retry_after_seconds,
        };
        self->has_head = true;
        return true;
    }
    plm_response_add_failure(self, PLM_FAILURE_MEMORY, "out of memory");
    return false;
}

// MARK: Body

static bool collect(plm_response *self, const char *bytes, size_t count) {
    bool is_error = !plm_response_is_success(self);
    size_t limit = is_error ? PLM_MAX_ERROR_BODY_BYTES : self->client->limits.max_body_bytes;
    size_t room = limit - self->body.length;
    if (count > room) {
        if (is_error) {
            // The beginning of an error is enough.
            count = room;
        } else {
            char message[96];
            snprintf(message, sizeof message, "a response of more than %zu bytes (max_body_bytes)",
                     limit);
            plm_response_add_failure(self, PLM_FAILURE_LIMIT, message);
            return false;
        }
    }
    if (!plm_buffer_append(&self->client->allocator, &self->body, bytes, count)) {
        plm_response_add_failure(self, PLM_FAILURE_MEMORY, "out of memory");
        return false;
    }
    return true;
}

static bool decode(plm_response *self, const char *bytes, size_t count) {
    if (self->body_bytes == 0) {
        plm_wire_format format = wire_format(self);
        if (format == PLM_WIRE_AUTOMATIC && self->content_type[0] != '\0') {
            char message[80 + sizeof self->content_type];
            snprintf(
                message, sizeof message,
                "not a kube-apiserver's answer: expected JSON or protobuf, got Content-Type %s",
                self->content_type);
            plm_response_add_failure(self, PLM_FAILURE_CONTENT_TYPE, message);
            return false;
        }
        plm_decoder_set_format(self->decoder, format);
    }
    if (!plm_decoder_decode(self->decoder, bytes, count, &self->batch)) {
        self->batch.events[self->batch.count - 1].failure.http_status = self->status;
        self->is_over = true;
        return false;
    }
    return true;
}

bool plm_response_take(plm_response *self, const char *bytes, size_t count) {
    if (self->keeps_raw && !plm_buffer_append(&self->client->allocator, &self->raw, bytes, count)) {
        plm_response_add_failure(self, PLM_FAILURE_MEMORY, "out of memory");
        return false;
    }
    bool is_decoded = self->decoder != NULL && plm_response_is_success(self);
    bool goes_on = is_decoded ? decode(self, bytes, count) : collect(self, bytes, count);
    self->body_bytes += count;
    return goes_on;
}

// MARK: End

/// An error response: its Status, or what can be said of a body that holds none.
static bool add_error_status(plm_response *self) {
    const plm_projection nothing = {.wire_format = wire_format(self)};
    plm_decoder *decoder = plm_decoder_create(self->client, &nothing);
    if (decoder == NULL) {
        return false;
    }
    size_t first = self->batch.count;
    plm_decoder_decode(decoder, self->body.bytes == NULL ? "" : self->body.bytes, self->body.length,
                       &self->batch);
    plm_decoder_destroy(decoder);
    if (self->batch.count != first + 1 || self->batch.events[first].kind != PLM_EVENT_STATUS) {
        self->batch.count = first;
        plm_event *event = plm_batch_add(&self->batch, PLM_EVENT_STATUS);
        if (event == NULL) {
            return false;
        }
        char message[96];
        snprintf(message, sizeof message, "HTTP %d without a Status of Kubernetes%s%.40s",
                 (int)self->status, self->content_type[0] != '\0' ? ", but with " : "",
                 self->content_type);
        event->status.retry_after_seconds = -1;
        if (!plm_batch_copy(&self->batch, (plm_text){message, strlen(message)},
                            &event->status.message)) {
            return false;
        }
    }
    plm_status *status = &self->batch.events[self->batch.count - 1].status;
    if (status->code == 0) {
        status->code = self->status;
    }
    if (status->retry_after_seconds < 0) {
        status->retry_after_seconds = self->retry_after_seconds;
    }
    return true;
}

void plm_response_finish(plm_response *self) {
    if (!plm_response_is_success(self)) {
        if (!add_error_status(self)) {
            plm_response_add_failure(self, PLM_FAILURE_MEMORY, "out of memory");
            return;
        }
    } else if (self->decoder != NULL) {
        if (!plm_decoder_end(self->decoder, &self->batch)) {
            self->batch.events[self->batch.count - 1].failure.http_status = self->status;
        }
        self->is_over = true;
        return;
    }
    if (plm_batch_add(&self->batch, PLM_EVENT_END) == NULL) {
        plm_response_add_failure(self, PLM_FAILURE_MEMORY, "out of memory");
    }
    self->is_over = true;
}

// MARK: By hand

plm_response *plm_response_create(plm_client *client, const plm_projection *projection) {
    plm_response *self = plm_allocate(&client->allocator, sizeof *self);
    if (self != NULL && !plm_response_init(self, client, projection)) {
        plm_response_destroy(self);
        return NULL;
    }
    return self;
}

void plm_response_destroy(plm_response *self) {
    if (self != NULL) {
        const plm_allocator *allocator = &self->client->allocator;
        plm_response_free(self);
        plm_deallocate(allocator, self);
    }
}

void plm_response_head(plm_response *self, const plm_head *head, plm_batch *batch) {
    plm_response_begin(self);
    if (!self->is_over) {
        plm_response_begin_head(self, head->status);
        plm_response_set_content_type(self, head->content_type.bytes, head->content_type.length);
        self->retry_after_seconds = head->retry_after_seconds;
        plm_response_finish_head(self, head->http_version);
    }
    plm_response_deliver(self, batch);
}

void plm_response_feed(plm_response *self, const char *bytes, size_t count, plm_batch *batch) {
    plm_response_begin(self);
    if (!self->is_over) {
        plm_response_take(self, bytes, count);
    }
    plm_response_deliver(self, batch);
}

void plm_response_end(plm_response *self, plm_batch *batch) {
    plm_response_begin(self);
    if (!self->is_over) {
        plm_response_finish(self);
    }
    plm_response_deliver(self, batch);
}

void plm_response_fail(plm_response *self, plm_failure_kind kind, const char *message,
                       plm_batch *batch) {
    plm_response_begin(self);
    if (!self->is_over) {
        plm_response_add_failure(self, kind, message);
    }
    plm_response_deliver(self, batch);
}

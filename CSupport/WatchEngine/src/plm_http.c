#include "plm_http.h"

#include <string.h>
#include <strings.h>

/// Of one line, and of heads and trailer together. API servers send a few hundred bytes.
#define MAX_LINE_BYTES (64u * 1024)
#define MAX_HEAD_BYTES (256u * 1024)

void plm_http_init(plm_http *self, plm_response *response) {
    *self = (plm_http){.response = response, .left = -1};
}

void plm_http_free(plm_http *self) {
    if (self->response != NULL) {
        plm_buffer_free(&self->response->client->allocator, &self->line);
    }
}

static bool fail(plm_http *self, plm_failure_kind kind, const char *message) {
    plm_response_add_failure(self->response, kind, message);
    return false;
}

static bool fail_syntax(plm_http *self) {
    return fail(self, PLM_FAILURE_TRANSPORT, "what came is no HTTP/1.1 response");
}

// MARK: Fields

const char *plm_http_value(const char *line, size_t count, const char *name, size_t *length) {
    size_t name_length = strlen(name);
    if (count <= name_length || line[name_length] != ':' ||
        strncasecmp(line, name, name_length) != 0) {
        return NULL;
    }
    const char *value = line + name_length + 1;
    const char *end = line + count;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ')) {
        end--;
    }
    *length = (size_t)(end - value);
    return value;
}

/// -1: it is none, or of more digits than `most`, 18 at most.
static int64_t whole_number(const char *text, size_t count, size_t most) {
    int64_t number = 0;
    if (count == 0 || count > most) {
        return -1;
    }
    for (size_t at = 0; at < count; at++) {
        if (text[at] < '0' || text[at] > '9') {
            return -1;
        }
        number = number * 10 + (text[at] - '0');
    }
    return number;
}

void plm_http_take_field(plm_response *response, const char *line, size_t count) {
    size_t length;
    const char *value;
    if ((value = plm_http_value(line, count, "Content-Type", &length)) != NULL) {
        plm_response_set_content_type(response, value, length);
    } else if ((value = plm_http_value(line, count, "Retry-After", &length)) != NULL) {
        response->retry_after_seconds = whole_number(value, length, 9);
    }
}

// MARK: Head

/// "HTTP/1.1 200 OK"
static bool take_status_line(plm_http *self, const char *line, size_t count) {
    if (count < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' ||
        (count > 12 && line[12] != ' ')) {
        return fail_syntax(self);
    }
    int64_t status = whole_number(line + 9, 3, 3);
    if (status < 100) {
        return fail_syntax(self);
    }
    plm_response_begin_head(self->response, (int32_t)status);
    self->has_status = true;
    self->is_chunked = false;
    self->left = -1;
    return true;
}

static bool take_field(plm_http *self, const char *line, size_t count) {
    size_t length;
    const char *value;
    plm_http_take_field(self->response, line, count);
    if ((value = plm_http_value(line, count, "Transfer-Encoding", &length)) != NULL) {
        if (length != 7 || strncasecmp(value, "chunked", 7) != 0) {
            return fail(self, PLM_FAILURE_TRANSPORT,
                        "the response has a Transfer-Encoding other than chunked");
        }
        self->is_chunked = true;
    } else if ((value = plm_http_value(line, count, "Content-Length", &length)) != NULL) {
        self->left = whole_number(value, length, 18);
        if (self->left < 0) {
            return fail(self, PLM_FAILURE_TRANSPORT, "the response has no sound Content-Length");
        }
    } else if ((value = plm_http_value(line, count, "Content-Encoding", &length)) != NULL &&
               (length != 8 || strncasecmp(value, "identity", 8) != 0)) {
        return fail(self, PLM_FAILURE_TRANSPORT,
                    "the response has a Content-Encoding that was not asked for");
    }
    return true;
}

/// The body is over. Always false.
static bool finish(plm_http *self) {
    plm_response_finish(self->response);
    return false;
}

static bool finish_head(plm_http *self) {
    int32_t status = self->response->status;
    self->has_status = false;
    if (status < 200) {
        // For information; the response follows.
        return status == 101 ? fail_syntax(self) : true;
    }
    if (!plm_response_finish_head(self->response, 1)) {
        return false;
    }
    if (status == 204 || status == 304 || (self->left == 0 && !self->is_chunked)) {
        return finish(self);
    }
    self->state = self->is_chunked ? PLM_HTTP_CHUNK_SIZE : PLM_HTTP_BODY;
    return true;
}

static int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// "1a2b;extension"
static bool take_chunk_size(plm_http *self, const char *line, size_t count) {
    int64_t size = 0;
    size_t at = 0;
    for (; at < count && hex_digit(line[at]) >= 0; at++) {
        if (at == 15) {
            return fail_syntax(self);
        }
        size = size * 16 + hex_digit(line[at]);
    }
    if (at == 0 || (at < count && line[at] != ';' && line[at] != ' ' && line[at] != '\t')) {
        return fail_syntax(self);
    }
    self->left = size;
    self->state = size > 0 ? PLM_HTTP_CHUNK : PLM_HTTP_TRAILER;
    return true;
}

/// A line without its end.
static bool take_line(plm_http *self, const char *line, size_t count) {
    switch (self->state) {
    case PLM_HTTP_LINE:
        if (!self->has_status) {
            return take_status_line(self, line, count);
        }
        return count == 0 ? finish_head(self) : take_field(self, line, count);
    case PLM_HTTP_CHUNK_SIZE: return take_chunk_size(self, line, count);
    case PLM_HTTP_CHUNK_END:
        self->state = PLM_HTTP_CHUNK_SIZE;
        return count == 0 ? true : fail_syntax(self);
    case PLM_HTTP_TRAILER: return count == 0 ? finish(self) : true;
    case PLM_HTTP_BODY:
    case PLM_HTTP_CHUNK: break;
    }
    return fail_syntax(self);
}

// MARK: Bytes

/// Takes the rest of a line, or all there is. Returns how much; 0 after a failure or at the end.
static size_t take_of_line(plm_http *self, const char *bytes, size_t count) {
    const plm_allocator *allocator = &self->response->client->allocator;
    const char *end = memchr(bytes, '\n', count);
    size_t taken = end == NULL ? count : (size_t)(end - bytes) + 1;
    bool is_head = self->state == PLM_HTTP_LINE || self->state == PLM_HTTP_TRAILER;
    self->head_bytes += is_head ? taken : 0;
    if (self->line.length + taken > MAX_LINE_BYTES || self->head_bytes > MAX_HEAD_BYTES) {
        fail(self, PLM_FAILURE_TRANSPORT, "the response has a head or a trailer without an end");
        return 0;
    }
    if (end == NULL || self->line.length > 0) {
        if (!plm_buffer_append(allocator, &self->line, bytes, taken)) {
            fail(self, PLM_FAILURE_MEMORY, "out of memory");
            return 0;
        }
        if (end == NULL) {
            return taken;
        }
        bytes = self->line.bytes;
        count = self->line.length;
    } else {
        count = taken;
    }
    count -= 1;
    if (count > 0 && bytes[count - 1] == '\r') {
        count -= 1;
    }
    bool goes_on = take_line(self, bytes, count);
    self->line.length = 0;
    return goes_on ? taken : 0;
}

/// Takes what there is of the body or the chunk. 0 after a failure or at the end.
static size_t take_of_body(plm_http *self, const char *bytes, size_t count) {
    if (self->left >= 0 && (int64_t)count > self->left) {
        count = (size_t)self->left;
    }
    if (!plm_response_take(self->response, bytes, count)) {
        return 0;
    }
    if (self->left < 0) {
        return count;
    }
    self->left -= (int64_t)count;
    if (self->left == 0 && self->state == PLM_HTTP_BODY) {
        finish(self);
        return 0;
    }
    if (self->left == 0) {
        self->state = PLM_HTTP_CHUNK_END;
    }
    return count;
}

bool plm_http_take(plm_http *self, const char *bytes, size_t count) {
    while (count > 0) {
        bool is_body = self->state == PLM_HTTP_BODY || self->state == PLM_HTTP_CHUNK;
        size_t taken =
            is_body ? take_of_body(self, bytes, count) : take_of_line(self, bytes, count);
        if (taken == 0) {
            return false;
        }
        bytes += taken;
        count -= taken;
    }
    return true;
}

void plm_http_close(plm_http *self) {
    if (self->state == PLM_HTTP_BODY && self->left < 0) {
        finish(self);
    } else if (!self->response->has_head) {
        fail(self, PLM_FAILURE_TRANSPORT, "the server closed the connection without an answer");
    } else {
        fail(self, PLM_FAILURE_TRANSPORT,
             "the server closed the connection in the middle of its answer");
    }
}

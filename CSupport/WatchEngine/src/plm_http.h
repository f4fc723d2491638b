#pragma once

// HTTP/1.1 as it comes from a connection that has one request: the bytes of one response, cut
// anywhere, become its head and body. RFC 9112.

#include "plm_response.h"

typedef enum plm_http_state {
    PLM_HTTP_LINE,
    PLM_HTTP_BODY,
    PLM_HTTP_CHUNK_SIZE,
    PLM_HTTP_CHUNK,
    PLM_HTTP_CHUNK_END,
    PLM_HTTP_TRAILER,
} plm_http_state;

typedef struct plm_http {
    plm_response *response;
    plm_http_state state;
    /// A line that has not come whole.
    plm_buffer line;
    /// Of heads and trailer, so far.
    size_t head_bytes;
    bool has_status;
    bool is_chunked;
    /// Of the body or the chunk: bytes that are still to come. -1: until the connection ends.
    int64_t left;
} plm_http;

void plm_http_init(plm_http *http, plm_response *response);
void plm_http_free(plm_http *http);

/// Takes bytes. False when the response is over, be it with a failure.
bool plm_http_take(plm_http *http, const char *bytes, size_t count);

/// The connection has ended, in good order.
void plm_http_close(plm_http *http);

/// A field's value, when the line has that name; else NULL.
const char *plm_http_value(const char *line, size_t count, const char *name, size_t *length);

/// Takes a line of a head into the response, but for the status line. Empty lines are of no
/// interest.
void plm_http_take_field(plm_response *response, const char *line, size_t count);

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "plm_canceller.h"
#include "plm_connection.h"
#include "plm_read_ahead.h"
#include "plm_response.h"

#define DEFAULT_RESPONSE_TIMEOUT_MS 60000
/// A token, a certificate's worth of headers: nothing legitimate is longer.
#define MAX_HEADER_BYTES (64u * 1024)

struct plm_stream {
    plm_client *client;
    plm_canceller *canceller;
    CURL *easy;
    struct curl_slist *headers;
    bool is_attached;
    /// libcurl has come to the transfer's end.
    bool is_done;
    char curl_error[CURL_ERROR_SIZE];

    plm_response response;
    /// Where the request has its connection to itself.
    bool has_connection;
    plm_connection connection;

    int32_t window_ms;
    /// What is waited of that: less, down to nothing, where the socket's buffer would fill
    /// meanwhile.
    int32_t wait_ms;
    /// Bytes read since they were last left to gather, and whether there is anything to gather for.
    uint64_t gathered_bytes;
    bool is_gathering;

    int64_t response_deadline_ms;
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// MARK: Failures

static plm_failure_kind failure_kind(const plm_stream *self, CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return PLM_FAILURE_RESOLVE;
    case CURLE_COULDNT_CONNECT: return PLM_FAILURE_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return PLM_FAILURE_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR: {
        // libcurl says the same of a connection that was reset during the handshake.
        long os_error = 0;
        curl_easy_getinfo(self->easy, CURLINFO_OS_ERRNO, &os_error);
        bool was_cut = os_error != 0 || strstr(self->curl_error, "SSL_ERROR_SYSCALL") != NULL ||
                       strstr(self->curl_error, "eset by peer") != NULL;
        return was_cut ? PLM_FAILURE_CONNECT : PLM_FAILURE_TLS;
    }
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH: return PLM_FAILURE_CERTIFICATE;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE: return PLM_FAILURE_CREDENTIALS;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT: return PLM_FAILURE_REQUEST;
    case CURLE_OUT_OF_MEMORY: return PLM_FAILURE_MEMORY;
    default: return PLM_FAILURE_TRANSPORT;
    }
}

static void fail_curl(plm_stream *self, CURLcode code) {
    const char *reason = self->curl_error[0] != '\0' ? self->curl_error : curl_easy_strerror(code);
    plm_failure_kind kind = failure_kind(self, code);
    plm_response_add_failure(&self->response, kind, reason)->curl_code = (int32_t)code;
}

// MARK: What arrives

static size_t on_header(char *line, size_t size, size_t count, void *context) {
    plm_stream *self = context;
    plm_response *response = &self->response;
    count *= size;
    if (count >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        long status = 0;
        curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
        plm_response_begin_head(response, (int32_t)status);
    } else if (count <= 2 && response->status >= 200 && !response->has_head) {
        long version = 0;
        curl_easy_getinfo(self->easy, CURLINFO_HTTP_VERSION, &version);
        return plm_response_finish_head(response, version == CURL_HTTP_VERSION_2_0 ? 2 : 1) ? count
                                                                                            : 0;
    } else {
        plm_http_take_field(response, line, count);
    }
    return count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    plm_stream *self = context;
    count *= size;
    return plm_response_take(&self->response, bytes, count) ? count : 0;
}

static void finish(plm_stream *self, CURLcode code) {
    self->is_done = true;
    if (self->response.is_over) {
        return;
    }
    if (code == CURLE_OK && self->has_connection) {
        plm_connection_open(&self->connection, self->easy);
        return;
    }
    if (code != CURLE_OK) {
        fail_curl(self, code);
    } else {
        plm_response_finish(&self->response);
    }
}

static void fail(plm_stream *self, plm_failure_kind kind, const char *message) {
    plm_response_add_failure(&self->response, kind, message);
}

// MARK: Opening

static bool has_control_bytes(const char *text, size_t count) {
    for (size_t at = 0; at < count; at++) {
        if ((unsigned char)text[at] < ' ' || text[at] == 0x7f) {
            return true;
        }
    }
    return false;
}

/// Adds "NAME: VALUE". False when memory is short or the value cannot be in a header.
static bool add_header(plm_stream *self, const char *name, const char *value, size_t count) {
    if (count > MAX_HEADER_BYTES || has_control_bytes(value, count)) {
        return false;
    }
    const plm_allocator *allocator = &self->client->allocator;
    size_t size = strlen(name) + 2 + count + 1;
    char *line = plm_allocate(allocator, size);
    if (line == NULL) {
        return false;
    }
    snprintf(line, size, "%s: %.*s", name, (int)count, value);
    struct curl_slist *grown = curl_slist_append(self->headers, line);
    explicit_bzero(line, size);
    plm_deallocate(allocator, line);
    if (grown == NULL) {
        return false;
    }
    self->headers = grown;
    return true;
}

static bool add_text_header(plm_stream *self, const char *name, const char *value) {
    return add_header(self, name, value, strlen(value));
}

/// A line as it is; none with control bytes, which would make another header of it.
static bool add_line(plm_stream *self, const char *line, size_t count) {
    if (has_control_bytes(line, count)) {
        return false;
    }
    const plm_allocator *allocator = &self->client->allocator;
    char *copy = plm_allocate(allocator, count + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, line, count);
    copy[count] = '\0';
    struct curl_slist *grown = curl_slist_append(self->headers, copy);
    explicit_bzero(copy, count + 1);
    plm_deallocate(allocator, copy);
    if (grown != NULL) {
        self->headers = grown;
    }
    return grown != NULL;
}

static bool add_headers(plm_stream *self, const plm_request *request) {
    bool done = add_text_header(self, "Accept",
                                request->accept != NULL ? request->accept : "application/json");
    if (done && request->bearer_token.length > 0) {
        plm_buffer value = {NULL, 0, 0};
        const plm_allocator *allocator = &self->client->allocator;
        done = plm_buffer_append(allocator, &value, "Bearer ", 7) &&
               plm_buffer_append(allocator, &value, request->bearer_token.bytes,
                                 request->bearer_token.length) &&
               add_header(self, "Authorization", value.bytes, value.length);
        if (value.bytes != NULL) {
            explicit_bzero(value.bytes, value.capacity);
        }
        plm_buffer_free(allocator, &value);
    }
    if (done && request->content_type != NULL) {
        done = add_text_header(self, "Content-Type", request->content_type);
    }
    const struct curl_slist *line = self->client->header_lines;
    for (; done && line != NULL; line = line->next) {
        done = add_line(self, line->data, strlen(line->data));
    }
    for (size_t index = 0; done && index < request->header_line_count; index++) {
        done =
            add_line(self, request->header_lines[index].bytes, request->header_lines[index].length);
    }
    // No "100-continue": it costs a round trip.
    return done && add_text_header(self, "Expect", "");
}

static int on_socket(void *context, curl_socket_t socket, curlsocktype purpose) {
    plm_client *client = context;
    if (purpose == CURLSOCKTYPE_IPCXN) {
        client->socket = socket;
#if defined(TCP_USER_TIMEOUT)
        unsigned int timeout_ms = (unsigned int)client->dead_peer_timeout_ms;
        setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
#else
#endif
    }
    return CURL_SOCKOPT_OK;
}

static int on_close(void *context, curl_socket_t socket) {
    plm_client *client = context;
    if (client->socket == socket) {
        client->socket = CURL_SOCKET_BAD;
    }
    return close(socket);
}

static void set_blob(CURL *easy, CURLoption option, const plm_buffer *pem) {
    if (pem->length > 0) {
        // The client outlives the stream, so libcurl need not copy.
        struct curl_blob blob = {pem->bytes, pem->length, CURL_BLOB_NOCOPY};
        curl_easy_setopt(easy, option, &blob);
    }
}

static void set_tls_options(plm_stream *self) {
    const plm_client *client = self->client;
    CURL *easy = self->easy;
    if (client->insecure_skip_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
        curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
    } else if (client->ca_pem.length > 0) {
        // An https proxy is held to the same authority, as client-go does.
        set_blob(easy, CURLOPT_CAINFO_BLOB, &client->ca_pem);
        set_blob(easy, CURLOPT_PROXY_CAINFO_BLOB, &client->ca_pem);
        // Else the system's authorities would be trusted besides.
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
    }
    if (client->client_certificate_pem.length > 0) {
        set_blob(easy, CURLOPT_SSLCERT_BLOB, &client->client_certificate_pem);
        set_blob(easy, CURLOPT_SSLKEY_BLOB, &client->client_key_pem);
        curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
        curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
    }
}

static bool set_options(plm_stream *self, const plm_request *request, const char *url) {
    const plm_client *client = self->client;
    CURL *easy = self->easy;
    long probe_seconds = client->dead_peer_timeout_ms / 1000 / 4;
    if (probe_seconds < 1) {
        probe_seconds = 1;
    }
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, self->curl_error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_SHARE, client->share);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     client->speaks_http2 ? (long)CURL_HTTP_VERSION_2TLS
                                          : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)client->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->total_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)client->max_connection_age_seconds);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, probe_seconds);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, probe_seconds);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, client);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, self->client);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, self);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, client->connect_to);
    if (client->proxy_url != NULL) {
        curl_easy_setopt(easy, CURLOPT_PROXY, client->proxy_url);
    }
    set_tls_options(self);
    plm_read_ahead_enable(self->client, easy, self->has_connection);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, self->has_connection ? 1L : 0L);
    if (request->body.length > 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
        if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body.bytes) != CURLE_OK) {
            return false;
        }
    }
    if (request->method != NULL &&
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) != CURLE_OK) {
        return false;
    }
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK;
}

/// Starts the transfer, or puts a failure into the batch.
static void start(plm_stream *self, const plm_request *request) {
    const plm_client *client = self->client;
    if (client->multi == NULL) {
        fail(self, PLM_FAILURE_REQUEST, "this client has no server");
        return;
    }
    if (has_control_bytes(request->target, strlen(request->target)) ||
        !add_headers(self, request)) {
        fail(self, PLM_FAILURE_REQUEST,
             "the target, the token or another header holds a line break or is too long");
        return;
    }
    size_t size = strlen(client->base_url) + strlen(request->target) + 1;
    char *url = plm_allocate(&client->allocator, size);
    if (url == NULL) {
        fail(self, PLM_FAILURE_MEMORY, "out of memory");
        return;
    }
    snprintf(url, size, "%s%s", client->base_url, request->target);
    self->has_connection = plm_connection_suits(client, request, url);
    bool is_set = set_options(self, request, url) &&
                  (!self->has_connection ||
                   plm_connection_init(&self->connection, &self->response, url, self->headers));
    plm_deallocate(&client->allocator, url);
    if (!is_set || curl_multi_add_handle(client->multi, self->easy) != CURLM_OK) {
        fail(self, PLM_FAILURE_MEMORY, "libcurl would not take the request");
        return;
    }
    self->is_attached = true;
}

plm_stream *plm_stream_open(plm_client *client, const plm_request *request,
                            const plm_projection *projection) {
    plm_stream *self = plm_allocate(&client->allocator, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    *self = (plm_stream){.client = client};
    bool is_ready = plm_response_init(&self->response, client, projection);
    self->response.keeps_raw = request->keeps_raw;
    if (request->canceller != NULL) {
        self->canceller = plm_canceller_retain(request->canceller);
    }
    int32_t timeout = request->response_timeout_ms > 0 ? request->response_timeout_ms
                                                       : DEFAULT_RESPONSE_TIMEOUT_MS;
    self->response_deadline_ms = now_ms() + timeout;
    plm_stream_set_window(self, request->window_ms);
    self->easy = curl_easy_init();
    if (!is_ready || self->easy == NULL) {
        plm_stream_destroy(self);
        return NULL;
    }
    start(self, request);
    return self;
}

void plm_stream_destroy(plm_stream *self) {
    if (self == NULL) {
        return;
    }
    const plm_allocator *allocator = &self->client->allocator;
    if (self->is_attached && !self->is_done) {
        // Who leaves an exchange has a reason, which may be the connection: in HTTP/2 it would be
        // kept.
        curl_easy_setopt(self->easy, CURLOPT_FORBID_REUSE, 1L);
    }
    if (self->is_attached) {
        curl_multi_remove_handle(self->client->multi, self->easy);
    }
    if (self->easy != NULL) {
        curl_easy_cleanup(self->easy);
    }
    curl_slist_free_all(self->headers);
    plm_canceller_release(self->canceller);
    plm_connection_free(&self->connection);
    plm_response_free(&self->response);
    plm_deallocate(allocator, self);
}

// MARK: Pulling

/// Takes notice of transfers that are done; each belongs to some stream of the client.
static void collect_messages(plm_client *client) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            plm_stream *stream = NULL;
            CURLcode code = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&stream);
            finish(stream, code);
        }
    }
}

/// Less than this in the kernel is not worth another look at once.
#define DRAINED_BYTES (64u * 1024)
/// So much is moved before the caller gets its batch.
#define MOVED_BYTES (1024u * 1024)
/// Bytes that the TLS library holds are the beginning of a record, or were overlooked: in that case
/// for no longer than this.
#define HELD_WAIT_MS 50

void plm_stream_set_window(plm_stream *self, int32_t window_ms) {
    if (window_ms != self->window_ms) {
        self->window_ms = window_ms;
        self->wait_ms = window_ms;
    }
}

/// Whether bytes may be left to gather: of a body that is decoded.
static bool has_window(const plm_stream *self) {
    return self->window_ms > 0 && self->response.decoder != NULL && self->response.has_head &&
           plm_response_is_success(&self->response);
}

/// Lets bytes gather, `wait_ms` at most.
static void gather(plm_stream *self, int64_t wait_ms) {
    self->is_gathering = false;
    self->gathered_bytes = 0;
    if (wait_ms > self->wait_ms) {
        wait_ms = self->wait_ms;
    }
    if (wait_ms <= 0) {
        return;
    }
    if (self->canceller != NULL) {
        plm_canceller_sleep(self->canceller, (int32_t)wait_ms);
    } else {
        poll(NULL, 0, (int)wait_ms);
    }
}

/// Bytes that wait in the kernel. libcurl reads about a hundred times and then leaves the rest.
static size_t pending_bytes(const plm_stream *self) {
    int pending = 0;
    // libcurl does not tell which socket it reads from; mostly the client has one.
    curl_socket_t socket = self->client->socket;
    return socket != CURL_SOCKET_BAD && ioctl(socket, FIONREAD, &pending) == 0 && pending > 0
               ? (size_t)pending
               : 0;
}

/// Learns from what had gathered. The kernel grows the buffer of who reads fast, so that a window
/// that was too long at first is none later.
static void adapt_window(plm_stream *self) {
    int buffer = 0;
    socklen_t size = sizeof buffer;
    if (self->client->socket == CURL_SOCKET_BAD ||
        getsockopt(self->client->socket, SOL_SOCKET, SO_RCVBUF, &buffer, &size) != 0) {
        return;
    }
    // Half of what the kernel says is for its own books.
    uint64_t room = (uint64_t)buffer / 2;
    if (self->gathered_bytes >= room / 2) {
        self->wait_ms /= 2;
    } else if (self->gathered_bytes < room / 8) {
        int32_t longer = self->wait_ms * 2 + 1;
        self->wait_ms = longer < self->window_ms ? longer : self->window_ms;
    }
}

/// Whether the TLS library holds bytes of the body that no descriptor shows.
static bool is_held(const plm_stream *self) {
    return self->response.has_head && plm_read_ahead_has_bytes(self->client, self->easy);
}

/// Takes notice of what was moved.
static void note_moved(plm_stream *self, uint64_t moved, bool is_drained) {
    self->gathered_bytes += moved;
    if (moved > 0 && is_drained && has_window(self)) {
        self->is_gathering = true;
        adapt_window(self);
    }
}

/// Moves what has come by a transfer of libcurl's, some megabyte at most.
static CURLMcode move_transfer(plm_stream *self) {
    plm_client *client = self->client;
    uint64_t start = self->response.body_bytes;
    size_t left = 0;
    bool goes_on;
    CURLMcode code;
    do {
        uint64_t before = self->response.body_bytes;
        uint64_t records = client->tls_records;
        int running;
        if (is_held(self)) {
            plm_read_ahead_nudge(self->easy);
        }
        code = curl_multi_perform(client->multi, &running);
        collect_messages(client);
        if (code != CURLM_OK || self->response.is_over) {
            break;
        }
        left = has_window(self) && self->response.body_bytes != before ? pending_bytes(self) : 0;
        goes_on = left >= DRAINED_BYTES || (client->tls_records != records && is_held(self));
    } while (goes_on && self->response.body_bytes - start < MOVED_BYTES);
    note_moved(self, self->response.body_bytes - start, left < DRAINED_BYTES);
    return code;
}

/// The same by a connection of its own.
static CURLMcode move_own(plm_stream *self) {
    uint64_t start = self->response.body_bytes;
    CURLcode code = plm_connection_move(&self->connection, self->easy, MOVED_BYTES);
    if (code != CURLE_OK && !self->response.is_over) {
        fail_curl(self, code);
    }
    note_moved(self, self->response.body_bytes - start, self->connection.is_drained);
    return CURLM_OK;
}

/// Waits until there is something to move.
static CURLMcode wait_for_more(plm_stream *self, int64_t wait_ms) {
    int wake = self->canceller != NULL ? plm_canceller_descriptor(self->canceller) : -1;
    int wait = wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms;
    if (self->connection.is_open) {
        self->is_gathering |= plm_connection_wait(&self->connection, wake, wait);
        return CURLM_OK;
    }
    struct curl_waitfd waker = {.fd = wake, .events = CURL_WAIT_POLLIN};
    if (wait > HELD_WAIT_MS && is_held(self)) {
        wait = HELD_WAIT_MS;
    }
    int ready = 0;
    CURLMcode code = curl_multi_poll(self->client->multi, &waker, wake >= 0 ? 1 : 0, wait, &ready);
    self->is_gathering |= ready > 0;
    return code;
}

/// Moves bytes once and waits for more, `wait_ms` at most.
static void work(plm_stream *self, int64_t wait_ms) {
    if (self->is_gathering && has_window(self)) {
        gather(self, wait_ms);
    }
    CURLMcode code = self->connection.is_open ? move_own(self) : move_transfer(self);
    bool has_more = self->connection.is_open && !self->connection.is_drained;
    if (code == CURLM_OK && self->response.batch.count == 0 && !self->response.is_over &&
        wait_ms > 0 && !has_more) {
        code = wait_for_more(self, wait_ms);
    }
    if (code != CURLM_OK && !self->response.is_over) {
        fail(self, PLM_FAILURE_TRANSPORT, curl_multi_strerror(code));
    }
}

bool plm_stream_next(plm_stream *self, int32_t timeout_ms, plm_batch *batch) {
    plm_response_begin(&self->response);
    bool was_over = self->response.is_over && self->response.batch.count == 0;
    int64_t deadline = now_ms() + (timeout_ms > 0 ? timeout_ms : 0);
    while (!self->response.is_over && self->response.batch.count == 0) {
        if (self->canceller != NULL && plm_canceller_is_cancelled(self->canceller)) {
            fail(self, PLM_FAILURE_CANCELLED, "cancelled");
            break;
        }
        int64_t now = now_ms();
        if (!self->response.has_head && now >= self->response_deadline_ms) {
            fail(self, PLM_FAILURE_TIMEOUT, "no answer in time");
            break;
        }
        int64_t until = deadline;
        if (!self->response.has_head && self->response_deadline_ms < until) {
            until = self->response_deadline_ms;
        }
        work(self, until - now);
        if (now >= deadline) {
            break;
        }
    }
    plm_response_deliver(&self->response, batch);
    return !was_over;
}

plm_text plm_stream_body(const plm_stream *self) {
    return (plm_text){self->response.body.bytes, self->response.body.length};
}

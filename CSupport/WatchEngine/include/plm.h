#pragma once

/// The watch engine: from a kube-apiserver's bytes to typed node events.
///
/// A `plm_client` stands for one cluster and keeps its connections, TLS sessions and image table.
/// A `plm_stream` is one HTTP exchange on it: a LIST, a WATCH, or a small request whose body is
/// collected. The caller's thread does the work: `plm_stream_next()` moves bytes, decodes what
/// arrived and returns a batch of events. The engine has no threads, no locks on the data path and
/// never calls back.
///
/// **Threads.** A client, its streams and its decoders belong to one thread at a time. The only
/// object that another thread may touch is a `plm_canceller`.
///
/// **Lifetimes.** A client outlives its streams and decoders. What a batch points to is borrowed
/// and valid until the next call on the same stream or decoder.
///
/// **Commit.** One event is the unit: half an event defines no image and yields no record.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define PLM_CLOSED_ENUM __attribute__((enum_extensibility(closed)))
#define PLM_CASE(name) __attribute__((swift_name(#name)))
#pragma clang assume_nonnull begin
#else
#define PLM_CLOSED_ENUM
#define PLM_CASE(name)
#define _Nullable
#define _Nonnull
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// The libraries underneath with their versions: "libcurl/7.88.1 OpenSSL/3.0.17 … yajl/2.1.0".
/// Static storage; thread-safe after the first call.
const char *plm_library_versions(void);

// MARK: Values

/// UTF-8 bytes without a terminator. `bytes` is NULL where the value was absent.
typedef struct plm_text {
    const char *_Nullable bytes;
    size_t length;
} plm_text;

/// Where all memory of the engine itself comes from (libcurl and OpenSSL keep their own).
/// The functions behave as malloc, realloc and free and get `context` first.
typedef struct plm_allocator {
    void *_Nullable (*_Nonnull allocate)(void *_Nullable context, size_t bytes);
    void *_Nullable (*_Nonnull reallocate)(void *_Nullable context, void *_Nullable memory,
                                           size_t bytes);
    void (*_Nonnull deallocate)(void *_Nullable context, void *_Nullable memory);
    void *_Nullable context;
} plm_allocator;

/// A condition's status. `absent`: the node has no such condition.
typedef enum PLM_CLOSED_ENUM plm_condition {
    PLM_CONDITION_ABSENT PLM_CASE(absent) = 0,
    PLM_CONDITION_TRUE PLM_CASE(isTrue),
    PLM_CONDITION_FALSE PLM_CASE(isFalse),
    PLM_CONDITION_UNKNOWN PLM_CASE(unknown),
} plm_condition;

/// How many label slots a projection has.
#define PLM_LABEL_SLOTS 8

/// One wanted label. Several keys may fill one slot; the earliest listed key that is present wins.
typedef struct plm_label_key {
    const char *key;
    /// 0 ..< PLM_LABEL_SLOTS
    uint32_t slot;
} plm_label_key;

/// What is known of one node: the part of the object the engine was asked to keep.
typedef struct plm_node {
    plm_text name;
    plm_text uid;
    /// An opaque decimal string, as sent.
    plm_text resource_version;
    /// RFC 3339, as sent.
    plm_text creation_timestamp;
    plm_text deletion_timestamp;
    plm_text labels[PLM_LABEL_SLOTS];
    /// Kubernetes quantities, as sent ("104845292Ki").
    plm_text capacity_ephemeral_storage;
    plm_text allocatable_ephemeral_storage;
    plm_text container_runtime_version;
    plm_text kubelet_version;
    plm_text boot_id;
    plm_condition ready;
    plm_condition disk_pressure;
    bool unschedulable;
    /// Whether `status.images` was there at all (it may be present and empty).
    bool has_images;
    /// The images' sizes add up to more than INT64_MAX: `image_bytes` is 0 and means nothing.
    bool image_bytes_overflow;
    /// Sum of `sizeBytes` over the list, in bytes.
    int64_t image_bytes;
    /// In the order sent; each was defined in this batch or an earlier one of the same client.
    const uint32_t *_Nullable image_ids;
    size_t image_count;
    /// Covers everything above but the resourceVersion. Equal for equal content within one client
    /// (it is seeded): a MODIFIED with the fingerprint already known is a heartbeat.
    uint64_t fingerprint;
} plm_node;

/// One object of any kind, as the server sent it.
typedef struct plm_object {
    plm_text name;
    /// Absent where the kind has none.
    plm_text namespace_name;
    plm_text uid;
    /// An opaque string, as sent.
    plm_text resource_version;
    /// All of the object: one JSON value.
    plm_text json;
} plm_object;

/// One image, defined once per client before its first use. Two entries with the same names in the
/// same order and the same size are the same image, whatever bytes they came as.
typedef struct plm_image {
    uint32_t id;
    const plm_text *_Nullable names;
    size_t name_count;
    /// 0 where the server left it out.
    int64_t size_bytes;
} plm_image;

/// metav1.ListMeta.
typedef struct plm_list {
    plm_text resource_version;
    /// Token of the next page; empty or absent on the last one.
    plm_text continue_token;
    /// -1 where the server did not say.
    int64_t remaining_item_count;
} plm_list;

typedef struct plm_bookmark {
    plm_text resource_version;
    /// The annotation `k8s.io/initial-events-end` is "true".
    bool initial_events_end;
} plm_bookmark;

/// metav1.Status, from an ERROR event, an error response, or a small request's answer.
typedef struct plm_status {
    /// The Status' own code; in its absence the HTTP status, or 0.
    int32_t code;
    plm_text reason;
    plm_text message;
    /// `details.name`, `details.kind`.
    plm_text name;
    plm_text kind;
    /// `details.causes[].reason`, the first one ("ResourceVersionTooLarge").
    plm_text cause;
    /// `details.retryAfterSeconds`; -1 where absent.
    int64_t retry_after_seconds;
    /// `metadata.continue`: the inconsistent-continue token of a 410.
    plm_text continue_token;
    /// It came inside a watch stream (ERROR event), not as the response's body.
    bool in_stream;
} plm_status;

typedef struct plm_head {
    /// HTTP status code.
    int32_t status;
    /// 1 or 2: the HTTP version spoken.
    int32_t http_version;
    plm_text content_type;
    /// `Retry-After` in whole seconds; -1 where absent or a date.
    int64_t retry_after_seconds;
} plm_head;

/// An event that could not be used although the stream goes on: one object out of bounds or with
/// a field of the wrong type. The node's last good state is to be kept.
typedef struct plm_rejection {
    /// May be absent when the fault came before the name.
    plm_text name;
    plm_text namespace_name;
    plm_text resource_version;
    /// One line: which field, what was wrong, which option raises the limit.
    plm_text reason;
} plm_rejection;

/// How a response ended.
typedef struct plm_end {
    /// It was a watch stream, not a list, a single object or an error.
    bool is_watch;
    /// It was cut inside a watch event, which servers do at timeoutSeconds. That event is void.
    bool in_object;
} plm_end;

typedef enum PLM_CLOSED_ENUM plm_failure_kind {
    /// `plm_canceller_cancel()` was called.
    PLM_FAILURE_CANCELLED PLM_CASE(cancelled) = 0,
    PLM_FAILURE_RESOLVE PLM_CASE(resolve),
    PLM_FAILURE_CONNECT PLM_CASE(connect),
    /// Handshake failed for a reason other than the peer's certificate.
    PLM_FAILURE_TLS PLM_CASE(tls),
    /// The server's certificate is not trusted or names another host.
    PLM_FAILURE_CERTIFICATE PLM_CASE(certificate),
    /// A certificate or key given to the client could not be used.
    PLM_FAILURE_CREDENTIALS PLM_CASE(credentials),
    /// Reset, cut in the middle of a chunk, or any other transport error.
    PLM_FAILURE_TRANSPORT PLM_CASE(transport),
    /// No response head within `response_timeout_ms`, or connecting took too long.
    PLM_FAILURE_TIMEOUT PLM_CASE(timeout),
    /// The response is neither JSON nor protobuf by its Content-Type, or not what its first bytes
    /// say.
    PLM_FAILURE_CONTENT_TYPE PLM_CASE(contentType),
    /// The bytes are malformed, or of another shape.
    PLM_FAILURE_SYNTAX PLM_CASE(syntax),
    /// The body ended in the middle of an object.
    PLM_FAILURE_TRUNCATED PLM_CASE(truncated),
    /// A bound was passed whose breach cannot be contained to one object.
    PLM_FAILURE_LIMIT PLM_CASE(limit),
    PLM_FAILURE_MEMORY PLM_CASE(memory),
    /// The request itself is invalid (bad URL, header with a line break).
    PLM_FAILURE_REQUEST PLM_CASE(request),
} plm_failure_kind;

/// Why a stream ended before its time.
typedef struct plm_failure {
    plm_failure_kind kind;
    /// CURLcode, or 0.
    int32_t curl_code;
    /// HTTP status, or 0 where no response head came.
    int32_t http_status;
    /// Bytes of body before the fault, counted from the start of the stream.
    uint64_t byte_offset;
    /// One line without secrets.
    plm_text message;
} plm_failure;

typedef enum PLM_CLOSED_ENUM plm_event_kind {
    /// First event of a stream: `head`.
    PLM_EVENT_HEAD PLM_CASE(head) = 0,
    /// `image`.
    PLM_EVENT_IMAGE PLM_CASE(image),
    /// `node`, or `object` with a projection of whole objects. Items of a list come as `added`.
    PLM_EVENT_ADDED PLM_CASE(added),
    PLM_EVENT_MODIFIED PLM_CASE(modified),
    PLM_EVENT_DELETED PLM_CASE(deleted),
    /// `bookmark`.
    PLM_EVENT_BOOKMARK PLM_CASE(bookmark),
    /// `list`: after the last item, when the whole list was well-formed.
    PLM_EVENT_LIST PLM_CASE(list),
    /// `status`.
    PLM_EVENT_STATUS PLM_CASE(status),
    /// `rejection`.
    PLM_EVENT_REJECTED PLM_CASE(rejected),
    /// An object of another shard came; `skipped_version`.
    PLM_EVENT_SKIPPED PLM_CASE(skipped),
    /// A watch event of a type this engine does not know; `unknown_type`.
    PLM_EVENT_UNKNOWN PLM_CASE(unknown),
    /// `end`: the response ended where it may end. Last event.
    PLM_EVENT_END PLM_CASE(end),
    /// `failure`. Last event.
    PLM_EVENT_FAILURE PLM_CASE(failure),
} plm_event_kind;

typedef struct plm_event {
    plm_event_kind kind;
    union {
        plm_head head;
        plm_image image;
        plm_node node;
        plm_object object;
        plm_bookmark bookmark;
        plm_list list;
        plm_status status;
        plm_rejection rejection;
        plm_text unknown_type;
        /// The object's resourceVersion, which the stream has come to with it.
        plm_text skipped_version;
        plm_end end;
        plm_failure failure;
    };
} plm_event;

/// What one call brought. No events: nothing complete arrived in the time given (idle).
typedef struct plm_batch {
    const plm_event *_Nullable events;
    size_t count;
    /// Body bytes of the stream so far.
    uint64_t body_bytes;
    /// The bytes that came since the batch before, whatever the status; where they are asked for.
    plm_text raw;
    /// The stream is over; the last event is `end` or `failure`.
    bool done;
} plm_batch;

// MARK: Limits

/// Defaults of `plm_limits`.
#define PLM_DEFAULT_MAX_OBJECT_BYTES (16u * 1024 * 1024)
#define PLM_DEFAULT_MAX_NODE_NAME_BYTES 253u
#define PLM_DEFAULT_MAX_IMAGE_NAME_BYTES 4096u
#define PLM_DEFAULT_MAX_IMAGES_PER_NODE 100000u
#define PLM_DEFAULT_MAX_IMAGES (8u * 1024 * 1024)
#define PLM_DEFAULT_MAX_BODY_BYTES (16u * 1024 * 1024)
/// Nesting of JSON values; apimachinery's own limit is far below.
#define PLM_MAX_DEPTH 200
/// An error response's body is kept up to this.
#define PLM_MAX_ERROR_BODY_BYTES (64u * 1024)

/// Bounds that keep memory finite whatever the server sends. 0 means the default.
typedef struct plm_limits {
    /// One object of a list or watch, in bytes of body. A larger one is rejected.
    size_t max_object_bytes;
    size_t max_node_name_bytes;
    size_t max_image_name_bytes;
    size_t max_images_per_node;
    /// Entries in a client's image table. A definition beyond it fails the stream.
    size_t max_images;
    /// Body of a collected (small) response.
    size_t max_body_bytes;
} plm_limits;

/// How the structure of JSON is found. All find the same.
typedef enum PLM_CLOSED_ENUM plm_scanner {
    /// The fastest that this machine has.
    PLM_SCANNER_AUTOMATIC PLM_CASE(automatic) = 0,
    PLM_SCANNER_SCALAR PLM_CASE(scalar),
    PLM_SCANNER_SSE2 PLM_CASE(sse2),
    PLM_SCANNER_AVX2 PLM_CASE(avx2),
    PLM_SCANNER_NEON PLM_CASE(neon),
} plm_scanner;

/// Whether this machine has a scanner.
bool plm_scanner_is_available(plm_scanner scanner);

/// How objects are written.
typedef enum PLM_CLOSED_ENUM plm_wire_format {
    /// What the Content-Type says; where there is none, what the first byte looks like.
    PLM_WIRE_AUTOMATIC PLM_CASE(automatic) = 0,
    PLM_WIRE_JSON PLM_CASE(json),
    /// Kubernetes' own framing of protobuf: "k8s\0" and a runtime.Unknown, or the frames of a
    /// watch.
    PLM_WIRE_PROTOBUF PLM_CASE(protobuf),
} plm_wire_format;

/// Part of all objects: those the FNV-1a of whose uid is in the range. All zeros: every object.
typedef struct plm_shard {
    uint64_t first;
    /// Included.
    uint64_t last;
} plm_shard;

/// What to decode.
typedef struct plm_projection {
    const plm_label_key *_Nullable label_keys;
    size_t label_key_count;
    /// Objects of any kind are handed over as they are: nothing is looked for in them but their
    /// names and versions, and no images are defined.
    bool whole_objects;
    /// JSON goes through yajl, every byte of it, and nothing is known by its bytes. Without it,
    /// what nobody asks for is skipped, in JSON by its brackets and quotes alone: faults in there
    /// go unseen. What is asked for reads the same.
    bool strict;
    /// To be left alone but for tests. One that this machine lacks fails the creation.
    plm_scanner scanner;
    /// What the bytes are in; a stream knows better, by the Content-Type of its response.
    plm_wire_format wire_format;
    /// Objects of other shards are `skipped`, in most cases before the rest of them is looked at.
    plm_shard shard;
} plm_projection;

// MARK: Canceller

/// Ends a stream from another thread. Reference-counted, sticky: every stream opened with a
/// cancelled canceller fails at once with PLM_FAILURE_CANCELLED. It may be attached to one stream
/// at a time.
typedef struct plm_canceller plm_canceller;

/// Returns an owned canceller, or NULL when memory is short.
plm_canceller *_Nullable plm_canceller_create(void);
/// Adds a reference. Thread-safe.
plm_canceller *plm_canceller_retain(plm_canceller *canceller);
/// Drops a reference; NULL is fine. Thread-safe.
void plm_canceller_release(plm_canceller *_Nullable canceller);
/// Cancels and wakes the stream it is attached to. Thread-safe, idempotent, never blocks long.
void plm_canceller_cancel(plm_canceller *canceller);
/// Thread-safe.
bool plm_canceller_is_cancelled(const plm_canceller *canceller);
/// Sleeps for `timeout_ms`, or until cancelled. Returns whether it is cancelled. Thread-safe.
bool plm_canceller_sleep(const plm_canceller *canceller, int32_t timeout_ms);

// MARK: Client

typedef struct plm_client plm_client;

/// How to reach one cluster. Everything is copied.
typedef struct plm_client_options {
    /// "https://host:port", optionally with a path prefix, without a slash at the end. NULL for a
    /// client that is for decoders only.
    const char *_Nullable base_url;
    /// PEM; absent means the system's trust store. Where present, nothing else is trusted.
    plm_text ca_pem;
    /// PEM; both or none.
    plm_text client_certificate_pem;
    plm_text client_key_pem;
    /// Accept any server certificate.
    bool insecure_skip_verify;
    /// The name, or address, that the server's certificate is for, to be asked for by SNI. NULL:
    /// that of `base_url`.
    const char *_Nullable tls_server_name;
    /// "http://", "https://", "socks5://" or "socks5h://" with host and port. NULL: as the
    /// environment says (HTTPS_PROXY, NO_PROXY). "": none. The certificate of an https proxy is
    /// checked as the server's is.
    const char *_Nullable proxy_url;
    /// Lines "Name: value" sent with each request. They never show in errors.
    const plm_text *_Nullable header_lines;
    size_t header_line_count;
    /// "plimsoll/VERSION (os/arch)". An agent that starts with `curl` makes a kube-apiserver
    /// pretty-print.
    const char *_Nullable user_agent;
    /// 0 means 30,000 ms.
    int32_t connect_timeout_ms;
    /// How long sent data or keep-alive probes may stay unanswered before the connection counts as
    /// dead (TCP_USER_TIMEOUT and keep-alive). 0 means 30,000 ms.
    int32_t dead_peer_timeout_ms;
    /// A connection older than that, in whole seconds, is not used for another request. 0: however
    /// old it is, as long as it works.
    int32_t max_connection_age_seconds;
    /// HTTP/2 with servers that offer it, else HTTP/1.1.
    bool speaks_http2;
    plm_limits limits;
    /// NULL: malloc, realloc, free. libcurl, OpenSSL and yajl allocate for themselves. yajl does
    /// not survive a failure of that: what it is fed is bounded instead.
    const plm_allocator *_Nullable allocator;
} plm_client_options;

/// Returns an owned client, or NULL when memory is short. Bad PEM or URL shows at the first stream.
plm_client *_Nullable plm_client_create(const plm_client_options *options);
/// Closes its connections. All its streams and decoders must be destroyed before. NULL is fine.
void plm_client_destroy(plm_client *_Nullable client);
/// Forgets images that no record holds any more. Their ids may be given to other images from the
/// next batch on. Ids of no image are ignored.
void plm_client_retire_images(plm_client *client, const uint32_t *ids, size_t count);
/// Entries in the image table now.
size_t plm_client_image_count(const plm_client *client);

// MARK: Stream

typedef struct plm_stream plm_stream;

/// One request. Everything is copied at `plm_stream_open()`.
typedef struct plm_request {
    /// "GET" when NULL.
    const char *_Nullable method;
    /// Path and query, percent-encoded: "/api/v1/nodes?watch=true".
    const char *target;
    /// "application/json" when NULL.
    const char *_Nullable accept;
    /// Content-Type of `body`.
    const char *_Nullable content_type;
    plm_text body;
    /// Without "Bearer ". Never shows in errors.
    plm_text bearer_token;
    /// Lines "Name: value" of this request alone, after those of the client. They never show in
    /// errors.
    const plm_text *_Nullable header_lines;
    size_t header_line_count;
    /// Time to the response head, from the start. 0 means 60,000 ms.
    int32_t response_timeout_ms;
    /// Time to the end of the body, from the start. 0 means none.
    int32_t total_timeout_ms;
    /// See `plm_stream_set_window()`. 0: bytes are read as they come.
    int32_t window_ms;
    /// For what goes on for long: the request gets a connection that no other uses before or after
    /// it, whose bytes are read by the shortest way. Of no effect with HTTP/2, a body, another
    /// method than GET, or a proxy that reads along.
    bool own_connection;
    /// Each batch has the bytes of body it was made of, as they came, for who records them.
    bool keeps_raw;
    plm_canceller *_Nullable canceller;
} plm_request;

/// Starts a request. With a projection, a 2xx body is decoded as a watch stream, a list or a single
/// object, whichever it is; without one it is collected for `plm_stream_body()`. Other responses
/// yield `status` and then `end`.
///
/// Returns an owned stream, or NULL when memory is short. All other faults come as `failure`.
plm_stream *_Nullable plm_stream_open(plm_client *client, const plm_request *request,
                                      const plm_projection *_Nullable projection);

/// Lets bytes gather for `window_ms` before they are read, so that a stream of many small events
/// wakes its reader less often: most of what a busy watch costs is the waking. It adds as much to
/// the age of an event. Only a body that is decoded is read so, and never so that the socket's
/// buffer would fill: the window shrinks then.
void plm_stream_set_window(plm_stream *stream, int32_t window_ms);

/// Works on the calling thread until something happened or `timeout_ms` passed. Returns false when
/// the stream was over before the call (the batch is then empty and `done`).
bool plm_stream_next(plm_stream *stream, int32_t timeout_ms, plm_batch *batch);

/// The collected body, whole once the stream is done. Borrowed until destroyed.
plm_text plm_stream_body(const plm_stream *stream);

/// Closes the stream; an exchange that is not over loses its connection. NULL is fine.
void plm_stream_destroy(plm_stream *_Nullable stream);

// MARK: Response

/// What a stream makes of what comes, for responses that come from elsewhere: a recording, a server
/// that is simulated. Each call gives a batch; after the last event, nothing more.
typedef struct plm_response plm_response;

/// Returns an owned response, or NULL when memory is short. The projection is copied; see
/// `plm_stream_open()`.
plm_response *_Nullable plm_response_create(plm_client *client,
                                            const plm_projection *_Nullable projection);
/// The head has come.
void plm_response_head(plm_response *response, const plm_head *head, plm_batch *batch);
/// Some of the body has come.
void plm_response_feed(plm_response *response, const char *bytes, size_t count, plm_batch *batch);
/// The body has ended in good order.
void plm_response_end(plm_response *response, plm_batch *batch);
/// The transfer has failed, or never began.
void plm_response_fail(plm_response *response, plm_failure_kind kind, const char *message,
                       plm_batch *batch);
/// NULL is fine.
void plm_response_destroy(plm_response *_Nullable response);

// MARK: Decoder

/// The decoding half of a stream, for bytes that come from elsewhere (a file, a test).
typedef struct plm_decoder plm_decoder;

/// Returns an owned decoder, or NULL when memory is short. The projection is copied. The bytes may
/// be a watch stream, a list, one Node or one Status, whichever they turn out to be.
plm_decoder *_Nullable plm_decoder_create(plm_client *client, const plm_projection *projection);
/// Decodes what can be decoded; a rest is kept. The batch holds complete events only. Returns
/// false once the decoder has failed (last event `failure`) or was finished.
bool plm_decoder_feed(plm_decoder *decoder, const char *bytes, size_t count, plm_batch *batch);
/// Tells that no more bytes come. Yields `end`, or `failure` (truncated) inside a list.
bool plm_decoder_finish(plm_decoder *decoder, plm_batch *batch);
void plm_decoder_destroy(plm_decoder *_Nullable decoder);

#ifdef __cplusplus
}
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

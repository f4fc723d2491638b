#pragma once

// What the streams and decoders of one cluster share.

#include <curl/curl.h>

#include "plm_image_table.h"
#include "plm_memory.h"
#include "plm_raw_cache.h"

struct plm_client {
    plm_allocator allocator;
    /// Without zeros: defaults are filled in.
    plm_limits limits;
    plm_image_table images;
    plm_raw_cache raw_images;

    /// NULL in a client that is for decoders only.
    char *base_url;
    char *user_agent;
    plm_buffer ca_pem;
    plm_buffer client_certificate_pem;
    plm_buffer client_key_pem;
    bool insecure_skip_verify;
    /// With a TLS server name, `base_url` names that, and this leads to the real host.
    struct curl_slist *connect_to;
    /// Host header of the real host, then the caller's lines.
    struct curl_slist *header_lines;
    char *proxy_url;
    int32_t connect_timeout_ms;
    int32_t dead_peer_timeout_ms;
    int32_t max_connection_age_seconds;
    bool speaks_http2;
    /// Holds the connections.
    CURLM *multi;
    /// The last one made, or CURL_SOCKET_BAD.
    curl_socket_t socket;
    /// OpenSSL reads more than is asked of it (plm_read_ahead), and the records it has handed on.
    bool reads_ahead;
    uint64_t tls_records;
    /// Holds the TLS sessions, so that a resumed watch need not do the whole handshake.
    CURLSH *share;
};

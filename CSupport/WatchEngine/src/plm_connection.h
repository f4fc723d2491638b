#pragma once

// A connection that one request has to itself. libcurl makes it: names, proxies, TLS and its
// checks. The request and what is answered go over it by libcurl's shortest way
// (CURLOPT_CONNECT_ONLY): its machinery for transfers costs more, for each TLS record of a watch,
// than reading and decoding what is in it.

#include "plm_http.h"

typedef struct plm_connection {
    plm_http http;
    /// What is to be sent, and how much of it has been.
    plm_buffer request;
    size_t sent;
    curl_socket_t socket;
    bool is_open;
    /// All that had come has been read.
    bool is_drained;
} plm_connection;

/// Whether a request can have such a connection: a GET over HTTP/1.1, through no proxy that reads
/// it.
bool plm_connection_suits(const plm_client *client, const plm_request *request, const char *url);

/// Makes the text of the request. False when memory is short; to be freed in either case.
bool plm_connection_init(plm_connection *connection, plm_response *response, const char *url,
                         const struct curl_slist *headers);
void plm_connection_free(plm_connection *connection);

/// libcurl has made the connection.
void plm_connection_open(plm_connection *connection, CURL *easy);

/// Sends what is left of the request, and takes what has come, `most` bytes or a little more.
CURLcode plm_connection_move(plm_connection *connection, CURL *easy, size_t most);

/// Waits until bytes come or may be sent, or `wake` becomes readable (-1: nothing does). True when
/// they do.
bool plm_connection_wait(const plm_connection *connection, int wake, int wait_ms);

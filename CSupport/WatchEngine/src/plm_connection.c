#include "plm_connection.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

/// As much as a TLS record has.
#define READ_BYTES (16u * 1024)

/// Where the path begins; NULL: the URL is of another kind.
static const char *path_of(const char *url, const char **authority) {
    const char *scheme_end = strstr(url, "://");
    if (scheme_end == NULL) {
        return NULL;
    }
    *authority = scheme_end + 3;
    const char *path = strchr(*authority, '/');
    const char *user_end = strchr(*authority, '@');
    bool has_user = user_end != NULL && (path == NULL || user_end < path);
    return has_user ? NULL : path;
}

bool plm_connection_suits(const plm_client *client, const plm_request *request, const char *url) {
    const char *authority;
    bool is_encrypted = strncasecmp(url, "https:", 6) == 0;
    // Without a word on proxies libcurl may find one in the environment.
    bool has_no_proxy = client->proxy_url != NULL && client->proxy_url[0] == '\0';
    return request->own_connection && !client->speaks_http2 && (is_encrypted || has_no_proxy) &&
           request->body.length == 0 &&
           (request->method == NULL || strcmp(request->method, "GET") == 0) &&
           path_of(url, &authority) != NULL && strpbrk(url, " #") == NULL;
}

static bool is_of(const char *line, const char *name) {
    size_t length = strlen(name);
    return strncasecmp(line, name, length) == 0 && line[length] == ':';
}

bool plm_connection_init(plm_connection *self, plm_response *response, const char *url,
                         const struct curl_slist *headers) {
    *self = (plm_connection){.socket = CURL_SOCKET_BAD};
    plm_http_init(&self->http, response);
    const plm_client *client = response->client;
    plm_buffer *text = &self->request;
    const char *authority;
    const char *path = path_of(url, &authority);
    bool has_host = false;
    for (const struct curl_slist *line = headers; line != NULL; line = line->next) {
        has_host = has_host || is_of(line->data, "Host");
    }
#define ADD(bytes, count) plm_buffer_append(&client->allocator, text, (bytes), (count))
#define ADD_TEXT(bytes) ADD(bytes, strlen(bytes))
    bool done = ADD_TEXT("GET ") && ADD_TEXT(path) && ADD_TEXT(" HTTP/1.1\r\n");
    if (!has_host) {
        done = done && ADD_TEXT("Host: ") && ADD(authority, (size_t)(path - authority)) &&
               ADD_TEXT("\r\n");
    }
    done = done && ADD_TEXT("User-Agent: ") && ADD_TEXT(client->user_agent) && ADD_TEXT("\r\n");
    for (const struct curl_slist *line = headers; done && line != NULL; line = line->next) {
        // Without a value it tells libcurl not to send that header.
        const char *value = strchr(line->data, ':');
        if (value == NULL || value[1 + strspn(value + 1, " ")] == '\0') {
            continue;
        }
        done = ADD_TEXT(line->data) && ADD_TEXT("\r\n");
    }
    return done && ADD_TEXT("\r\n");
#undef ADD_TEXT
#undef ADD
}

/// It has a token.
static void forget_request(plm_connection *self) {
    plm_buffer *text = &self->request;
    if (text->bytes != NULL) {
        explicit_bzero(text->bytes, text->capacity);
    }
    plm_buffer_free(&self->http.response->client->allocator, text);
    *text = (plm_buffer){NULL, 0, 0};
    self->sent = 0;
}

void plm_connection_free(plm_connection *self) {
    if (self->http.response != NULL) {
        forget_request(self);
        plm_http_free(&self->http);
    }
}

void plm_connection_open(plm_connection *self, CURL *easy) {
    curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &self->socket);
    self->is_open = true;
}

static CURLcode send_rest(plm_connection *self, CURL *easy) {
    while (self->sent < self->request.length) {
        size_t count = 0;
        CURLcode code = curl_easy_send(easy, self->request.bytes + self->sent,
                                       self->request.length - self->sent, &count);
        if (code != CURLE_OK) {
            return code == CURLE_AGAIN ? CURLE_OK : code;
        }
        self->sent += count;
    }
    if (self->request.length > 0) {
        forget_request(self);
    }
    return CURLE_OK;
}

CURLcode plm_connection_move(plm_connection *self, CURL *easy, size_t most) {
    char bytes[READ_BYTES];
    const plm_response *response = self->http.response;
    uint64_t end = response->body_bytes + most;
    CURLcode code = send_rest(self, easy);
    self->is_drained = false;
    while (code == CURLE_OK && response->body_bytes < end) {
        size_t count = 0;
        code = curl_easy_recv(easy, bytes, sizeof bytes, &count);
        if (code == CURLE_AGAIN) {
            self->is_drained = true;
            return CURLE_OK;
        }
        if (code == CURLE_OK && count == 0) {
            plm_http_close(&self->http);
        }
        if (code == CURLE_OK && (count == 0 || !plm_http_take(&self->http, bytes, count))) {
            return CURLE_OK;
        }
    }
    return code;
}

bool plm_connection_wait(const plm_connection *self, int wake, int64_t wait_ms) {
    short events = self->request.length > 0 ? POLLIN | POLLOUT : POLLIN;
    struct pollfd descriptors[2] = {
        {.fd = self->socket, .events = events},
        {.fd = wake, .events = POLLIN},
    };
    int timeout = wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms;
    return poll(descriptors, 2, timeout) > 0 && descriptors[0].revents != 0;
}

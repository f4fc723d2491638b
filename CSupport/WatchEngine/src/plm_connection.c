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
    bool has_user = path != NULL && user_end != NULL && user_end < path;
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

static bool add(plm_connection *self, const char *bytes, size_t count) {
    const plm_allocator *allocator = &self->http.response->client->allocator;
    return plm_buffer_append(allocator, &self->request, bytes, count);
}

static bool add_text(plm_connection *self, const char *text) {
    return add(self, text, strlen(text));
}

/// Adds a line as it would be given to libcurl: without a value it tells that not to send the
/// header.
static bool add_line(plm_connection *self, const char *line) {
    const char *value = strchr(line, ':');
    bool is_sent = value != NULL && value[1 + strspn(value + 1, " ")] != '\0';
    return !is_sent || (add_text(self, line) && add_text(self, "\r\n"));
}

bool plm_connection_init(plm_connection *self, plm_response *response, const char *url,
                         const struct curl_slist *headers) {
    *self = (plm_connection){.socket = CURL_SOCKET_BAD};
    plm_http_init(&self->http, response);
    const plm_client *client = response->client;
    const char *authority;
    const char *path = path_of(url, &authority);
    bool has_host = false;
    size_t size = 64 + strlen(url) + strlen(client->user_agent);
    for (const struct curl_slist *line = headers; line != NULL; line = line->next) {
        size_t length;
        has_host |= plm_http_value(line->data, strlen(line->data), "Host", &length) != NULL;
        size += strlen(line->data) + 2;
    }
    // At once: a buffer that grows would leave copies of the token behind.
    bool done = plm_buffer_reserve(&client->allocator, &self->request, size) &&
                add_text(self, "GET ") && add_text(self, path) && add_text(self, " HTTP/1.1\r\n");
    if (!has_host) {
        done = done && add_text(self, "Host: ") &&
               add(self, authority, (size_t)(path - authority)) && add_text(self, "\r\n");
    }
    done = done && add_text(self, "User-Agent: ") && add_text(self, client->user_agent) &&
           add_text(self, "\r\n");
    for (const struct curl_slist *line = headers; done && line != NULL; line = line->next) {
        done = add_line(self, line->data);
    }
    return done && add_text(self, "\r\n");
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
    self->is_drained = false;
    CURLcode code = send_rest(self, easy);
    for (size_t moved = 0; code == CURLE_OK && moved < most;) {
        size_t count = 0;
        code = curl_easy_recv(easy, bytes, sizeof bytes, &count);
        if (code == CURLE_AGAIN) {
            self->is_drained = true;
            return CURLE_OK;
        }
        if (code == CURLE_OK && count == 0) {
            plm_http_close(&self->http);
            return CURLE_OK;
        }
        if (code == CURLE_OK && !plm_http_take(&self->http, bytes, count)) {
            return CURLE_OK;
        }
        moved += count;
    }
    return code;
}

bool plm_connection_wait(const plm_connection *self, int wake, int wait_ms) {
    short events = self->request.length > 0 ? POLLIN | POLLOUT : POLLIN;
    struct pollfd descriptors[2] = {
        {.fd = self->socket, .events = events},
        {.fd = wake, .events = POLLIN},
    };
    return poll(descriptors, 2, wait_ms) > 0 && descriptors[0].revents != 0;
}

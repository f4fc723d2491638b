#include "plm_read_ahead.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_this_openssl(void) {
    char name[16];
    snprintf(name, sizeof name, "OpenSSL/%d.", OPENSSL_VERSION_MAJOR);
    const char *used = curl_version_info(CURLVERSION_NOW)->ssl_version;
    return used != NULL && strncmp(used, name, strlen(name)) == 0;
}

static void on_record(int is_write, int version, int type, const void *bytes, size_t count,
                      SSL *ssl, void *context) {
    (void)version, (void)bytes, (void)count, (void)ssl;
    plm_client *client = context;
    client->tls_records += !is_write && type == SSL3_RT_HEADER;
}

static CURLcode on_tls_context(CURL *easy, void *tls, void *context) {
    (void)easy;
    SSL_CTX *made = tls;
    // Into its usual buffer of about a record: of a larger one it moves the rest for every record.
    SSL_CTX_set_read_ahead(made, 1);
    if (context != NULL) {
        SSL_CTX_set_msg_callback(made, on_record);
        SSL_CTX_set_msg_callback_arg(made, context);
    }
    return CURLE_OK;
}

void plm_read_ahead_enable(plm_client *client, CURL *easy, bool is_drained) {
    bool is_within_tls =
        client->proxy_url != NULL && strncasecmp(client->proxy_url, "https:", 6) == 0;
    // In HTTP/2 libcurl takes all that has come by itself.
    client->reads_ahead = !is_within_tls && !client->speaks_http2 && is_this_openssl();
    if (client->reads_ahead) {
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, is_drained ? NULL : client);
    }
}

bool plm_read_ahead_has_bytes(const plm_client *client, CURL *easy) {
    struct curl_tlssessioninfo *info = NULL;
    if (!client->reads_ahead || client->tls_records == 0 ||
        curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == NULL ||
        info->backend != CURLSSLBACKEND_OPENSSL || info->internals == NULL) {
        return false;
    }
    return SSL_has_pending(info->internals) == 1;
}

void plm_read_ahead_nudge(CURL *easy) {
    // What resumes a transfer may lie within the TLS library, so libcurl reads then.
    curl_easy_pause(easy, CURLPAUSE_RECV);
    curl_easy_pause(easy, CURLPAUSE_CONT);
}

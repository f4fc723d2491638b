#include "simulator_crypto.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY_SECONDS (24L * 60 * 60)
#define VALID_DAYS 30

static bool write_pem(BIO *bio, char *target, size_t capacity) {
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);
    if (length <= 0 || (size_t)length >= capacity) {
        return false;
    }
    memcpy(target, bytes, (size_t)length);
    target[length] = '\0';
    return true;
}

static bool export_identity(X509 *certificate, EVP_PKEY *key, sim_identity *identity) {
    BIO *certificate_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_mem());
    bool done =
        certificate_bio != NULL && key_bio != NULL &&
        PEM_write_bio_X509(certificate_bio, certificate) == 1 &&
        PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
        write_pem(certificate_bio, identity->certificate_pem, sizeof identity->certificate_pem) &&
        write_pem(key_bio, identity->key_pem, sizeof identity->key_pem);
    BIO_free(certificate_bio);
    BIO_free(key_bio);
    return done;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

static bool set_subject(X509 *certificate, const char *common_name, const char *organization) {
    X509_NAME *name = X509_get_subject_name(certificate);
    return (organization == NULL ||
            X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                                       (const unsigned char *)organization, -1, -1, 0) == 1) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                      -1, -1, 0) == 1;
}

static bool set_serial(X509 *certificate) {
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        return false;
    }
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool done =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return done;
}

/// A certificate without issuer, extensions and signature.
static X509 *make_certificate(EVP_PKEY *key, const char *common_name, const char *organization) {
    X509 *certificate = X509_new();
    if (certificate == NULL) {
        return NULL;
    }
    if (X509_set_version(certificate, 2) != 1 || !set_serial(certificate) ||
        X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SECONDS) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_DAYS * DAY_SECONDS) == NULL ||
        !set_subject(certificate, common_name, organization) ||
        X509_set_pubkey(certificate, key) != 1) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

bool sim_authority_create(const char *common_name, sim_identity *authority) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key == NULL ? NULL : make_certificate(key, common_name, NULL);
    bool done =
        certificate != NULL &&
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
        add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE") &&
        add_extension(certificate, certificate, NID_key_usage,
                      "critical,keyCertSign,digitalSignature") &&
        add_extension(certificate, certificate, NID_subject_key_identifier, "hash") &&
        X509_sign(certificate, key, EVP_sha256()) > 0 &&
        export_identity(certificate, key, authority);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return done;
}

bool sim_identity_issue(const sim_identity *authority, const char *common_name,
                        const char *organization, const char *alternative_names, bool for_server,
                        sim_identity *identity) {
    BIO *certificate_bio = BIO_new_mem_buf(authority->certificate_pem, -1);
    BIO *key_bio = BIO_new_mem_buf(authority->key_pem, -1);
    X509 *issuer =
        certificate_bio == NULL ? NULL : PEM_read_bio_X509(certificate_bio, NULL, NULL, NULL);
    EVP_PKEY *issuer_key =
        key_bio == NULL ? NULL : PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key == NULL ? NULL : make_certificate(key, common_name, organization);
    bool done = issuer != NULL && issuer_key != NULL && certificate != NULL &&
                X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
                add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
                add_extension(certificate, issuer, NID_ext_key_usage,
                              for_server ? "serverAuth" : "clientAuth") &&
                add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
                (alternative_names == NULL ||
                 add_extension(certificate, issuer, NID_subject_alt_name, alternative_names)) &&
                X509_sign(certificate, issuer_key, EVP_sha256()) > 0 &&
                export_identity(certificate, key, identity);
    X509_free(certificate);
    EVP_PKEY_free(key);
    X509_free(issuer);
    EVP_PKEY_free(issuer_key);
    BIO_free(certificate_bio);
    BIO_free(key_bio);
    return done;
}

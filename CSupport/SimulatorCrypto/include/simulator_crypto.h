#pragma once

/// Certificates for the simulated API server, made with libcrypto: a certificate authority and what
/// it issues, ECDSA P-256, valid from yesterday for 30 days. For simulations only: the keys are
/// written out in the clear.

#include <stdbool.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#else
#define _Nullable
#endif

/// A certificate and its key, PEM, terminated.
typedef struct sim_identity {
    char certificate_pem[4096];
    char key_pem[1024];
} sim_identity;

/// Makes a self-signed authority. False when libcrypto fails.
bool sim_authority_create(const char *common_name, sim_identity *authority);

/// Issues a certificate. `organization` and `alternative_names` ("DNS:localhost,IP:127.0.0.1") may
/// be NULL. With `for_server` its use is TLS server authentication, else client authentication.
bool sim_identity_issue(const sim_identity *authority, const char *common_name,
                        const char *_Nullable organization, const char *_Nullable alternative_names,
                        bool for_server, sim_identity *identity);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

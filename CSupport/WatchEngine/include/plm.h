#pragma once

/// The watch engine: from a kube-apiserver's bytes to typed node events.

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/// The libraries underneath with their versions: "libcurl/7.88.1 OpenSSL/3.0.17 … yajl/2.1.0".
/// Static storage; thread-safe after the first call.
const char *plm_library_versions(void);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

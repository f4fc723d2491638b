#pragma once

/// Stands in front of the C library's getaddrinfo(): the name "stalled.test" takes until this is
/// called with false to resolve, and then fails. Other names resolve as ever.
void stalled_resolver_stall(int stalled);

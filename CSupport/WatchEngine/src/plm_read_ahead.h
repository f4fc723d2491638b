#pragma once

// Lets OpenSSL read as much from the socket as there is, instead of each record's header and then
// the record: an eighth of the CPU of a busy watch. What it holds then no descriptor shows, and
// libcurl, which asks the socket, would let it lie until more arrives. So whoever moves bytes asks
// here whether some lie there, and makes libcurl look.

#include "plm_client.h"

/// Sets a transfer up, before it starts. Without effect where the TLS is not this OpenSSL's, or
/// where there is TLS within TLS (an https proxy), whose outer buffer cannot be seen.
///
/// @param is_drained Who reads goes on until there is nothing more: nothing lies there unseen.
void plm_read_ahead_enable(plm_client *client, CURL *easy, bool is_drained);
/// Whether bytes lie with OpenSSL: whole records or the beginning of one.
bool plm_read_ahead_has_bytes(const plm_client *client, CURL *easy);
/// Makes libcurl's next look at the transfer read, whatever the socket says.
void plm_read_ahead_nudge(CURL *easy);

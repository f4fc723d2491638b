#pragma once

// Whether an object belongs to a shard: by the hash that the API server's `shardSelector` goes by
// (KEP-5866), so that both agree on who has what.

#include "plm.h"

/// FNV-1a of 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
static inline uint64_t plm_fnv1a(plm_text text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t at = 0; at < text.length; at++) {
        hash = (hash ^ (unsigned char)text.bytes[at]) * 0x100000001b3u;
    }
    return hash;
}

/// Whether the object of that uid is another shard's. One whose uid is not known is not.
static inline bool plm_shard_excludes(const plm_shard *shard, plm_text uid) {
    if (shard->last == 0 || uid.length == 0) {
        return false;
    }
    uint64_t hash = plm_fnv1a(uid);
    return hash < shard->first || hash > shard->last;
}

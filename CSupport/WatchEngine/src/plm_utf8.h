#pragma once

// Whether bytes are UTF-8 as RFC 3629 has it: shortest forms, no surrogates, up to U+10FFFF.

#include <string.h>

#include "plm.h"

/// How many bytes the character that begins there has; 0 where none does.
static inline size_t plm_utf8_length(const unsigned char *at, size_t left) {
    if (at[0] < 0x80) {
        return 1;
    }
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || length > left) {
        return 0;
    }
    // Bounds of the second byte where the first alone leaves too much open.
    unsigned char low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t index = 2; index < length; index++) {
        if ((at[index] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

static inline bool plm_is_utf8(plm_text text) {
    const unsigned char *at = (const unsigned char *)text.bytes;
    size_t left = text.length;
    while (left > 0) {
        uint64_t word = 0;
        if (left >= sizeof word) {
            memcpy(&word, at, sizeof word);
        }
        size_t length = left >= sizeof word && (word & 0x8080808080808080u) == 0
                            ? sizeof word
                            : plm_utf8_length(at, left);
        if (length == 0) {
            return false;
        }
        at += length;
        left -= length;
    }
    return true;
}

#pragma once

// Comparing texts with words.

#include <string.h>

#include "plm.h"

/// Whether a text is that word. One that is absent is none.
static inline bool plm_text_is(plm_text text, const char *word) {
    size_t length = strlen(word);
    return text.bytes != NULL && text.length == length && memcmp(text.bytes, word, length) == 0;
}

/// Whether a kind is that of a list: "NodeList".
static inline bool plm_text_ends_with_list(plm_text kind) {
    return kind.length >= 4 && memcmp(kind.bytes + kind.length - 4, "List", 4) == 0;
}

#pragma once

// One JSON object as it comes in: its bytes in one piece, and the masks of their structure. It ends
// where its brackets say, wherever the chunks are cut. Images that are known by their bytes are
// taken out as they come: one byte stands for each, so that most of a Node is neither scanned nor
// kept.

#include "plm_client.h"
#include "plm_scan.h"

/// Stands for an image that is known. It may not stand outside of a string in JSON, and is one only
/// where `plm_element.known` says so.
#define PLM_KNOWN_IMAGE '\x01'

/// An image that was taken out.
typedef struct plm_known_image {
    /// Where it stood, in `plm_element.bytes`.
    size_t at;
    plm_raw_entry entry;
} plm_known_image;

typedef struct plm_element {
    plm_client *client;
    plm_scan_function *scan;
    /// The bytes, with room for a block more; a NUL follows a whole object.
    plm_buffer bytes;
    plm_block *blocks;
    size_t block_capacity;
    plm_scan_state state;
    plm_known_image *known;
    size_t known_count;
    size_t known_capacity;
    /// Bytes that were taken out, less those that stand for them.
    size_t hidden_bytes;
} plm_element;

typedef enum plm_element_result {
    /// All bytes were taken; the object goes on.
    PLM_ELEMENT_OPEN,
    /// The object is whole.
    PLM_ELEMENT_WHOLE,
    /// It grew past its bound, or nests too deep: the bytes are kept, the rest is not looked at.
    PLM_ELEMENT_REFUSED,
    PLM_ELEMENT_NO_MEMORY,
} plm_element_result;

/// `client` is borrowed for the element's life. False where this machine has no such scanner.
bool plm_element_init(plm_element *element, plm_client *client, plm_scanner scanner);
void plm_element_free(plm_element *element);
/// Forgets the bytes. A buffer that one object made very large is not kept.
void plm_element_clear(plm_element *element);
/// Takes bytes until the object ends; `*taken` of them were its own. The first must be its opening
/// bracket.
plm_element_result plm_element_append(plm_element *element, const char *bytes, size_t count,
                                      uint32_t max_depth, size_t *taken);
/// The object's bytes as they came, part after part: pass 0 first, then what it returns, until that
/// is 0 again.
size_t plm_element_part(const plm_element *element, size_t number, plm_text *part);

// MARK: Finding one's way, in a whole object

/// The first quote at or after `at`; the object's length where there is none.
static inline size_t plm_element_quote(const plm_element *element, size_t at) {
    size_t length = element->bytes.length;
    if (at >= length) {
        return length;
    }
    size_t index = at / PLM_BLOCK_BYTES;
    uint64_t bits = element->blocks[index].quotes >> (at % PLM_BLOCK_BYTES);
    if (bits != 0) {
        return at + (size_t)__builtin_ctzll(bits);
    }
    size_t count = (length + PLM_BLOCK_BYTES - 1) / PLM_BLOCK_BYTES;
    while (++index < count) {
        bits = element->blocks[index].quotes;
        if (bits != 0) {
            return index * PLM_BLOCK_BYTES + (size_t)__builtin_ctzll(bits);
        }
    }
    return length;
}

/// Whether the bytes from `begin` to before `end` all mean themselves, as parts of a string.
static inline bool plm_element_is_plain(const plm_element *element, size_t begin, size_t end) {
    if (begin == end) {
        return true;
    }
    size_t index = begin / PLM_BLOCK_BYTES;
    size_t last = (end - 1) / PLM_BLOCK_BYTES;
    uint64_t odd = element->blocks[index].odd & ~(uint64_t)0 << (begin % PLM_BLOCK_BYTES);
    while (index < last) {
        if (odd != 0) {
            return false;
        }
        odd = element->blocks[++index].odd;
    }
    return (odd & ~(uint64_t)0 >> (PLM_BLOCK_BYTES - 1 - (end - 1) % PLM_BLOCK_BYTES)) == 0;
}

/// The byte after the bracket that closes the outermost but `left` of the `open` brackets that are
/// open before `at`; the object's length where there is none.
size_t plm_element_close(const plm_element *element, size_t at, uint32_t open, uint32_t left);

#pragma once

// Finds the structure of JSON in blocks of 64 bytes: which quotes begin and end strings, which
// brackets stand outside of them. It judges nothing: what is no JSON gives masks all the same.

#include "plm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLM_BLOCK_BYTES 64u

/// One bit a byte, the first byte lowest.
typedef struct plm_block {
    /// Quotes that no backslash escapes.
    uint64_t quotes;
    /// `{` and `[`, `}` and `]`, outside of strings.
    uint64_t opens;
    uint64_t closes;
    /// Bytes that do not mean themselves in a string, or may not stand in one: backslashes, control
    /// characters, and whatever is not ASCII.
    uint64_t odd;
    /// Brackets open before the block, and how many close in it.
    uint32_t depth;
    uint32_t closed;
} plm_block;

/// What one block leaves to the next. Zeroed before the first.
typedef struct plm_scan_state {
    /// All ones within a string.
    uint64_t in_string;
    /// 1: the next byte is escaped.
    uint64_t escaped;
    /// Brackets open.
    uint32_t depth;
} plm_scan_state;

typedef enum plm_scan_end {
    /// All blocks were scanned; the value goes on.
    PLM_SCAN_MORE,
    /// The outermost bracket closes in the last block scanned.
    PLM_SCAN_CLOSED,
    /// It may nest deeper than allowed in the block that comes next.
    PLM_SCAN_DEEP,
    /// What may be an image begins in the block that comes next.
    PLM_SCAN_IMAGE,
} plm_scan_end;

/// Blocks to be scanned, and how far it went.
typedef struct plm_scan_job {
    const char *bytes;
    size_t count;
    /// The bytes go there, and what was found.
    char *copy;
    plm_block *blocks;
    uint32_t max_depth;
    /// An image is looked for from there on; NULL: nowhere. `end` is that of the readable bytes.
    const char *images_from;
    const char *end;
    /// Blocks scanned.
    size_t done;
    /// Where the image may begin.
    const char *image;
} plm_scan_job;

/// Scans until the outermost bracket closes, and copies what it scans. The state afterwards is that
/// of before the last block where it closed, else that of after it.
typedef plm_scan_end plm_scan_function(plm_scan_state *state, plm_scan_job *job);

/// The fastest scanner of this machine, or the one asked for; NULL where this machine has it not.
plm_scan_function *plm_scan_choose(plm_scanner scanner);

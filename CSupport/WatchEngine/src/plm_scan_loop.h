// The body of every scanner, included once for each with
//   PLM_SCAN_NAME       the function's name
//   PLM_SCAN_TARGET     its attributes
//   PLM_SCAN_PREFIX_XOR bit n of its result is the parity of bits 0 to n
//   PLM_SCAN_CLASSIFY   copies 64 bytes and finds quotes, backslashes and brackets

PLM_SCAN_TARGET
static plm_scan_end PLM_SCAN_NAME(plm_scan_state *state, plm_scan_job *job) {
    const char *bytes = job->bytes;
    const char *end = bytes + job->count * PLM_BLOCK_BYTES;
    char *copy = job->copy;
    plm_block *block = job->blocks;
    uint64_t in_string = state->in_string;
    uint64_t escaped = state->escaped;
    uint32_t depth = state->depth;
    plm_scan_end result = PLM_SCAN_MORE;
    while (bytes < end) {
        raw_block raw;
        PLM_SCAN_CLASSIFY(bytes, copy, &raw);
        uint64_t next_escaped = escaped;
        uint64_t quotes = raw.quotes & ~escaped_bytes(raw.backslashes, &next_escaped);
        uint64_t strings = PLM_SCAN_PREFIX_XOR(quotes) ^ in_string;
        uint64_t opens = raw.opens & ~strings;
        uint64_t closes = raw.closes & ~strings;
        uint32_t opened = (uint32_t)__builtin_popcountll(opens);
        uint32_t closed = (uint32_t)__builtin_popcountll(closes);
        if (depth + opened > job->max_depth) {
            result = PLM_SCAN_DEEP;
            break;
        }
        *block = (plm_block){quotes, opens, closes, raw.odd, depth, closed};
        if (closed >= depth && closes_all(block, depth)) {
            bytes += PLM_BLOCK_BYTES;
            result = PLM_SCAN_CLOSED;
            break;
        }
        if (opens != 0 && depth <= IMAGE_DEPTH && may_begin_image(job, bytes, opens)) {
            result = PLM_SCAN_IMAGE;
            break;
        }
        bytes += PLM_BLOCK_BYTES;
        in_string = (uint64_t)((int64_t)strings >> 63);
        escaped = next_escaped;
        depth += opened - closed;
        copy += PLM_BLOCK_BYTES;
        block++;
    }
    *state = (plm_scan_state){in_string, escaped, depth};
    job->done = (size_t)(bytes - job->bytes) / PLM_BLOCK_BYTES;
    return result;
}

#undef PLM_SCAN_NAME
#undef PLM_SCAN_TARGET
#undef PLM_SCAN_PREFIX_XOR
#undef PLM_SCAN_CLASSIFY

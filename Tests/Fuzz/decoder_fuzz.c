// Fuzzes the decoder of JSON: whatever the bytes are and however they are cut, it must neither
// crash nor leak, must say the same as when it is fed the whole at once, and the same with every
// scanner as where yajl reads every byte. Where yajl finds a fault, it must have said no less until
// then. Run by `make fuzz`.

#include "digest.h"

static void compare(const digest *expected, const digest *found, bool may_go_on, const char *what,
                    size_t chunk) {
    size_t least = expected->count < found->count ? expected->count : found->count;
    bool same = memcmp(expected->events, found->events, least * sizeof *expected->events) == 0;
    if (!expected->failed) {
        same &= !found->failed && expected->count == found->count;
    } else if (may_go_on) {
        same &= found->count >= expected->count;
    } else {
        // More or fewer events may have come before the fault was seen.
        same &= found->failed;
    }
    require_same(same, expected, found, what, chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    size_t chunk = data[0] % 64 + 1;
    bool bounded = (data[0] & 0x40) == 0;
    if (!bounded && size > 32768) {
        // What is read from a file, not made by the fuzzer: in pieces as they come from a socket.
        chunk *= 256;
    }
    plm_projection projection = {
        .whole_objects = (data[0] & 0x80) != 0, .strict = true, .wire_format = PLM_WIRE_JSON};
    digest *whole = decode(data + 1, size - 1, bounded, size, projection);
    digest *pieces = decode(data + 1, size - 1, bounded, chunk, projection);
    compare(whole, pieces, false, "strict", chunk);
    free(pieces);
    projection.strict = false;
    const plm_scanner scanners[] = {PLM_SCANNER_AUTOMATIC, PLM_SCANNER_SCALAR, PLM_SCANNER_SSE2};
    for (size_t index = 0; index < sizeof scanners / sizeof *scanners; index++) {
        projection.scanner = scanners[index];
        if (!plm_scanner_is_available(projection.scanner)) {
            continue;
        }
        digest *fast = decode(data + 1, size - 1, bounded, index == 0 ? size : chunk, projection);
        compare(whole, fast, true, "the node reader", chunk);
        free(fast);
    }
    free(whole);
    return 0;
}

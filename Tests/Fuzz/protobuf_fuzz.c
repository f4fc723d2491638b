// Fuzzes the decoder of protobuf: whatever the bytes are and however they are cut, it must neither
// crash nor leak, and must say the same as when it is fed the whole at once, and the same where it
// finds images by their bytes as where it parses each. What the strict reader rejects the other may
// take, where the fault is in bytes that it skips. Run by `make fuzz`.

#include "digest.h"

static void compare(const digest *expected, const digest *found, bool may_take_more,
                    const char *what, size_t chunk) {
    bool is_cut = may_take_more && expected->first_rejection != SIZE_MAX;
    size_t count = is_cut ? expected->first_rejection : expected->count;
    bool same = found->count >= count &&
                memcmp(expected->events, found->events, count * sizeof *expected->events) == 0;
    if (!is_cut) {
        same &= found->count == expected->count && found->failed == expected->failed;
    }
    require_same(same, expected, found, what, chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    size_t chunk = data[0] % 64 + 1;
    bool bounded = (data[0] & 0x40) == 0;
    plm_projection projection = {.strict = true, .wire_format = PLM_WIRE_PROTOBUF};
    digest *whole = decode(data + 1, size - 1, bounded, size, projection);
    digest *pieces = decode(data + 1, size - 1, bounded, chunk, projection);
    compare(whole, pieces, false, "strict", chunk);
    free(pieces);
    projection.strict = false;
    digest *fast = decode(data + 1, size - 1, bounded, chunk, projection);
    compare(whole, fast, true, "the reader that knows images", chunk);
    free(fast);
    free(whole);
    return 0;
}

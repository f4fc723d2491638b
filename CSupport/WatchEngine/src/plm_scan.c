#include "plm_scan.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/// What stands in a block, strings or not.
typedef struct raw_block {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t opens;
    uint64_t closes;
    /// Backslashes, and what is below a space or above ASCII.
    uint64_t odd;
} raw_block;

// The other bracket of a pair differs in one bit: '[' | 0x20 is '{', ']' | 0x20 is '}'.
#define BRACKET_BIT 0x20

// MARK: Shared by all scanners

/// Bytes that an odd run of backslashes precedes. `*carry` is 1 where the block before ends in one.
static inline uint64_t escaped_bytes(uint64_t backslashes, uint64_t *carry) {
    if (backslashes == 0) {
        uint64_t escaped = *carry;
        *carry = 0;
        return escaped;
    }
    const uint64_t even = 0x5555555555555555u;
    backslashes &= ~*carry;
    uint64_t follows = backslashes << 1 | *carry;
    // Adding a run's first bit to the run carries to the byte after it; where the run began at an
    // odd place, that byte's parity tells the run's length.
    uint64_t odd_starts = backslashes & ~even & ~follows;
    unsigned long long sequences;
    *carry = __builtin_uaddll_overflow(odd_starts, backslashes, &sequences);
    return (even ^ (uint64_t)sequences << 1) & follows;
}

/// Bit n of the result is the parity of bits 0 to n: the bytes from an opening quote to the one
/// before its closing quote.
static inline uint64_t prefix_xor(uint64_t bits) {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^= bits << 32;
    return bits;
}

/// Whether the last of `depth` open brackets closes in this block. Keeps the masks up to there.
__attribute__((noinline, cold)) static bool closes_all(plm_block *block, uint32_t depth) {
    for (uint64_t rest = block->opens | block->closes; rest != 0; rest &= rest - 1) {
        uint64_t bit = rest & -rest;
        if (block->opens & bit) {
            depth++;
        } else if (depth <= 1) {
            uint64_t kept = bit | (bit - 1);
            block->quotes &= kept;
            block->opens &= kept;
            block->closes &= kept;
            return true;
        } else {
            depth--;
        }
    }
    return false;
}

/// Brackets open where an image may begin, in its block: those of the object, its status, the list,
/// and what closes before it.
#define IMAGE_DEPTH 4u

/// Whether one of the brackets in `opens` is followed by what an image begins with.
__attribute__((noinline)) static bool may_begin_image(plm_scan_job *job, const char *bytes,
                                                      uint64_t opens) {
    static const char begin[] = "{\"names\"";
    if (job->images_from == NULL) {
        return false;
    }
    for (; opens != 0; opens &= opens - 1) {
        const char *at = bytes + __builtin_ctzll(opens);
        if ((size_t)(job->end - at) >= sizeof begin && at >= job->images_from &&
            memcmp(at, begin, sizeof begin - 1) == 0) {
            job->image = at;
            return true;
        }
    }
    return false;
}

// MARK: Without SIMD

static inline void classify_scalar(const char *bytes, char *copy, raw_block *raw) {
    // The same place where a block is scanned again.
    memmove(copy, bytes, PLM_BLOCK_BYTES);
    *raw = (raw_block){0, 0, 0, 0, 0};
    for (unsigned index = 0; index < PLM_BLOCK_BYTES; index++) {
        unsigned char byte = (unsigned char)copy[index];
        raw->quotes |= (uint64_t)(byte == '"') << index;
        raw->backslashes |= (uint64_t)(byte == '\\') << index;
        raw->opens |= (uint64_t)((byte | BRACKET_BIT) == '{') << index;
        raw->closes |= (uint64_t)((byte | BRACKET_BIT) == '}') << index;
        raw->odd |= (uint64_t)(byte < ' ' || byte > 0x7f || byte == '\\') << index;
    }
}

#define PLM_SCAN_NAME scan_scalar
#define PLM_SCAN_TARGET
#define PLM_SCAN_PREFIX_XOR prefix_xor
#define PLM_SCAN_CLASSIFY classify_scalar
#include "plm_scan_loop.h"

// MARK: x86-64

#if defined(__x86_64__)

static inline uint64_t mask_sse2(__m128i first, __m128i second, __m128i third, __m128i fourth) {
    return (uint64_t)(uint32_t)_mm_movemask_epi8(first) |
           (uint64_t)(uint32_t)_mm_movemask_epi8(second) << 16 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(third) << 32 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(fourth) << 48;
}

static inline uint64_t equal_sse2(const __m128i part[4], char byte) {
    __m128i wanted = _mm_set1_epi8(byte);
    return mask_sse2(_mm_cmpeq_epi8(part[0], wanted), _mm_cmpeq_epi8(part[1], wanted),
                     _mm_cmpeq_epi8(part[2], wanted), _mm_cmpeq_epi8(part[3], wanted));
}

static inline void classify_sse2(const char *bytes, char *copy, raw_block *raw) {
    __m128i part[4];
    for (int index = 0; index < 4; index++) {
        part[index] = _mm_loadu_si128((const __m128i *)bytes + index);
        _mm_storeu_si128((__m128i *)copy + index, part[index]);
    }
    raw->quotes = equal_sse2(part, '"');
    raw->backslashes = equal_sse2(part, '\\');
    // Signed, what is above ASCII is below a space too.
    __m128i space = _mm_set1_epi8(' ');
    raw->odd = mask_sse2(_mm_cmplt_epi8(part[0], space), _mm_cmplt_epi8(part[1], space),
                         _mm_cmplt_epi8(part[2], space), _mm_cmplt_epi8(part[3], space)) |
               raw->backslashes;
    for (int index = 0; index < 4; index++) {
        part[index] = _mm_or_si128(part[index], _mm_set1_epi8(BRACKET_BIT));
    }
    raw->opens = equal_sse2(part, '{');
    raw->closes = equal_sse2(part, '}');
}

#define PLM_SCAN_NAME scan_sse2
#define PLM_SCAN_TARGET
#define PLM_SCAN_PREFIX_XOR prefix_xor
#define PLM_SCAN_CLASSIFY classify_sse2
#include "plm_scan_loop.h"

#define AVX2 __attribute__((target("avx2,popcnt,bmi,pclmul")))

AVX2 static inline uint64_t mask_avx2(__m256i low, __m256i high) {
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

/// A carry-less product with all ones is the same.
AVX2 static inline uint64_t prefix_xor_clmul(uint64_t bits) {
    __m128i product =
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)bits), _mm_set1_epi8('\xff'), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

AVX2 static inline void classify_avx2(const char *bytes, char *copy, raw_block *raw) {
    __m256i low = _mm256_loadu_si256((const __m256i *)bytes);
    __m256i high = _mm256_loadu_si256((const __m256i *)bytes + 1);
    _mm256_storeu_si256((__m256i *)copy, low);
    _mm256_storeu_si256((__m256i *)copy + 1, high);
    __m256i quote = _mm256_set1_epi8('"');
    raw->quotes = mask_avx2(_mm256_cmpeq_epi8(low, quote), _mm256_cmpeq_epi8(high, quote));
    __m256i backslash = _mm256_set1_epi8('\\');
    __m256i low_backslashes = _mm256_cmpeq_epi8(low, backslash);
    __m256i high_backslashes = _mm256_cmpeq_epi8(high, backslash);
    raw->backslashes = mask_avx2(low_backslashes, high_backslashes);
    // Signed, what is above ASCII is below a space too. Opaque, or clang takes this mask apart bit
    // by bit.
    __m256i space = _mm256_set1_epi8(' ');
    __m256i low_odd = _mm256_or_si256(_mm256_cmpgt_epi8(space, low), low_backslashes);
    __m256i high_odd = _mm256_or_si256(_mm256_cmpgt_epi8(space, high), high_backslashes);
    __asm__("" : "+x"(low_odd), "+x"(high_odd));
    raw->odd = mask_avx2(low_odd, high_odd);
    __m256i bit = _mm256_set1_epi8(BRACKET_BIT);
    low = _mm256_or_si256(low, bit);
    high = _mm256_or_si256(high, bit);
    __m256i open = _mm256_set1_epi8('{');
    __m256i close = _mm256_set1_epi8('}');
    raw->opens = mask_avx2(_mm256_cmpeq_epi8(low, open), _mm256_cmpeq_epi8(high, open));
    raw->closes = mask_avx2(_mm256_cmpeq_epi8(low, close), _mm256_cmpeq_epi8(high, close));
}

#define PLM_SCAN_NAME scan_avx2
#define PLM_SCAN_TARGET AVX2
#define PLM_SCAN_PREFIX_XOR prefix_xor_clmul
#define PLM_SCAN_CLASSIFY classify_avx2
#include "plm_scan_loop.h"

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("pclmul");
}

#endif

// MARK: AArch64

#if defined(__aarch64__)

static inline uint64_t mask_neon(const uint8x16_t found[4]) {
    // One bit of each byte, then neighbours added until eight bytes are one.
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bit = vld1q_u8(bits);
    uint8x16_t low = vpaddq_u8(vandq_u8(found[0], bit), vandq_u8(found[1], bit));
    uint8x16_t high = vpaddq_u8(vandq_u8(found[2], bit), vandq_u8(found[3], bit));
    uint8x16_t sum = vpaddq_u8(low, high);
    sum = vpaddq_u8(sum, sum);
    return vgetq_lane_u64(vreinterpretq_u64_u8(sum), 0);
}

static inline uint64_t equal_neon(const uint8x16_t part[4], uint8_t byte) {
    uint8x16_t found[4];
    for (int index = 0; index < 4; index++) {
        found[index] = vceqq_u8(part[index], vdupq_n_u8(byte));
    }
    return mask_neon(found);
}

static inline void classify_neon(const char *bytes, char *copy, raw_block *raw) {
    uint8x16_t part[4];
    for (int index = 0; index < 4; index++) {
        part[index] = vld1q_u8((const uint8_t *)bytes + index * 16);
        vst1q_u8((uint8_t *)copy + index * 16, part[index]);
    }
    raw->quotes = equal_neon(part, '"');
    raw->backslashes = equal_neon(part, '\\');
    uint8x16_t odd[4];
    for (int index = 0; index < 4; index++) {
        // Signed, what is above ASCII is below a space too.
        odd[index] = vcltq_s8(vreinterpretq_s8_u8(part[index]), vdupq_n_s8(' '));
    }
    raw->odd = mask_neon(odd) | raw->backslashes;
    for (int index = 0; index < 4; index++) {
        part[index] = vorrq_u8(part[index], vdupq_n_u8(BRACKET_BIT));
    }
    raw->opens = equal_neon(part, '{');
    raw->closes = equal_neon(part, '}');
}

#define PLM_SCAN_NAME scan_neon
#define PLM_SCAN_TARGET
#define PLM_SCAN_PREFIX_XOR prefix_xor
#define PLM_SCAN_CLASSIFY classify_neon
#include "plm_scan_loop.h"

#endif

// MARK: Choice

plm_scan_function *plm_scan_choose(plm_scanner scanner) {
    switch (scanner) {
    case PLM_SCANNER_SCALAR: return scan_scalar;
#if defined(__x86_64__)
    case PLM_SCANNER_SSE2: return scan_sse2;
    case PLM_SCANNER_AVX2: return has_avx2() ? scan_avx2 : NULL;
    case PLM_SCANNER_AUTOMATIC: return has_avx2() ? scan_avx2 : scan_sse2;
#elif defined(__aarch64__)
    case PLM_SCANNER_NEON:
    case PLM_SCANNER_AUTOMATIC: return scan_neon;
#else
    case PLM_SCANNER_AUTOMATIC: return scan_scalar;
#endif
    default: return NULL;
    }
}

bool plm_scanner_is_available(plm_scanner scanner) {
    return plm_scan_choose(scanner) != NULL;
}

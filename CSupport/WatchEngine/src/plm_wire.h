#pragma once

// Fields of a protobuf message that is whole in memory. Nothing is read beyond its end, whatever
// its lengths say. Encoding: https://protobuf.dev/programming-guides/encoding/

#include "plm.h"

typedef enum plm_wire_type {
    PLM_WIRE_VARINT = 0,
    PLM_WIRE_FIXED64 = 1,
    PLM_WIRE_BYTES = 2,
    PLM_WIRE_FIXED32 = 5,
} plm_wire_type;

#define PLM_MAX_VARINT_BYTES 10u

/// Fields are read from `at` on.
typedef struct plm_wire {
    const char *at;
    const char *end;
    /// It is the beginning of a longer message: what its last field lacks is no fault.
    bool is_cut;
    /// NULL, or what is wrong at `at`.
    const char *fault;
} plm_wire;

typedef struct plm_wire_field {
    uint32_t number;
    plm_wire_type type;
    /// Of a varint; of any other type nothing.
    uint64_t value;
    /// Of bytes.
    plm_text bytes;
} plm_wire_field;

static inline plm_wire plm_wire_begin(plm_text message) {
    return (plm_wire){message.bytes, message.bytes + message.length, false, NULL};
}

/// Reads a varint of at most 64 bits. Returns where it ends, or NULL where it does not end in time
/// or before `end`.
static inline const char *plm_wire_varint(const char *at, const char *end, uint64_t *value) {
    if (at < end && (unsigned char)*at < 0x80) {
        *value = (unsigned char)*at;
        return at + 1;
    }
    uint64_t result = 0;
    for (unsigned index = 0; index < PLM_MAX_VARINT_BYTES && at < end; index++, at++) {
        unsigned char byte = (unsigned char)*at;
        if (index == PLM_MAX_VARINT_BYTES - 1 && byte > 1) {
            return NULL;
        }
        result |= (uint64_t)(byte & 0x7f) << (7 * index);
        if (byte < 0x80) {
            *value = result;
            return at + 1;
        }
    }
    return NULL;
}

/// Splits a tag. False where it is none that Kubernetes writes.
static inline bool plm_wire_tag(uint64_t tag, plm_wire_field *field) {
    field->number = (uint32_t)(tag >> 3);
    field->type = (plm_wire_type)(tag & 7);
    return tag >> 3 != 0 && tag <= UINT32_MAX &&
           (field->type <= PLM_WIRE_BYTES || field->type == PLM_WIRE_FIXED32);
}

/// Reads the next field, whatever it is. False at the end, and at a fault.
bool plm_wire_next_any(plm_wire *wire, plm_wire_field *field);

/// The same, quick for nearly all: bytes under a number up to 15, fewer than 16 KiB of them.
static inline bool plm_wire_next(plm_wire *wire, plm_wire_field *field) {
    const unsigned char *at = (const unsigned char *)wire->at;
    ptrdiff_t left = wire->end - wire->at;
    if (left >= 3 && (at[0] & 0x87) == PLM_WIRE_BYTES && at[0] > 7) {
        bool is_long = at[1] >= 0x80;
        ptrdiff_t length = is_long ? (at[1] & 0x7f) | at[2] << 7 : at[1];
        ptrdiff_t begin = is_long ? 3 : 2;
        if (!(is_long && at[2] >= 0x80) && length <= left - begin) {
            field->number = at[0] >> 3;
            field->type = PLM_WIRE_BYTES;
            field->bytes = (plm_text){wire->at + begin, (size_t)length};
            wire->at += begin + length;
            return true;
        }
    }
    return plm_wire_next_any(wire, field);
}

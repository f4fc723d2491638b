#include "plm_wire.h"

static bool fail(plm_wire *self, const char *fault) {
    if (!self->is_cut) {
        self->fault = fault;
    }
    return false;
}

bool plm_wire_next_any(plm_wire *self, plm_wire_field *field) {
    if (self->at == self->end) {
        return false;
    }
    uint64_t number;
    const char *at = plm_wire_varint(self->at, self->end, &number);
    if (at == NULL) {
        return fail(self, "a tag that does not end");
    }
    if (!plm_wire_tag(number, field)) {
        return fail(self, "a tag of no known type");
    }
    size_t left = (size_t)(self->end - at);
    switch (field->type) {
    case PLM_WIRE_VARINT:
        at = plm_wire_varint(at, self->end, &field->value);
        if (at == NULL) {
            return fail(self, "a number that does not end");
        }
        break;
    case PLM_WIRE_BYTES:
        at = plm_wire_varint(at, self->end, &number);
        if (at == NULL) {
            return fail(self, "a length that does not end");
        }
        left = (size_t)(self->end - at);
        if (number > left) {
            if (!self->is_cut) {
                return fail(self, "a length beyond the end");
            }
            number = left;
        }
        field->bytes = (plm_text){at, (size_t)number};
        at += number;
        break;
    case PLM_WIRE_FIXED64:
    case PLM_WIRE_FIXED32: {
        size_t size = field->type == PLM_WIRE_FIXED64 ? 8 : 4;
        if (left < size) {
            return fail(self, "a number beyond the end");
        }
        at += size;
        break;
    }
    }
    self->at = at;
    return true;
}

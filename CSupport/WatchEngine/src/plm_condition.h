#pragma once

// The conditions of a Node that are kept.

#include <string.h>

#include "plm_reading.h"

typedef enum plm_condition_type {
    PLM_CONDITION_TYPE_OTHER,
    PLM_CONDITION_TYPE_READY,
    PLM_CONDITION_TYPE_DISK_PRESSURE,
} plm_condition_type;

static inline plm_condition_type plm_condition_type_of(plm_text type) {
    if (type.length == 5 && memcmp(type.bytes, "Ready", 5) == 0) {
        return PLM_CONDITION_TYPE_READY;
    }
    if (type.length == 12 && memcmp(type.bytes, "DiskPressure", 12) == 0) {
        return PLM_CONDITION_TYPE_DISK_PRESSURE;
    }
    return PLM_CONDITION_TYPE_OTHER;
}

static inline plm_condition plm_condition_status_of(plm_text status) {
    if (status.length == 4 && memcmp(status.bytes, "True", 4) == 0) {
        return PLM_CONDITION_TRUE;
    }
    if (status.length == 5 && memcmp(status.bytes, "False", 5) == 0) {
        return PLM_CONDITION_FALSE;
    }
    return PLM_CONDITION_UNKNOWN;
}

static inline void plm_condition_keep(plm_projected *values, plm_condition_type type,
                                      plm_condition status) {
    switch (type) {
    case PLM_CONDITION_TYPE_READY: values->ready = status; break;
    case PLM_CONDITION_TYPE_DISK_PRESSURE: values->disk_pressure = status; break;
    case PLM_CONDITION_TYPE_OTHER: break;
    }
}

#include "plm_batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/// Room for `needed` events and the failure that may follow.
static bool reserve(plm_batch_builder *batch, size_t needed) {
    void *events = batch->events;
    if (!plm_array_grow(batch->allocator, &events, &batch->capacity, needed + 1,
                        sizeof *batch->events)) {
        return false;
    }
    batch->events = events;
    return true;
}

bool plm_batch_init(plm_batch_builder *batch, const plm_allocator *allocator) {
    *batch = (plm_batch_builder){.allocator = allocator};
    return reserve(batch, 0);
}

void plm_batch_free(plm_batch_builder *batch) {
    plm_deallocate(batch->allocator, batch->events);
    plm_arena_free(batch->allocator, &batch->arena);
}

void plm_batch_begin(plm_batch_builder *batch) {
    batch->count = 0;
    plm_arena_reset(batch->allocator, &batch->arena);
}

plm_event *plm_batch_add(plm_batch_builder *batch, plm_event_kind kind) {
    if (!reserve(batch, batch->count + 1)) {
        return NULL;
    }
    plm_event *event = &batch->events[batch->count++];
    *event = (plm_event){.kind = kind};
    return event;
}

plm_failure *plm_batch_fail(plm_batch_builder *batch, plm_failure_kind kind, const char *format,
                            ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);

    plm_event *event = &batch->events[batch->count++];
    *event = (plm_event){.kind = PLM_EVENT_FAILURE};
    event->failure.kind = kind;
    plm_batch_copy(batch, (plm_text){message, strlen(message)}, &event->failure.message);
    return &event->failure;
}

bool plm_batch_copy(plm_batch_builder *batch, plm_text text, plm_text *copy) {
    *copy = (plm_text){NULL, 0};
    if (text.bytes == NULL) {
        return true;
    }
    char *bytes = plm_arena_allocate(batch->allocator, &batch->arena, text.length + 1);
    if (bytes == NULL) {
        return false;
    }
    memcpy(bytes, text.bytes, text.length);
    *copy = (plm_text){bytes, text.length};
    return true;
}

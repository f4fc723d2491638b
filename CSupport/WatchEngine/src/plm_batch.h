#pragma once

// Collects the events of one batch; what they point to lives until the next batch begins.

#include "plm_memory.h"

typedef struct plm_batch_builder {
    const plm_allocator *allocator;
    plm_event *events;
    size_t count;
    size_t capacity;
    plm_arena arena;
} plm_batch_builder;

bool plm_batch_init(plm_batch_builder *batch, const plm_allocator *allocator);
void plm_batch_free(plm_batch_builder *batch);
void plm_batch_begin(plm_batch_builder *batch);
/// Appends an event, zeroed but for its kind. NULL when memory is short.
plm_event *plm_batch_add(plm_batch_builder *batch, plm_event_kind kind);
/// Appends a failure: always succeeds, for there is always room for one more event. The message is
/// cut, or empty, when memory is short.
plm_failure *plm_batch_fail(plm_batch_builder *batch, plm_failure_kind kind, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));
/// Copies a text into the batch; absent stays absent. False when memory is short.
bool plm_batch_copy(plm_batch_builder *batch, plm_text text, plm_text *copy);

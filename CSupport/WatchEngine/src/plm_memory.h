#pragma once

// Memory of the engine: one injectable allocator, and growable arrays with a cap.

#include "plm.h"

void *plm_allocate(const plm_allocator *allocator, size_t bytes);
void *plm_reallocate(const plm_allocator *allocator, void *memory, size_t bytes);
void plm_deallocate(const plm_allocator *allocator, void *memory);
/// The allocator over malloc, realloc and free.
extern const plm_allocator plm_default_allocator;

/// A buffer that one object made larger than this is not kept for the next.
#define PLM_KEPT_BYTES (1024u * 1024)

/// A growable byte buffer. Zero-initialised is empty.
typedef struct plm_buffer {
    char *bytes;
    size_t length;
    size_t capacity;
} plm_buffer;

/// Makes room for `extra` more bytes. False when memory is short; the buffer is unchanged then.
bool plm_buffer_reserve(const plm_allocator *allocator, plm_buffer *buffer, size_t extra);
bool plm_buffer_append(const plm_allocator *allocator, plm_buffer *buffer, const void *bytes,
                       size_t count);
void plm_buffer_free(const plm_allocator *allocator, plm_buffer *buffer);

/// Grows `*items` (of `item_bytes` each) so that `needed` fit. False when memory is short.
bool plm_array_grow(const plm_allocator *allocator, void **items, size_t *capacity, size_t needed,
                    size_t item_bytes);

/// A copy with a terminator, or NULL when memory is short.
char *plm_copy_bytes(const plm_allocator *allocator, const char *bytes, size_t count);

/// An arena of chunks that do not move: what is allocated stays where it is until the reset.
typedef struct plm_arena {
    struct plm_arena_chunk *first;
    struct plm_arena_chunk *current;
} plm_arena;

/// Aligned for any type. NULL when memory is short.
void *plm_arena_allocate(const plm_allocator *allocator, plm_arena *arena, size_t bytes);
/// Empties the arena; keeps one chunk for the next use.
void plm_arena_reset(const plm_allocator *allocator, plm_arena *arena);
void plm_arena_free(const plm_allocator *allocator, plm_arena *arena);

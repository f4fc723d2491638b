#include "plm_memory.h"

#include <stdlib.h>
#include <string.h>

static void *default_allocate(void *context, size_t bytes) {
    (void)context;
    return malloc(bytes);
}

static void *default_reallocate(void *context, void *memory, size_t bytes) {
    (void)context;
    return realloc(memory, bytes);
}

static void default_deallocate(void *context, void *memory) {
    (void)context;
    free(memory);
}

const plm_allocator plm_default_allocator = {default_allocate, default_reallocate,
                                             default_deallocate, NULL};

void *plm_allocate(const plm_allocator *allocator, size_t bytes) {
    return allocator->allocate(allocator->context, bytes);
}

void *plm_reallocate(const plm_allocator *allocator, void *memory, size_t bytes) {
    return allocator->reallocate(allocator->context, memory, bytes);
}

void plm_deallocate(const plm_allocator *allocator, void *memory) {
    if (memory != NULL) {
        allocator->deallocate(allocator->context, memory);
    }
}

bool plm_array_grow(const plm_allocator *allocator, void **items, size_t *capacity, size_t needed,
                    size_t item_bytes) {
    if (needed <= *capacity) {
        return true;
    }
    size_t grown = *capacity < 16 ? 16 : *capacity;
    while (grown < needed) {
        if (grown > SIZE_MAX / 2 / item_bytes) {
            return false;
        }
        grown *= 2;
    }
    void *moved = plm_reallocate(allocator, *items, grown * item_bytes);
    if (moved == NULL) {
        return false;
    }
    *items = moved;
    *capacity = grown;
    return true;
}

bool plm_buffer_reserve(const plm_allocator *allocator, plm_buffer *buffer, size_t extra) {
    if (extra > SIZE_MAX / 4 - buffer->length) {
        return false;
    }
    void *bytes = buffer->bytes;
    if (!plm_array_grow(allocator, &bytes, &buffer->capacity, buffer->length + extra, 1)) {
        return false;
    }
    buffer->bytes = bytes;
    return true;
}

bool plm_buffer_append(const plm_allocator *allocator, plm_buffer *buffer, const void *bytes,
                       size_t count) {
    if (count == 0) {
        return true;
    }
    if (!plm_buffer_reserve(allocator, buffer, count)) {
        return false;
    }
    memcpy(buffer->bytes + buffer->length, bytes, count);
    buffer->length += count;
    return true;
}

void plm_buffer_free(const plm_allocator *allocator, plm_buffer *buffer) {
    plm_deallocate(allocator, buffer->bytes);
    *buffer = (plm_buffer){NULL, 0, 0};
}

char *plm_copy_bytes(const plm_allocator *allocator, const char *bytes, size_t count) {
    char *copy = plm_allocate(allocator, count + 1);
    if (copy == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(copy, bytes, count);
    }
    copy[count] = '\0';
    return copy;
}

// MARK: Arena

#define ARENA_CHUNK_BYTES (32u * 1024)
#define ARENA_ALIGNMENT 16u

struct plm_arena_chunk {
    struct plm_arena_chunk *next;
    size_t used;
    size_t capacity;
    _Alignas(ARENA_ALIGNMENT) char bytes[];
};

void *plm_arena_allocate(const plm_allocator *allocator, plm_arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    bytes = (bytes + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    struct plm_arena_chunk *chunk = arena->current;
    if (chunk == NULL || chunk->capacity - chunk->used < bytes) {
        size_t capacity = bytes > ARENA_CHUNK_BYTES ? bytes : ARENA_CHUNK_BYTES;
        chunk = plm_allocate(allocator, sizeof *chunk + capacity);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->next = NULL;
        chunk->used = 0;
        chunk->capacity = capacity;
        if (arena->current == NULL) {
            arena->first = chunk;
        } else {
            arena->current->next = chunk;
        }
        arena->current = chunk;
    }
    void *memory = chunk->bytes + chunk->used;
    chunk->used += bytes;
    return memory;
}

static void free_chunks(const plm_allocator *allocator, struct plm_arena_chunk *chunk) {
    while (chunk != NULL) {
        struct plm_arena_chunk *next = chunk->next;
        plm_deallocate(allocator, chunk);
        chunk = next;
    }
}

void plm_arena_reset(const plm_allocator *allocator, plm_arena *arena) {
    struct plm_arena_chunk *kept = arena->first;
    if (kept == NULL) {
        return;
    }
    free_chunks(allocator, kept->next);
    if (kept->capacity > ARENA_CHUNK_BYTES) {
        plm_deallocate(allocator, kept);
        arena->first = arena->current = NULL;
        return;
    }
    kept->next = NULL;
    kept->used = 0;
    arena->current = kept;
}

void plm_arena_free(const plm_allocator *allocator, plm_arena *arena) {
    free_chunks(allocator, arena->first);
    arena->first = arena->current = NULL;
}

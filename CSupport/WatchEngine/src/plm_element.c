#include "plm_element.h"

#include <string.h>

#include "plm_image_hash.h"

/// Grown in steps of what one object in many needs.
#define FIRST_BYTES (16u * 1024)
/// Taken at a time, so that the buffer follows the object and not the chunk.
#define PIECE_BYTES (16u * 1024)

bool plm_element_init(plm_element *self, plm_client *client, plm_scanner scanner) {
    *self = (plm_element){.client = client, .scan = plm_scan_choose(scanner)};
    return self->scan != NULL;
}

static const plm_allocator *allocator_of(const plm_element *self) {
    return &self->client->allocator;
}

static void give_back(plm_element *self) {
    plm_buffer_free(allocator_of(self), &self->bytes);
    plm_deallocate(allocator_of(self), self->blocks);
    self->blocks = NULL;
    self->block_capacity = 0;
    plm_deallocate(allocator_of(self), self->known);
    self->known = NULL;
    self->known_capacity = 0;
}

void plm_element_clear(plm_element *self) {
    if (self->known_count > 0) {
        self->client->raw_images.pins--;
    }
    self->known_count = 0;
    self->hidden_bytes = 0;
    self->bytes.length = 0;
    self->state = (plm_scan_state){0, 0, 0};
    if (self->bytes.capacity > PLM_KEPT_BYTES) {
        give_back(self);
    }
}

void plm_element_free(plm_element *self) {
    if (self->client != NULL) {
        plm_element_clear(self);
        give_back(self);
    }
}

/// Makes room for bytes and the block that they end in, which is scanned whole.
static inline bool make_room(plm_element *self, size_t count) {
    if (self->bytes.capacity - self->bytes.length >= count + PLM_BLOCK_BYTES) {
        return true;
    }
    size_t extra = count < FIRST_BYTES ? FIRST_BYTES : count;
    void *blocks = self->blocks;
    if (!plm_buffer_reserve(allocator_of(self), &self->bytes, extra + PLM_BLOCK_BYTES) ||
        !plm_array_grow(allocator_of(self), &blocks, &self->block_capacity,
                        self->bytes.capacity / PLM_BLOCK_BYTES + 1, sizeof *self->blocks)) {
        return false;
    }
    self->blocks = blocks;
    return true;
}

/// The place after the closing bracket in the last block scanned, from that block's begin.
static size_t end_in_block(const plm_block *block) {
    return PLM_BLOCK_BYTES - (size_t)__builtin_clzll(block->closes);
}

/// Takes a few bytes, up to the end of the block that the bytes end in.
static plm_element_result append_part(plm_element *self, const char *bytes, size_t count,
                                      uint32_t max_depth, size_t *taken) {
    size_t before = self->bytes.length;
    size_t begin = before / PLM_BLOCK_BYTES * PLM_BLOCK_BYTES;
    char *block = self->bytes.bytes + begin;
    size_t filled = before - begin;
    size_t part = PLM_BLOCK_BYTES - filled < count ? PLM_BLOCK_BYTES - filled : count;
    memcpy(block + filled, bytes, part);
    filled += part;
    memset(block + filled, ' ', PLM_BLOCK_BYTES - filled);
    plm_scan_state state = self->state;
    plm_scan_job job = {
        .bytes = block,
        .count = 1,
        .copy = block,
        .blocks = self->blocks + begin / PLM_BLOCK_BYTES,
        .max_depth = max_depth,
    };
    switch (self->scan(&state, &job)) {
    case PLM_SCAN_DEEP: return PLM_ELEMENT_REFUSED;
    case PLM_SCAN_CLOSED:
        self->bytes.length = begin + end_in_block(job.blocks);
        *taken += self->bytes.length - before;
        return PLM_ELEMENT_WHOLE;
    case PLM_SCAN_MORE:
    case PLM_SCAN_IMAGE: break;
    }
    self->bytes.length = begin + filled;
    *taken += part;
    if (filled == PLM_BLOCK_BYTES) {
        self->state = state;
    }
    return PLM_ELEMENT_OPEN;
}

static inline bool make_room_for_known(plm_element *self) {
    if (self->known_count < self->known_capacity) {
        return true;
    }
    void *known = self->known;
    if (!plm_array_grow(allocator_of(self), &known, &self->known_capacity, self->known_count + 1,
                        sizeof *self->known)) {
        return false;
    }
    self->known = known;
    return true;
}

static inline bool find_image(const plm_element *self, const char *bytes, const char *end,
                              plm_raw_entry *entry) {
    size_t count = (size_t)(end - bytes);
    uint64_t hash = plm_image_hash(self->client, bytes, count);
    const plm_raw_slot *known = hash == 0 ? NULL : plm_image_find(self->client, hash, bytes, count);
    if (known != NULL) {
        *entry = plm_raw_cache_entry(known);
    }
    return known != NULL;
}

/// Takes the bytes before an image and, where it is known, the image and all known ones that follow
/// it. Sets `*images_from` past one that is not.
static plm_element_result take_images(plm_element *self, const char *bytes, const char *image,
                                      const char *end, const char **images_from, size_t *taken) {
    const char *at = image;
    plm_raw_entry entry;
    if (!find_image(self, at, end, &entry)) {
        *images_from = at + 1;
        return PLM_ELEMENT_OPEN;
    }
    size_t start = self->bytes.length;
    size_t before = (size_t)(image - bytes);
    memcpy(self->bytes.bytes + start, bytes, before);
    self->bytes.length += before;
    for (;;) {
        if (!make_room(self, 2) || !make_room_for_known(self)) {
            return PLM_ELEMENT_NO_MEMORY;
        }
        if (self->known_count == 0) {
            self->client->raw_images.pins++;
        }
        self->known[self->known_count++] = (plm_known_image){self->bytes.length, entry};
        self->bytes.bytes[self->bytes.length++] = PLM_KNOWN_IMAGE;
        self->hidden_bytes += entry.raw.length - 1;
        at += entry.raw.length;
        if (at == end || *at != ',' || !find_image(self, at + 1, end, &entry)) {
            break;
        }
        self->bytes.bytes[self->bytes.length++] = ',';
        at++;
    }
    *taken += (size_t)(at - bytes);
    // Whole blocks of what stands for images; it neither opens nor closes anything.
    size_t begin = start / PLM_BLOCK_BYTES * PLM_BLOCK_BYTES;
    plm_scan_job job = {
        .bytes = self->bytes.bytes + begin,
        .count = (self->bytes.length - begin) / PLM_BLOCK_BYTES,
        .copy = self->bytes.bytes + begin,
        .blocks = self->blocks + begin / PLM_BLOCK_BYTES,
        .max_depth = UINT32_MAX / 2,
    };
    self->scan(&self->state, &job);
    return PLM_ELEMENT_OPEN;
}

/// Takes some of the bytes.
static plm_element_result append_some(plm_element *self, const char *bytes, size_t count,
                                      uint32_t max_depth, const char **images_from, size_t *taken) {
    size_t piece = count < PIECE_BYTES ? count : PIECE_BYTES;
    if (!make_room(self, piece)) {
        return PLM_ELEMENT_NO_MEMORY;
    }
    size_t length = self->bytes.length;
    if (length % PLM_BLOCK_BYTES != 0 || piece < PLM_BLOCK_BYTES) {
        return append_part(self, bytes, piece, max_depth, taken);
    }
    plm_scan_job job = {
        .bytes = bytes,
        .count = piece / PLM_BLOCK_BYTES,
        .copy = self->bytes.bytes + length,
        .blocks = self->blocks + length / PLM_BLOCK_BYTES,
        .max_depth = max_depth,
        .images_from = *images_from,
        .end = bytes + count,
    };
    plm_scan_end end = self->scan(&self->state, &job);
    size_t done = job.done * PLM_BLOCK_BYTES;
    if (end == PLM_SCAN_CLOSED) {
        done -= PLM_BLOCK_BYTES - end_in_block(&job.blocks[job.done - 1]);
    }
    self->bytes.length += done;
    *taken += done;
    switch (end) {
    case PLM_SCAN_MORE: return PLM_ELEMENT_OPEN;
    case PLM_SCAN_CLOSED: return PLM_ELEMENT_WHOLE;
    case PLM_SCAN_DEEP: return PLM_ELEMENT_REFUSED;
    case PLM_SCAN_IMAGE: break;
    }
    return take_images(self, bytes + done, job.image, job.end, images_from, taken);
}

plm_element_result plm_element_append(plm_element *self, const char *bytes, size_t count,
                                      uint32_t max_depth, size_t *taken) {
    size_t max_bytes = self->client->limits.max_object_bytes;
    const char *images_from = bytes;
    plm_element_result result = PLM_ELEMENT_OPEN;
    *taken = 0;
    while (result == PLM_ELEMENT_OPEN && *taken < count) {
        result = append_some(self, bytes + *taken, count - *taken, max_depth, &images_from, taken);
        if (result != PLM_ELEMENT_NO_MEMORY &&
            self->bytes.length + self->hidden_bytes > max_bytes) {
            return PLM_ELEMENT_REFUSED;
        }
    }
    if (result == PLM_ELEMENT_WHOLE) {
        self->bytes.bytes[self->bytes.length] = '\0';
    }
    return result;
}

size_t plm_element_part(const plm_element *self, size_t number, plm_text *part) {
    // Between the images, and the images themselves, in turn.
    size_t index = number / 2;
    if (number % 2 == 1) {
        *part = self->known[index].entry.raw;
        return number + 1;
    }
    size_t begin = index == 0 ? 0 : self->known[index - 1].at + 1;
    bool is_last = index == self->known_count;
    size_t end = is_last ? self->bytes.length : self->known[index].at;
    *part = (plm_text){self->bytes.bytes + begin, end - begin};
    return is_last ? 0 : number + 1;
}

size_t plm_element_close(const plm_element *self, size_t at, uint32_t open, uint32_t left) {
    size_t length = self->bytes.length;
    size_t count = (length + PLM_BLOCK_BYTES - 1) / PLM_BLOCK_BYTES;
    size_t index = at / PLM_BLOCK_BYTES;
    uint64_t kept = ~(uint64_t)0 << (at % PLM_BLOCK_BYTES);
    for (;;) {
        const plm_block *block = &self->blocks[index];
        for (uint64_t rest = (block->opens | block->closes) & kept; rest != 0; rest &= rest - 1) {
            if (block->opens & rest & -rest) {
                open++;
            } else if (open <= left + 1) {
                return index * PLM_BLOCK_BYTES + (size_t)__builtin_ctzll(rest) + 1;
            } else {
                open--;
            }
        }
        kept = ~(uint64_t)0;
        // Only where enough of them close can the last one.
        do {
            if (++index == count) {
                return length;
            }
        } while (self->blocks[index].depth > left + self->blocks[index].closed);
        open = self->blocks[index].depth;
    }
}

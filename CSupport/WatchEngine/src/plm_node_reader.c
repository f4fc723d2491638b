#include "plm_node_reader.h"

#include <string.h>

#include "plm_condition.h"
#include "plm_image_hash.h"
#include "plm_image_list.h"
#include "plm_places.h"
#include "plm_shard.h"
#include "plm_text.h"

/// With more labels than these, everything is left to the projector.
#define MAX_LABELS 64u
/// A decimal of so many digits fits 63 bits.
#define MAX_PLAIN_DIGITS 18u

struct plm_node_reader {
    const plm_client *client;
    const plm_wanted *wanted;
    /// One bit for each of their lengths, modulo 64.
    uint64_t label_lengths;
    /// The same of the keys of each map.
    uint64_t key_lengths[PLACE_TEXT];
    plm_reading reading;
    /// Index into `labels` of what fills a slot; SIZE_MAX while empty.
    size_t label_rank[PLM_LABEL_SLOTS];

    plm_image_list images;

    // The element at hand.
    const plm_element *element;
    bool is_excluded;
    const char *bytes;
    size_t length;
    /// Into `element->known`.
    size_t next_known;
};

// Reading goes from place to place: each step takes where it is and gives where it has come to,
// past the white space that follows; GIVEN_UP, which is no place to come to, where it meets what it
// is not made for. A NUL ends the bytes, so what is looked for is not found beyond them.
#define GIVEN_UP ((size_t)0)

// MARK: Steps

static inline size_t skip_space(const plm_node_reader *self, size_t at) {
    for (;; at++) {
        unsigned char byte = (unsigned char)self->bytes[at];
        if (byte > ' ' || (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')) {
            return at;
        }
    }
}

/// Takes a byte that must come.
static inline size_t take(const plm_node_reader *self, size_t at, char byte) {
    return self->bytes[at] == byte ? skip_space(self, at + 1) : GIVEN_UP;
}

/// Takes a string as it stands between its quotes; whether it is plain is another question.
static inline size_t read_any_string(const plm_node_reader *self, size_t at, plm_text *text) {
    if (self->bytes[at] != '"') {
        return GIVEN_UP;
    }
    size_t begin = at + 1;
    size_t end = plm_element_quote(self->element, begin);
    if (end == self->length) {
        return GIVEN_UP;
    }
    *text = (plm_text){self->bytes + begin, end - begin};
    return skip_space(self, end + 1);
}

/// Takes a string that means what it says: ASCII without escapes.
static inline size_t read_string(const plm_node_reader *self, size_t at, plm_text *text) {
    if (self->bytes[at] != '"') {
        return GIVEN_UP;
    }
    size_t begin = at + 1;
    const plm_block *block = &self->element->blocks[begin / PLM_BLOCK_BYTES];
    uint64_t quotes = block->quotes >> (begin % PLM_BLOCK_BYTES);
    if (quotes != 0) {
        // Nearly all: it ends in the block where it begins.
        uint64_t before = (quotes & -quotes) - 1;
        if ((block->odd >> (begin % PLM_BLOCK_BYTES)) & before) {
            return GIVEN_UP;
        }
        size_t length = (size_t)__builtin_ctzll(quotes);
        *text = (plm_text){self->bytes + begin, length};
        return skip_space(self, begin + length + 1);
    }
    size_t end = read_any_string(self, at, text);
    if (end == GIVEN_UP || !plm_element_is_plain(self->element, begin, begin + text->length)) {
        return GIVEN_UP;
    }
    return end;
}

static inline size_t read_key(const plm_node_reader *self, size_t at, plm_text *key) {
    at = read_string(self, at, key);
    return at == GIVEN_UP ? GIVEN_UP : take(self, at, ':');
}

/// Begins a map or an array; one without elements is taken whole.
static inline size_t begin_container(const plm_node_reader *self, size_t at, char open, char close,
                                     bool *is_empty) {
    at = take(self, at, open);
    *is_empty = at != GIVEN_UP && self->bytes[at] == close;
    return *is_empty ? take(self, at, close) : at;
}

/// After an element of a map or an array: past the comma, or at what stands there instead.
static inline size_t next_element(const plm_node_reader *self, size_t at, bool *more) {
    *more = self->bytes[at] == ',';
    return *more ? skip_space(self, at + 1) : at;
}

/// Skips whatever value comes. `depth` brackets are open.
static inline size_t skip_value(const plm_node_reader *self, size_t at, uint32_t depth) {
    plm_text text;
    switch (self->bytes[at]) {
    case '"': return read_any_string(self, at, &text);
    case '{':
    case '[': return skip_space(self, plm_element_close(self->element, at, depth, depth));
    default: break;
    }
    size_t begin = at;
    for (;; at++) {
        char byte = self->bytes[at];
        if (!((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == '-' ||
              byte == '+' || byte == '.' || byte == 'E')) {
            return at == begin ? GIVEN_UP : skip_space(self, at);
        }
    }
}

/// Skips what is left of a map, the innermost of `depth` open brackets.
static inline size_t skip_rest(const plm_node_reader *self, size_t at, uint32_t depth) {
    at = plm_element_close(self->element, at, depth, depth - 1);
    return self->bytes[at - 1] == '}' ? skip_space(self, at) : GIVEN_UP;
}

/// Takes a plain decimal.
static size_t read_integer(const plm_node_reader *self, size_t at, int64_t *value) {
    size_t begin = at;
    int64_t result = 0;
    for (; self->bytes[at] >= '0' && self->bytes[at] <= '9'; at++) {
        if (at - begin == MAX_PLAIN_DIGITS) {
            return GIVEN_UP;
        }
        result = result * 10 + (self->bytes[at] - '0');
    }
    if (at == begin || (self->bytes[begin] == '0' && at - begin > 1)) {
        return GIVEN_UP;
    }
    *value = result;
    return skip_space(self, at);
}

static size_t read_boolean(const plm_node_reader *self, size_t at, bool *value) {
    // Shorter than the block that the bytes are padded with.
    *value = memcmp(self->bytes + at, "true", 4) == 0;
    if (*value) {
        return skip_space(self, at + 4);
    }
    return memcmp(self->bytes + at, "false", 5) == 0 ? skip_space(self, at + 5) : GIVEN_UP;
}

// MARK: Images

static size_t read_names(plm_node_reader *self, size_t at) {
    bool is_empty;
    at = begin_container(self, at, '[', ']', &is_empty);
    if (at == GIVEN_UP || is_empty) {
        return at;
    }
    bool more;
    do {
        plm_text name;
        at = read_string(self, at, &name);
        if (at == GIVEN_UP || name.length > self->client->limits.max_image_name_bytes ||
            !plm_image_list_add_name(&self->images, &self->client->allocator, name)) {
            return GIVEN_UP;
        }
        at = next_element(self, at, &more);
    } while (more);
    return take(self, at, ']');
}

/// Reads an image that was not found by its bytes.
static size_t parse_image(plm_node_reader *self, size_t at, uint32_t depth, plm_raw_image *image) {
    bool is_empty;
    at = begin_container(self, at, '{', '}', &is_empty);
    if (at == GIVEN_UP || is_empty) {
        return at;
    }
    bool has_names = false;
    bool has_size = false;
    bool more;
    do {
        plm_text key;
        at = read_key(self, at, &key);
        if (at == GIVEN_UP) {
            return GIVEN_UP;
        }
        switch (plm_place_of_key(PLACE_IMAGE, key.bytes, key.length)) {
        case PLACE_NAMES:
            at = has_names ? GIVEN_UP : read_names(self, at);
            has_names = true;
            break;
        case PLACE_IMAGE_SIZE:
            at = has_size ? GIVEN_UP : read_integer(self, at, &image->size_bytes);
            has_size = true;
            break;
        default: at = skip_value(self, at, depth + 1); break;
        }
        if (at == GIVEN_UP) {
            return GIVEN_UP;
        }
        at = next_element(self, at, &more);
    } while (more);
    return take(self, at, '}');
}

/// An image that was taken out of the element, or NULL.
static inline const plm_known_image *known_at(plm_node_reader *self, size_t at) {
    const plm_element *element = self->element;
    // Others were in places that nobody looked at.
    while (self->next_known < element->known_count && element->known[self->next_known].at < at) {
        self->next_known++;
    }
    bool is_known =
        self->next_known < element->known_count && element->known[self->next_known].at == at;
    return is_known ? &element->known[self->next_known++] : NULL;
}

/// An image that is known already.
static inline void keep_known(plm_raw_image *image, uint32_t id, int64_t size_bytes) {
    image->has_id = true;
    image->id = id;
    image->size_bytes = size_bytes;
}

static size_t read_image(plm_node_reader *self, size_t at, uint32_t depth) {
    if (self->images.count >= self->client->limits.max_images_per_node) {
        return GIVEN_UP;
    }
    plm_raw_image *image = plm_image_list_add(&self->images, &self->client->allocator);
    if (image == NULL) {
        return GIVEN_UP;
    }
    if (self->bytes[at] == PLM_KNOWN_IMAGE) {
        const plm_known_image *known = known_at(self, at);
        if (known == NULL ||
            !plm_image_table_has(&self->client->images, known->entry.id, known->entry.generation)) {
            return GIVEN_UP;
        }
        keep_known(image, known->entry.id, known->entry.size_bytes);
        return skip_space(self, at + 1);
    }
    uint64_t hash = plm_image_hash(self->client, self->bytes + at, self->length - at);
    const plm_raw_slot *slot =
        hash == 0 ? NULL : plm_image_find(self->client, hash, self->bytes + at, self->length - at);
    if (slot != NULL) {
        keep_known(image, slot->id, slot->size_bytes);
        return skip_space(self, at + slot->length);
    }
    *image = plm_image_list_begin(&self->images);
    image->raw_hash = hash;
    size_t end = parse_image(self, at, depth, image);
    if (hash != 0 && end != GIVEN_UP) {
        // Without the white space after it.
        image->raw =
            (plm_text){self->bytes + at, plm_element_close(self->element, at, depth, depth) - at};
    }
    return end;
}

// MARK: Maps

static size_t read_map(plm_node_reader *self, size_t at, uint32_t depth, int map);

static size_t read_elements(plm_node_reader *self, size_t at, uint32_t depth, int array) {
    bool is_empty;
    at = begin_container(self, at, '[', ']', &is_empty);
    if (at == GIVEN_UP || is_empty) {
        return at;
    }
    bool more;
    do {
        at = array == PLACE_IMAGES ? read_image(self, at, depth + 1)
                                   : read_map(self, at, depth + 1, PLACE_CONDITION);
        if (at == GIVEN_UP) {
            return GIVEN_UP;
        }
        at = next_element(self, at, &more);
    } while (more);
    return take(self, at, ']');
}

/// What the fields of one condition say, once all are read.
typedef struct condition {
    plm_text type;
    plm_text status;
} condition;

/// Reads a wanted value. What its place does not allow is left to the projector.
static inline size_t read_value(plm_node_reader *self, size_t at, uint32_t depth, int place,
                                condition *condition) {
    if (place >= PLACE_TEXT) {
        return read_string(self, at, &self->reading.texts[place - PLACE_TEXT]);
    }
    switch (place) {
    case PLACE_METADATA:
    case PLACE_LABELS:
    case PLACE_SPEC:
    case PLACE_STATUS:
    case PLACE_CAPACITY:
    case PLACE_ALLOCATABLE:
    case PLACE_NODE_INFO: return read_map(self, at, depth, place);
    case PLACE_IMAGES: self->reading.values.has_images = true; __attribute__((fallthrough));
    case PLACE_CONDITIONS: return read_elements(self, at, depth, place);
    // What is wanted of them is of bookmarks.
    case PLACE_ANNOTATIONS: return self->bytes[at] == '{' ? skip_value(self, at, depth) : GIVEN_UP;
    case PLACE_UNSCHEDULABLE: return read_boolean(self, at, &self->reading.values.unschedulable);
    case PLACE_CONDITION_TYPE: return read_string(self, at, &condition->type);
    case PLACE_CONDITION_STATUS: return read_string(self, at, &condition->status);
    default: return GIVEN_UP;
    }
}

static size_t read_label(plm_node_reader *self, size_t at, uint32_t depth, plm_text key,
                         uint64_t *seen) {
    bool may_be_wanted = self->label_lengths & (uint64_t)1 << (key.length % 64);
    for (size_t index = 0; may_be_wanted && index < self->wanted->label_count; index++) {
        const plm_wanted_label *wanted = &self->wanted->labels[index];
        if (wanted->length != key.length || memcmp(wanted->key, key.bytes, key.length) != 0) {
            continue;
        }
        plm_text value;
        at = *seen & (uint64_t)1 << index ? GIVEN_UP : read_string(self, at, &value);
        if (at == GIVEN_UP) {
            return GIVEN_UP;
        }
        *seen |= (uint64_t)1 << index;
        if (index <= self->label_rank[wanted->slot]) {
            self->label_rank[wanted->slot] = index;
            self->reading.texts[PLM_FIELD_LABEL + wanted->slot] = value;
        }
        return at;
    }
    return skip_value(self, at, depth);
}

static size_t read_map(plm_node_reader *self, size_t at, uint32_t depth, int map) {
    condition condition = {{NULL, 0}, {NULL, 0}};
    uint64_t seen = 0;
    uint64_t wanted = plm_place_all_keys(map);
    bool is_empty;
    at = begin_container(self, at, '{', '}', &is_empty);
    if (at == GIVEN_UP || is_empty) {
        return at;
    }
    depth++;
    bool more;
    do {
        plm_text key;
        at = read_key(self, at, &key);
        if (at == GIVEN_UP) {
            return GIVEN_UP;
        }
        bool may_be_wanted = self->key_lengths[map] & (uint64_t)1 << (key.length % 64);
        int place = may_be_wanted ? plm_place_of_key(map, key.bytes, key.length) : PLACE_SKIPPED;
        if (map == PLACE_LABELS) {
            at = read_label(self, at, depth, key, &seen);
        } else if (place == PLACE_SKIPPED) {
            at = skip_value(self, at, depth);
        } else {
            at = seen & PLM_PLACE_BIT(place) ? GIVEN_UP
                                             : read_value(self, at, depth, place, &condition);
            seen |= PLM_PLACE_BIT(place);
        }
        if (place == PLACE_METADATA && at != GIVEN_UP) {
            self->is_excluded =
                plm_shard_excludes(&self->wanted->shard, self->reading.texts[PLM_FIELD_UID]);
            at = self->is_excluded ? GIVEN_UP : at;
        }
        if (at == GIVEN_UP) {
            return GIVEN_UP;
        }
        at = next_element(self, at, &more);
    } while (more && (wanted == 0 || (seen & wanted) != wanted));
    if (map == PLACE_CONDITION) {
        plm_condition_keep(&self->reading.values, plm_condition_type_of(condition.type),
                           plm_condition_status_of(condition.status));
    }
    return more ? skip_rest(self, at, depth) : take(self, at, '}');
}

// MARK: Life

plm_node_reader *plm_node_reader_create(const plm_client *client, const plm_wanted *wanted) {
    plm_node_reader *self = plm_allocate(&client->allocator, sizeof *self);
    if (self != NULL) {
        *self = (plm_node_reader){.client = client, .wanted = wanted};
        for (size_t index = 0; index < wanted->label_count; index++) {
            self->label_lengths |= (uint64_t)1 << (wanted->labels[index].length % 64);
        }
        for (int map = 0; map < PLACE_TEXT; map++) {
            self->key_lengths[map] = plm_place_key_lengths(map);
        }
    }
    return self;
}

void plm_node_reader_destroy(plm_node_reader *self) {
    if (self == NULL) {
        return;
    }
    const plm_allocator *allocator = &self->client->allocator;
    plm_image_list_free(&self->images, allocator);
    plm_deallocate(allocator, self);
}

plm_reading *plm_node_reader_read(plm_node_reader *self, const plm_element *element) {
    if (self->wanted->label_count > MAX_LABELS) {
        return NULL;
    }
    self->element = element;
    self->bytes = element->bytes.bytes;
    self->length = element->bytes.length;
    self->next_known = 0;
    self->is_excluded = false;
    plm_image_list_clear(&self->images);
    plm_reading_clear(&self->reading);
    for (size_t slot = 0; slot < PLM_LABEL_SLOTS; slot++) {
        self->label_rank[slot] = SIZE_MAX;
    }
    if (read_map(self, 0, 0, PLACE_OBJECT) != self->length) {
        return self->is_excluded ? &self->reading : NULL;
    }
    plm_text kind = self->reading.texts[PLM_FIELD_KIND];
    plm_text name = self->reading.texts[PLM_FIELD_NAME];
    if ((kind.bytes != NULL && !plm_text_is(kind, "Node")) || name.length == 0 ||
        name.length > self->client->limits.max_node_name_bytes) {
        return NULL;
    }
    plm_image_list_lend(&self->images, &self->reading.values);
    return &self->reading;
}

#include "plm_protobuf_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plm_condition.h"
#include "plm_image_hash.h"
#include "plm_image_list.h"
#include "plm_shard.h"
#include "plm_text.h"
#include "plm_utf8.h"
#include "plm_wire.h"

/// Of "2026-11-23T01:37:17Z".
#define TIMESTAMP_BYTES 20
/// What the field `images` of NodeStatus begins with.
#define IMAGES_TAG (8 << 3 | PLM_WIRE_BYTES)

struct plm_protobuf_reader {
    const plm_client *client;
    const plm_wanted *wanted;
    /// One bit for each length of a wanted label, modulo 64.
    uint64_t label_lengths;
    plm_image_list images;
    bool has_memory;

    // The message at hand.
    bool is_cut;
    bool is_bookmark;
    /// Images may be found by their bytes.
    bool knows_images;
    plm_reading reading;
    char rejection[256];
    char creation_timestamp[TIMESTAMP_BYTES];
    char deletion_timestamp[TIMESTAMP_BYTES];
    /// Index into the wanted labels of what fills a slot; SIZE_MAX while empty.
    size_t label_rank[PLM_LABEL_SLOTS];
};

// Each function that reads returns false where reading has to stop: at a fault, or without memory.

// MARK: Faults

__attribute__((format(printf, 2, 3))) static bool reject(plm_protobuf_reader *self,
                                                         const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->rejection, sizeof self->rejection, format, arguments);
    va_end(arguments);
    self->reading.rejection = self->rejection;
    return false;
}

static bool fail_memory(plm_protobuf_reader *self) {
    self->has_memory = false;
    return false;
}

/// To be asked when there is no next field: whether that is because the message is over.
static bool is_over(plm_protobuf_reader *self, const plm_wire *wire, const char *place) {
    return wire->fault == NULL || reject(self, "malformed protobuf in %s: %s", place, wire->fault);
}

static bool expect(plm_protobuf_reader *self, const plm_wire_field *field, plm_wire_type type,
                   const char *place) {
    return field->type == type || reject(self, "malformed protobuf: %s has wire type %d, not %d",
                                         place, (int)field->type, (int)type);
}

static plm_wire open_message(const plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = plm_wire_begin(message);
    wire.is_cut = self->is_cut;
    return wire;
}

// MARK: Scalars

/// Keeps a text. JSON leaves out most texts that are empty, protobuf none: see `keep_some`.
static bool keep(plm_protobuf_reader *self, const plm_wire_field *field, plm_field target,
                 const char *place) {
    if (!expect(self, field, PLM_WIRE_BYTES, place)) {
        return false;
    }
    if (!plm_is_utf8(field->bytes)) {
        return reject(self, "%s is not UTF-8", place);
    }
    self->reading.texts[target] = field->bytes;
    return true;
}

/// Keeps a text that is absent when it is empty (`omitempty` in the API's types).
static bool keep_some(plm_protobuf_reader *self, const plm_wire_field *field, plm_field target,
                      const char *place) {
    bool kept = keep(self, field, target, place);
    if (kept && field->bytes.length == 0) {
        self->reading.texts[target] = (plm_text){NULL, 0};
    }
    return kept;
}

static bool keep_number(plm_protobuf_reader *self, const plm_wire_field *field, int64_t *value,
                        const char *place) {
    *value = (int64_t)field->value;
    return expect(self, field, PLM_WIRE_VARINT, place);
}

static void write_two_digits(char *text, int value) {
    text[0] = (char)('0' + value / 10);
    text[1] = (char)('0' + value % 10);
}

/// As strftime would, which takes longer than all else that is done for a node's metadata.
static void write_time(char *text, const struct tm *parts) {
    memcpy(text, "YYYY-MM-DDThh:mm:ssZ", TIMESTAMP_BYTES);
    write_two_digits(text, (parts->tm_year + 1900) / 100);
    write_two_digits(text + 2, (parts->tm_year + 1900) % 100);
    write_two_digits(text + 5, parts->tm_mon + 1);
    write_two_digits(text + 8, parts->tm_mday);
    write_two_digits(text + 11, parts->tm_hour);
    write_two_digits(text + 14, parts->tm_min);
    write_two_digits(text + 17, parts->tm_sec);
}

/// metav1.Time: seconds since 1970 become the RFC 3339 that JSON has. Empty is Go's zero time.
static bool keep_time(plm_protobuf_reader *self, const plm_wire_field *field, char *text,
                      plm_field target, const char *place) {
    if (!expect(self, field, PLM_WIRE_BYTES, place)) {
        return false;
    }
    int64_t seconds = 0;
    plm_wire wire = open_message(self, field->bytes);
    plm_wire_field part;
    while (plm_wire_next(&wire, &part)) {
        if (part.number == 1 && !keep_number(self, &part, &seconds, place)) {
            return false;
        }
    }
    if (!is_over(self, &wire, place)) {
        return false;
    }
    self->reading.texts[target] = (plm_text){NULL, 0};
    if (field->bytes.length == 0) {
        return true;
    }
    struct tm parts;
    time_t when = (time_t)seconds;
    if (gmtime_r(&when, &parts) == NULL || parts.tm_year < -1900 || parts.tm_year > 9999 - 1900) {
        return reject(self, "%s is %lld s from 1970, beyond the years of RFC 3339", place,
                      (long long)seconds);
    }
    write_time(text, &parts);
    self->reading.texts[target] = (plm_text){text, TIMESTAMP_BYTES};
    return true;
}

// MARK: Maps of texts

typedef struct map_entry {
    plm_text key;
    plm_text value;
} map_entry;

/// An entry as it is written: a key of fewer than 128 bytes, such a value, and no more. False for
/// what may be one in another way.
static inline bool read_plain_entry(plm_text message, map_entry *entry) {
    const unsigned char *bytes = (const unsigned char *)message.bytes;
    if (message.length < 4 || bytes[0] != (1 << 3 | PLM_WIRE_BYTES) || bytes[1] >= 0x80) {
        return false;
    }
    size_t key = bytes[1];
    if (key + 4 > message.length || bytes[2 + key] != (2 << 3 | PLM_WIRE_BYTES) ||
        bytes[3 + key] >= 0x80 || key + bytes[3 + key] + 4 != message.length) {
        return false;
    }
    entry->key = (plm_text){message.bytes + 2, key};
    entry->value = (plm_text){message.bytes + key + 4, bytes[3 + key]};
    return true;
}

__attribute__((noinline)) static bool read_odd_entry(plm_protobuf_reader *self,
                                                     const plm_wire_field *field, map_entry *entry,
                                                     const char *place) {
    if (!expect(self, field, PLM_WIRE_BYTES, place)) {
        return false;
    }
    // What an entry leaves out is empty.
    *entry = (map_entry){{field->bytes.bytes, 0}, {field->bytes.bytes, 0}};
    plm_wire wire = open_message(self, field->bytes);
    plm_wire_field part;
    while (plm_wire_next(&wire, &part)) {
        if (part.number > 2) {
            continue;
        }
        if (!expect(self, &part, PLM_WIRE_BYTES, place)) {
            return false;
        }
        *(part.number == 1 ? &entry->key : &entry->value) = part.bytes;
    }
    return is_over(self, &wire, place);
}

static inline bool read_entry(plm_protobuf_reader *self, const plm_wire_field *field,
                              map_entry *entry, const char *place) {
    return (field->type == PLM_WIRE_BYTES && read_plain_entry(field->bytes, entry)) ||
           read_odd_entry(self, field, entry, place);
}

static bool keep_value(plm_protobuf_reader *self, plm_text value, plm_field target,
                       const char *place) {
    self->reading.texts[target] = value;
    return plm_is_utf8(value) || reject(self, "%s holds a value that is not UTF-8", place);
}

static bool read_label(plm_protobuf_reader *self, const plm_wire_field *field) {
    map_entry entry;
    if (!read_entry(self, field, &entry, "metadata.labels")) {
        return false;
    }
    if (!(self->label_lengths & (uint64_t)1 << (entry.key.length % 64))) {
        return true;
    }
    for (size_t index = 0; index < self->wanted->label_count; index++) {
        const plm_wanted_label *wanted = &self->wanted->labels[index];
        if (wanted->length == entry.key.length &&
            memcmp(wanted->key, entry.key.bytes, entry.key.length) == 0) {
            if (index > self->label_rank[wanted->slot]) {
                return true;
            }
            self->label_rank[wanted->slot] = index;
            return keep_value(self, entry.value, PLM_FIELD_LABEL + wanted->slot, "metadata.labels");
        }
    }
    return true;
}

static bool read_annotation(plm_protobuf_reader *self, const plm_wire_field *field) {
    map_entry entry;
    return read_entry(self, field, &entry, "metadata.annotations") &&
           (!plm_text_is(entry.key, "k8s.io/initial-events-end") ||
            keep_value(self, entry.value, PLM_FIELD_INITIAL_EVENTS_END, "metadata.annotations"));
}

/// An entry of capacity or allocatable: name and resource.Quantity. Once the wanted one has been
/// read, the rest is skipped.
static bool read_resource(plm_protobuf_reader *self, const plm_wire_field *field, plm_field target,
                          const char *place) {
    bool is_known = self->reading.texts[target].bytes != NULL;
    if (is_known && !self->wanted->strict) {
        return true;
    }
    map_entry entry;
    if (!read_entry(self, field, &entry, place)) {
        return false;
    }
    if (is_known || !plm_text_is(entry.key, "ephemeral-storage")) {
        return true;
    }
    plm_wire wire = open_message(self, entry.value);
    plm_wire_field part;
    while (plm_wire_next(&wire, &part)) {
        if (part.number == 1 && !keep(self, &part, target, place)) {
            return false;
        }
    }
    return is_over(self, &wire, place);
}

// MARK: Metadata

static bool read_metadata(plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    bool goes_on = true;
    while (goes_on && plm_wire_next(&wire, &field)) {
        switch (field.number) {
        case 1: goes_on = keep_some(self, &field, PLM_FIELD_NAME, "metadata.name"); break;
        case 5: goes_on = keep_some(self, &field, PLM_FIELD_UID, "metadata.uid"); break;
        case 6:
            goes_on =
                keep_some(self, &field, PLM_FIELD_RESOURCE_VERSION, "metadata.resourceVersion");
            break;
        case 8:
            goes_on = keep_time(self, &field, self->creation_timestamp,
                                PLM_FIELD_CREATION_TIMESTAMP, "metadata.creationTimestamp");
            break;
        case 9:
            goes_on = keep_time(self, &field, self->deletion_timestamp,
                                PLM_FIELD_DELETION_TIMESTAMP, "metadata.deletionTimestamp");
            break;
        case 11: goes_on = read_label(self, &field); break;
        case 12: goes_on = !self->is_bookmark || read_annotation(self, &field); break;
        default: break;
        }
    }
    if (!goes_on || !is_over(self, &wire, "metadata")) {
        return false;
    }
    // Of another shard: no need to read on.
    return !plm_shard_excludes(&self->wanted->shard, self->reading.texts[PLM_FIELD_UID]);
}

// MARK: Images

static bool add_name(plm_protobuf_reader *self, const plm_wire_field *field) {
    size_t limit = self->client->limits.max_image_name_bytes;
    size_t index = self->images.count - 1;
    if (!expect(self, field, PLM_WIRE_BYTES, "status.images.names")) {
        return false;
    }
    if (field->bytes.length > limit) {
        return reject(self,
                      "status.images[%zu].names holds one of %zu bytes, over the limit of %zu "
                      "(max_image_name_bytes)",
                      index, field->bytes.length, limit);
    }
    if (!plm_is_utf8(field->bytes)) {
        return reject(self, "status.images[%zu].names holds one that is not UTF-8", index);
    }
    return plm_image_list_add_name(&self->images, &self->client->allocator, field->bytes) ||
           fail_memory(self);
}

static bool parse_image(plm_protobuf_reader *self, plm_text message, plm_raw_image *image) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    while (plm_wire_next(&wire, &field)) {
        if (field.number == 1 && !add_name(self, &field)) {
            return false;
        }
        if (field.number == 2 &&
            !keep_number(self, &field, &image->size_bytes, "status.images.sizeBytes")) {
            return false;
        }
    }
    if (image->size_bytes < 0) {
        return reject(self, "status.images[%zu].sizeBytes %lld is not an integer from 0 to 2^63-1",
                      self->images.count - 1, (long long)image->size_bytes);
    }
    return is_over(self, &wire, "status.images");
}

/// Adds an image, to be filled in; NULL where there are too many, and without memory.
static inline plm_raw_image *add_image(plm_protobuf_reader *self) {
    if (self->images.count >= self->client->limits.max_images_per_node) {
        reject(self, "status.images has more than %zu entries (max_images_per_node)",
               self->client->limits.max_images_per_node);
        return NULL;
    }
    plm_raw_image *image = plm_image_list_add(&self->images, &self->client->allocator);
    if (image == NULL) {
        fail_memory(self);
    }
    return image;
}

/// `begin`: where the field's tag stands.
static bool read_image(plm_protobuf_reader *self, const plm_wire_field *field, const char *begin) {
    if (!expect(self, field, PLM_WIRE_BYTES, "status.images")) {
        return false;
    }
    plm_raw_image *image = add_image(self);
    if (image == NULL) {
        return false;
    }
    *image = plm_image_list_begin(&self->images);
    uint64_t hash = self->knows_images ? plm_image_hash_protobuf(self->client, field->bytes) : 0;
    if (hash != 0) {
        // With its tag and length, so that none is the beginning of another.
        image->raw = (plm_text){begin, (size_t)(field->bytes.bytes + field->bytes.length - begin)};
        image->raw_hash = hash;
    }
    return parse_image(self, field->bytes, image);
}

/// Takes the images that come next and are known, by their bytes. Returns where another one stands,
/// or another field.
__attribute__((noinline)) static const char *take_known_images(plm_protobuf_reader *self,
                                                               const char *at, const char *end) {
    while (end - at > 3 && *at == IMAGES_TAG) {
        unsigned first = (unsigned char)at[1];
        unsigned second = (unsigned char)at[2];
        if (first >= 0x80 && second >= 0x80) {
            break;
        }
        const char *message = at + (first < 0x80 ? 2 : 3);
        ptrdiff_t length = first < 0x80 ? first : (first & 0x7f) | second << 7;
        if (length > end - message) {
            break;
        }
        uint64_t hash = plm_image_hash_protobuf(self->client, (plm_text){message, (size_t)length});
        size_t raw_length = (size_t)(message + length - at);
        const plm_raw_slot *known =
            hash == 0 ? NULL : plm_image_find(self->client, hash, at, raw_length);
        if (known == NULL || self->images.count >= self->client->limits.max_images_per_node) {
            break;
        }
        plm_raw_image *image = plm_image_list_add(&self->images, &self->client->allocator);
        if (image == NULL) {
            break;
        }
        image->has_id = true;
        image->id = known->id;
        image->size_bytes = known->size_bytes;
        at += raw_length;
    }
    return at;
}

// MARK: Spec and status

static bool read_spec(plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    while (plm_wire_next(&wire, &field)) {
        if (field.number == 4) {
            if (!expect(self, &field, PLM_WIRE_VARINT, "spec.unschedulable")) {
                return false;
            }
            self->reading.values.unschedulable = field.value != 0;
        }
    }
    return is_over(self, &wire, "spec");
}

static bool read_condition(plm_protobuf_reader *self, plm_text message) {
    plm_text texts[2] = {{message.bytes, 0}, {message.bytes, 0}};
    unsigned seen = 0;
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    // Once both have been read, the rest is skipped.
    while ((seen != 3 || self->wanted->strict) && plm_wire_next(&wire, &field)) {
        if (field.number > 2 || seen == 3) {
            continue;
        }
        if (!expect(self, &field, PLM_WIRE_BYTES, "status.conditions")) {
            return false;
        }
        seen |= field.number;
        texts[field.number - 1] = field.bytes;
    }
    plm_condition_keep(&self->reading.values, plm_condition_type_of(texts[0]),
                       plm_condition_status_of(texts[1]));
    return is_over(self, &wire, "status.conditions");
}

static bool read_node_info(plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    bool goes_on = true;
    while (goes_on && plm_wire_next(&wire, &field)) {
        switch (field.number) {
        case 3: goes_on = keep(self, &field, PLM_FIELD_BOOT_ID, "status.nodeInfo.bootID"); break;
        case 6:
            goes_on = keep(self, &field, PLM_FIELD_RUNTIME_VERSION,
                           "status.nodeInfo.containerRuntimeVersion");
            break;
        case 7:
            goes_on =
                keep(self, &field, PLM_FIELD_KUBELET_VERSION, "status.nodeInfo.kubeletVersion");
            break;
        default: break;
        }
    }
    return goes_on && is_over(self, &wire, "status.nodeInfo");
}

static bool read_status(plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    bool goes_on = true;
    for (;;) {
        if (self->knows_images && wire.end - wire.at > 0 && *wire.at == IMAGES_TAG) {
            wire.at = take_known_images(self, wire.at, wire.end);
            self->reading.values.has_images |= self->images.count > 0;
        }
        const char *at = wire.at;
        if (!goes_on || !plm_wire_next(&wire, &field)) {
            break;
        }
        switch (field.number) {
        case 1: goes_on = read_resource(self, &field, PLM_FIELD_CAPACITY, "status.capacity"); break;
        case 2:
            goes_on = read_resource(self, &field, PLM_FIELD_ALLOCATABLE, "status.allocatable");
            break;
        case 4:
            goes_on = expect(self, &field, PLM_WIRE_BYTES, "status.conditions") &&
                      read_condition(self, field.bytes);
            break;
        case 7:
            goes_on = expect(self, &field, PLM_WIRE_BYTES, "status.nodeInfo") &&
                      read_node_info(self, field.bytes);
            break;
        case 8:
            self->reading.values.has_images = true;
            goes_on = read_image(self, &field, at);
            break;
        default: break;
        }
    }
    return goes_on && is_over(self, &wire, "status");
}

static bool read_node(plm_protobuf_reader *self, plm_text message) {
    static const char *const places[] = {"metadata", "spec", "status"};
    static bool (*const readers[])(plm_protobuf_reader *, plm_text) = {read_metadata, read_spec,
                                                                       read_status};
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    while (plm_wire_next(&wire, &field)) {
        if (field.number <= 3 && (!expect(self, &field, PLM_WIRE_BYTES, places[field.number - 1]) ||
                                  !readers[field.number - 1](self, field.bytes))) {
            return false;
        }
    }
    return is_over(self, &wire, "the object");
}

// MARK: ListMeta and Status

static bool read_list_meta(plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    bool goes_on = true;
    while (goes_on && plm_wire_next(&wire, &field)) {
        switch (field.number) {
        case 2:
            goes_on =
                keep_some(self, &field, PLM_FIELD_RESOURCE_VERSION, "metadata.resourceVersion");
            break;
        case 3: goes_on = keep_some(self, &field, PLM_FIELD_CONTINUE, "metadata.continue"); break;
        case 4:
            goes_on = keep_number(self, &field, &self->reading.values.remaining_item_count,
                                  "metadata.remainingItemCount");
            break;
        default: break;
        }
    }
    return goes_on && is_over(self, &wire, "metadata");
}

static bool read_cause(plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    while (plm_wire_next(&wire, &field)) {
        if (field.number == 1 &&
            !keep_some(self, &field, PLM_FIELD_CAUSE, "details.causes.reason")) {
            return false;
        }
    }
    return is_over(self, &wire, "details.causes");
}

static bool read_details(plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    bool goes_on = true;
    bool has_cause = false;
    while (goes_on && plm_wire_next(&wire, &field)) {
        switch (field.number) {
        case 1: goes_on = keep_some(self, &field, PLM_FIELD_DETAILS_NAME, "details.name"); break;
        case 3: goes_on = keep_some(self, &field, PLM_FIELD_DETAILS_KIND, "details.kind"); break;
        case 4:
            goes_on = expect(self, &field, PLM_WIRE_BYTES, "details.causes") &&
                      (has_cause || read_cause(self, field.bytes));
            has_cause = true;
            break;
        case 5: {
            int64_t *seconds = &self->reading.values.retry_after_seconds;
            goes_on = keep_number(self, &field, seconds, "details.retryAfterSeconds");
            // Zero and nothing are one in JSON.
            *seconds = *seconds == 0 ? -1 : *seconds;
            break;
        }
        default: break;
        }
    }
    return goes_on && is_over(self, &wire, "details");
}

static bool read_error(plm_protobuf_reader *self, plm_text message) {
    plm_wire wire = open_message(self, message);
    plm_wire_field field;
    bool goes_on = true;
    while (goes_on && plm_wire_next(&wire, &field)) {
        switch (field.number) {
        case 1:
            goes_on = expect(self, &field, PLM_WIRE_BYTES, "metadata") &&
                      read_list_meta(self, field.bytes);
            break;
        case 3: goes_on = keep_some(self, &field, PLM_FIELD_MESSAGE, "message"); break;
        case 4: goes_on = keep_some(self, &field, PLM_FIELD_REASON, "reason"); break;
        case 5:
            goes_on =
                expect(self, &field, PLM_WIRE_BYTES, "details") && read_details(self, field.bytes);
            break;
        case 6: goes_on = keep_number(self, &field, &self->reading.values.code, "code"); break;
        default: break;
        }
    }
    return goes_on && is_over(self, &wire, "the Status");
}

// MARK: Life

plm_protobuf_reader *plm_protobuf_reader_create(const plm_client *client,
                                                const plm_wanted *wanted) {
    plm_protobuf_reader *self = plm_allocate(&client->allocator, sizeof *self);
    if (self != NULL) {
        *self = (plm_protobuf_reader){.client = client, .wanted = wanted};
        for (size_t index = 0; index < wanted->label_count; index++) {
            self->label_lengths |= (uint64_t)1 << (wanted->labels[index].length % 64);
        }
    }
    return self;
}

void plm_protobuf_reader_destroy(plm_protobuf_reader *self) {
    if (self != NULL) {
        plm_image_list_free(&self->images, &self->client->allocator);
        plm_deallocate(&self->client->allocator, self);
    }
}

// MARK: Reading

static plm_reading *read_with(plm_protobuf_reader *self, plm_text message,
                              bool (*read)(plm_protobuf_reader *, plm_text)) {
    plm_image_list_clear(&self->images);
    plm_reading_clear(&self->reading);
    for (size_t slot = 0; slot < PLM_LABEL_SLOTS; slot++) {
        self->label_rank[slot] = SIZE_MAX;
    }
    self->has_memory = true;
    self->knows_images = !self->is_cut && !self->wanted->strict;
    read(self, message);
    plm_image_list_lend(&self->images, &self->reading.values);
    return self->has_memory ? &self->reading : NULL;
}

plm_reading *plm_protobuf_read_node(plm_protobuf_reader *self, plm_text message) {
    return read_with(self, message, read_node);
}

plm_reading *plm_protobuf_read_beginning(plm_protobuf_reader *self, plm_text beginning) {
    self->is_cut = true;
    plm_reading *reading = read_with(self, beginning, read_node);
    self->is_cut = false;
    return reading;
}

plm_reading *plm_protobuf_read_bookmark(plm_protobuf_reader *self, plm_text message) {
    self->is_bookmark = true;
    plm_reading *reading = read_with(self, message, read_node);
    self->is_bookmark = false;
    return reading;
}

plm_reading *plm_protobuf_read_status(plm_protobuf_reader *self, plm_text message) {
    return read_with(self, message, read_error);
}

plm_reading *plm_protobuf_read_list_meta(plm_protobuf_reader *self, plm_text message) {
    return read_with(self, message, read_list_meta);
}

#include "plm_protobuf_decoder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plm_client.h"
#include "plm_commit.h"
#include "plm_protobuf_reader.h"
#include "plm_shard.h"
#include "plm_text.h"
#include "plm_wire.h"

// A body is taken part by part. A part is a message to be had whole, whose length is known before
// it comes, or a few bytes that say what comes next. A message that passes its bound is read as far
// as its names go, and the rest of it is dropped.

#define MAGIC_BYTES 4
/// A tag and a length.
#define MAX_HEADER_BYTES (2 * PLM_MAX_VARINT_BYTES)
/// Longer than this many objects that are within bounds no frame is: its length is not one.
#define MAX_OBJECTS_IN_FRAME 16u
/// What is read of an object that is out of bounds: its names come first.
#define BEGINNING_BYTES (64u * 1024)

static const char magic[MAGIC_BYTES] = {'k', '8', 's', '\0'};

typedef enum part {
    /// The first four bytes: the magic, or the length of a watch's first frame.
    PART_MAGIC,
    /// The four bytes before each frame.
    PART_FRAME_LENGTH,
    PART_FRAME,
    /// Tag and length of a field of runtime.Unknown.
    PART_UNKNOWN,
    PART_TYPE_META,
    /// An object that is no list.
    PART_OBJECT,
    /// Tag and length of a field of NodeList.
    PART_LIST,
    PART_LIST_META,
    PART_ITEM,
} part;

struct plm_protobuf_decoder {
    plm_client *client;
    const plm_wanted *wanted;
    plm_protobuf_reader *reader;
    /// Bytes before the chunk at hand, from the start of the stream.
    uint64_t offset;
    bool over;
    bool is_watch;
    /// The object of runtime.Unknown has come.
    bool has_object;
    bool is_list;

    part part;
    /// Of a part of few bytes, and how many there are.
    char head[MAX_HEADER_BYTES];
    size_t head_length;
    /// Of a message: its length, and what of it has come before the chunk at hand.
    uint64_t message_length;
    uint64_t message_come;
    plm_buffer message;
    /// Of a field that nobody asks for: what is left to be skipped before the next part.
    uint64_t skipped;

    /// Bytes of the list that are left.
    uint64_t list_left;
    plm_list list;
    plm_buffer kind;
    plm_buffer list_version;
    plm_buffer list_continue;
};

typedef struct cursor {
    const char *chunk;
    const char *at;
    const char *end;
    plm_batch_builder *batch;
} cursor;

// MARK: Life

plm_protobuf_decoder *plm_protobuf_decoder_create(plm_client *client, const plm_wanted *wanted) {
    plm_protobuf_decoder *self = plm_allocate(&client->allocator, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    *self = (plm_protobuf_decoder){.client = client, .wanted = wanted};
    self->list.remaining_item_count = -1;
    self->reader = plm_protobuf_reader_create(client, wanted);
    if (self->reader == NULL) {
        plm_protobuf_decoder_destroy(self);
        return NULL;
    }
    return self;
}

void plm_protobuf_decoder_destroy(plm_protobuf_decoder *self) {
    if (self == NULL) {
        return;
    }
    const plm_allocator *allocator = &self->client->allocator;
    plm_protobuf_reader_destroy(self->reader);
    plm_buffer_free(allocator, &self->message);
    plm_buffer_free(allocator, &self->kind);
    plm_buffer_free(allocator, &self->list_version);
    plm_buffer_free(allocator, &self->list_continue);
    plm_deallocate(allocator, self);
}

// MARK: Failures

static uint64_t offset_of(const plm_protobuf_decoder *self, const cursor *cursor) {
    return self->offset + (uint64_t)(cursor->at - cursor->chunk);
}

__attribute__((format(printf, 4, 5))) static bool fail_at(plm_protobuf_decoder *self,
                                                          const cursor *cursor,
                                                          plm_failure_kind kind, const char *format,
                                                          ...) {
    char message[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    self->over = true;
    uint64_t offset = offset_of(self, cursor);
    plm_batch_fail(cursor->batch, kind, "%s at byte %llu", message, (unsigned long long)offset)
        ->byte_offset = offset;
    return false;
}

static bool fail_memory(plm_protobuf_decoder *self, const cursor *cursor) {
    return fail_at(self, cursor, PLM_FAILURE_MEMORY, "out of memory while decoding");
}

static bool check(plm_protobuf_decoder *self, const cursor *cursor, plm_commit_result result) {
    switch (result) {
    case PLM_COMMIT_OK: return true;
    case PLM_COMMIT_NO_MEMORY: return fail_memory(self, cursor);
    case PLM_COMMIT_IMAGES_FULL: break;
    }
    return fail_at(self, cursor, PLM_FAILURE_LIMIT,
                   "more than %zu distinct images in this cluster (max_images)",
                   self->client->limits.max_images);
}

// MARK: Objects

static bool is_excluded(const plm_protobuf_decoder *self, const plm_reading *reading) {
    return plm_shard_excludes(&self->wanted->shard, reading->texts[PLM_FIELD_UID]);
}

static bool commit_node(plm_protobuf_decoder *self, const cursor *cursor, plm_text message,
                        plm_text kind, plm_event_kind event) {
    // Of another kind: its fields mean something else.
    plm_reading nothing = {.texts[PLM_FIELD_KIND] = kind};
    plm_reading *reading = kind.bytes != NULL && !plm_text_is(kind, "Node")
                               ? &nothing
                               : plm_protobuf_read_node(self->reader, message);
    if (reading == NULL) {
        return fail_memory(self, cursor);
    }
    return check(self, cursor,
                 is_excluded(self, reading)
                     ? plm_commit_skipped(cursor->batch, reading)
                     : plm_commit_node(cursor->batch, self->client, reading, event));
}

/// Adds what is known of an object that is out of bounds.
static bool commit_beginning(plm_protobuf_decoder *self, const cursor *cursor, plm_text beginning) {
    plm_reading *reading = plm_protobuf_read_beginning(self->reader, beginning);
    if (reading == NULL) {
        return fail_memory(self, cursor);
    }
    char reason[96];
    snprintf(reason, sizeof reason, "an object of more than %zu bytes (max_object_bytes)",
             self->client->limits.max_object_bytes);
    reading->rejection = reason;
    return check(self, cursor,
                 is_excluded(self, reading) ? plm_commit_skipped(cursor->batch, reading)
                                            : plm_commit_rejection(cursor->batch, reading));
}

static bool commit_status(plm_protobuf_decoder *self, const cursor *cursor, plm_text message) {
    plm_reading *reading = plm_protobuf_read_status(self->reader, message);
    if (reading == NULL) {
        return fail_memory(self, cursor);
    }
    if (reading->rejection != NULL) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "%s", reading->rejection);
    }
    return check(self, cursor, plm_commit_status(cursor->batch, reading, self->is_watch));
}

/// Reads TypeMeta. False at a fault.
static bool read_kind(plm_wire wire, plm_text *kind) {
    plm_wire_field field;
    while (plm_wire_next(&wire, &field)) {
        if (field.number == 2) {
            if (field.type != PLM_WIRE_BYTES) {
                return false;
            }
            *kind = field.bytes;
        }
    }
    return wire.fault == NULL;
}

// MARK: Watch events

typedef struct watch_event {
    plm_text type;
    plm_text kind;
    plm_text object;
} watch_event;

/// Reads the fields of a message that are texts or messages, by number. NULL, or what is wrong.
static const char *read_parts(plm_wire *wire, uint32_t count, plm_text *parts) {
    plm_wire_field field;
    while (plm_wire_next(wire, &field)) {
        if (field.number > count) {
            continue;
        }
        if (field.type != PLM_WIRE_BYTES) {
            return "a field of the wrong type";
        }
        parts[field.number - 1] = field.bytes;
    }
    return wire->fault;
}

static plm_wire part_of(plm_text message, bool is_cut) {
    plm_wire wire = plm_wire_begin(message);
    wire.is_cut = is_cut;
    return wire;
}

/// WatchEvent { type = 1, object = 2: RawExtension { raw = 1: "k8s\0" Unknown { typeMeta = 1,
/// raw = 2 } } }. NULL, or what is wrong.
static const char *read_watch_event(plm_text frame, bool is_cut, watch_event *event) {
    plm_text event_parts[2] = {{NULL, 0}, {NULL, 0}};
    plm_wire wire = part_of(frame, is_cut);
    const char *fault = read_parts(&wire, 2, event_parts);
    event->type = event_parts[0];
    if (fault != NULL || event_parts[1].bytes == NULL) {
        return fault;
    }
    plm_text raw = {NULL, 0};
    wire = part_of(event_parts[1], is_cut);
    fault = read_parts(&wire, 1, &raw);
    if (fault != NULL || raw.bytes == NULL) {
        return fault;
    }
    if (raw.length < MAGIC_BYTES || memcmp(raw.bytes, magic, MAGIC_BYTES) != 0) {
        return is_cut ? NULL : "an object without the magic \"k8s\\0\"";
    }
    plm_text unknown_parts[2] = {{NULL, 0}, {NULL, 0}};
    wire = part_of((plm_text){raw.bytes + MAGIC_BYTES, raw.length - MAGIC_BYTES}, is_cut);
    fault = read_parts(&wire, 2, unknown_parts);
    if (fault != NULL) {
        return fault;
    }
    // An empty message is an object with nothing in it.
    event->object = unknown_parts[1].bytes != NULL ? unknown_parts[1] : (plm_text){raw.bytes, 0};
    plm_text type_meta = unknown_parts[0];
    if (type_meta.bytes != NULL && !read_kind(part_of(type_meta, is_cut), &event->kind)) {
        return "a malformed TypeMeta";
    }
    return NULL;
}

static bool commit_unknown(plm_protobuf_decoder *self, const cursor *cursor, plm_text type) {
    plm_event *event = plm_batch_add(cursor->batch, PLM_EVENT_UNKNOWN);
    return (event != NULL && plm_batch_copy(cursor->batch, type, &event->unknown_type)) ||
           fail_memory(self, cursor);
}

static bool commit_frame(plm_protobuf_decoder *self, const cursor *cursor, plm_text frame,
                         bool is_cut) {
    watch_event event = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    const char *fault = read_watch_event(frame, is_cut, &event);
    if (fault != NULL) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "malformed watch event before: %s", fault);
    }
    if (event.object.bytes == NULL) {
        plm_reading nothing = {.rejection = "a watch event without an object"};
        return check(self, cursor, plm_commit_rejection(cursor->batch, &nothing));
    }
    if (is_cut) {
        return commit_beginning(self, cursor, event.object);
    }
    static const struct {
        const char *type;
        plm_event_kind kind;
    } kinds[] = {
        {"MODIFIED", PLM_EVENT_MODIFIED},
        {"ADDED", PLM_EVENT_ADDED},
        {"DELETED", PLM_EVENT_DELETED},
    };
    for (size_t index = 0; index < sizeof kinds / sizeof *kinds; index++) {
        if (plm_text_is(event.type, kinds[index].type)) {
            return commit_node(self, cursor, event.object, event.kind, kinds[index].kind);
        }
    }
    if (plm_text_is(event.type, "BOOKMARK")) {
        plm_reading *reading = plm_protobuf_read_bookmark(self->reader, event.object);
        return reading == NULL ? fail_memory(self, cursor)
                               : check(self, cursor, plm_commit_bookmark(cursor->batch, reading));
    }
    return plm_text_is(event.type, "ERROR") ? commit_status(self, cursor, event.object)
                                            : commit_unknown(self, cursor, event.type);
}

// MARK: Bodies

/// A length that came in the middle of a list: takes it off what the list has left.
static bool take_from_list(plm_protobuf_decoder *self, const cursor *cursor, uint64_t count) {
    if (count > self->list_left) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX,
                       "malformed protobuf: an item that ends beyond its list");
    }
    self->list_left -= count;
    return true;
}

/// What comes after a part of a list.
static void go_on_in_list(plm_protobuf_decoder *self) {
    self->part = self->list_left > 0 ? PART_LIST : PART_UNKNOWN;
}

static bool keep_text(plm_protobuf_decoder *self, const cursor *cursor, plm_buffer *buffer,
                      plm_text text) {
    buffer->length = 0;
    return text.bytes == NULL ||
           plm_buffer_append(&self->client->allocator, buffer, text.bytes, text.length) ||
           fail_memory(self, cursor);
}

static bool keep_kind(plm_protobuf_decoder *self, const cursor *cursor, plm_text type_meta) {
    plm_text kind = {NULL, 0};
    if (!read_kind(plm_wire_begin(type_meta), &kind)) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "malformed TypeMeta before");
    }
    return keep_text(self, cursor, &self->kind, kind);
}

static bool keep_list_meta(plm_protobuf_decoder *self, const cursor *cursor, plm_text message) {
    plm_reading *reading = plm_protobuf_read_list_meta(self->reader, message);
    if (reading == NULL) {
        return fail_memory(self, cursor);
    }
    if (reading->rejection != NULL) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "%s", reading->rejection);
    }
    self->list.remaining_item_count = reading->values.remaining_item_count;
    return keep_text(self, cursor, &self->list_version,
                     reading->texts[PLM_FIELD_RESOURCE_VERSION]) &&
           keep_text(self, cursor, &self->list_continue, reading->texts[PLM_FIELD_CONTINUE]);
}

static plm_text kept_kind(const plm_protobuf_decoder *self) {
    return (plm_text){self->kind.bytes, self->kind.length};
}

/// A message is whole, or as much of it as is read of one that is out of bounds.
static bool take_message(plm_protobuf_decoder *self, const cursor *cursor, plm_text message,
                         bool is_cut) {
    switch (self->part) {
    case PART_FRAME:
        self->part = PART_FRAME_LENGTH;
        return commit_frame(self, cursor, message, is_cut);
    case PART_TYPE_META: self->part = PART_UNKNOWN; return keep_kind(self, cursor, message);
    case PART_OBJECT:
        self->part = PART_UNKNOWN;
        return plm_text_is(kept_kind(self), "Status")
                   ? commit_status(self, cursor, message)
                   : commit_node(self, cursor, message, kept_kind(self), PLM_EVENT_ADDED);
    case PART_LIST_META: go_on_in_list(self); return keep_list_meta(self, cursor, message);
    default: break;
    }
    go_on_in_list(self);
    return is_cut ? commit_beginning(self, cursor, message)
                  : commit_node(self, cursor, message, (plm_text){NULL, 0}, PLM_EVENT_ADDED);
}

/// Begins a message of a length that is known.
static bool begin_message(plm_protobuf_decoder *self, const cursor *cursor, part part,
                          uint64_t length) {
    uint64_t limit = self->client->limits.max_object_bytes;
    bool may_be_cut = part == PART_FRAME || part == PART_ITEM;
    if (length > limit && (!may_be_cut || length / MAX_OBJECTS_IN_FRAME > limit)) {
        return fail_at(self, cursor, PLM_FAILURE_LIMIT,
                       "a message of %llu bytes, over the limit of %llu (max_object_bytes)",
                       (unsigned long long)length, (unsigned long long)limit);
    }
    self->part = part;
    self->message_length = length;
    self->message_come = 0;
    self->message.length = 0;
    return length > 0 || take_message(self, cursor, (plm_text){"", 0}, false);
}

static bool begin_list(plm_protobuf_decoder *self, const cursor *cursor, uint64_t length) {
    plm_text kind = kept_kind(self);
    if (!plm_text_is(kind, "NodeList")) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "expected a NodeList, got a %.*s",
                       kind.length > 60 ? 60 : (int)kind.length, kind.bytes);
    }
    self->is_list = true;
    self->list_left = length;
    go_on_in_list(self);
    return true;
}

/// A field of runtime.Unknown { typeMeta = 1, raw = 2, … }.
static bool begin_unknown_field(plm_protobuf_decoder *self, const cursor *cursor,
                                const plm_wire_field *field, uint64_t length) {
    if (field->type == PLM_WIRE_BYTES && field->number == 1) {
        return begin_message(self, cursor, PART_TYPE_META, length);
    }
    if (field->type != PLM_WIRE_BYTES || field->number != 2) {
        self->skipped = length;
        return true;
    }
    if (self->has_object || self->kind.length == 0) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "malformed protobuf: %s",
                       self->has_object ? "a second object after the whole answer"
                                        : "an object before its kind");
    }
    self->has_object = true;
    return plm_text_ends_with_list(kept_kind(self))
               ? begin_list(self, cursor, length)
               : begin_message(self, cursor, PART_OBJECT, length);
}

/// A field of NodeList { metadata = 1, items = 2 }.
static bool begin_list_field(plm_protobuf_decoder *self, const cursor *cursor,
                             const plm_wire_field *field, uint64_t length) {
    if (!take_from_list(self, cursor, length)) {
        return false;
    }
    if (field->number > 2) {
        self->skipped = length;
        go_on_in_list(self);
        return true;
    }
    if (field->type != PLM_WIRE_BYTES) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX,
                       "malformed protobuf: a field of NodeList has wire type %d, not %d",
                       (int)field->type, (int)PLM_WIRE_BYTES);
    }
    return begin_message(self, cursor, field->number == 1 ? PART_LIST_META : PART_ITEM, length);
}

// MARK: Parts of few bytes

static bool begin_frame(plm_protobuf_decoder *self, const cursor *cursor) {
    const unsigned char *head = (const unsigned char *)self->head;
    uint64_t length = (uint64_t)head[0] << 24 | (uint64_t)head[1] << 16 | (uint64_t)head[2] << 8 |
                      (uint64_t)head[3];
    self->is_watch = true;
    self->head_length = 0;
    return begin_message(self, cursor, PART_FRAME, length);
}

static bool take_magic(plm_protobuf_decoder *self, const cursor *cursor) {
    if (memcmp(self->head, magic, MAGIC_BYTES) != 0) {
        return begin_frame(self, cursor);
    }
    self->head_length = 0;
    self->part = PART_UNKNOWN;
    return true;
}

/// Takes the tag and the length, or the value, of a field; more bytes may have to come.
static bool take_header(plm_protobuf_decoder *self, const cursor *cursor) {
    const char *end = self->head + self->head_length;
    uint64_t tag;
    uint64_t length = 0;
    plm_wire_field field;
    const char *at = plm_wire_varint(self->head, end, &tag);
    bool is_full = self->head_length == MAX_HEADER_BYTES ||
                   (at == NULL && self->head_length == PLM_MAX_VARINT_BYTES);
    if (at != NULL && !plm_wire_tag(tag, &field)) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX,
                       "malformed protobuf: a tag of no known type");
    }
    if (at != NULL) {
        switch (field.type) {
        case PLM_WIRE_VARINT: at = plm_wire_varint(at, end, &field.value); break;
        case PLM_WIRE_BYTES: at = plm_wire_varint(at, end, &length); break;
        case PLM_WIRE_FIXED64: length = 8; break;
        case PLM_WIRE_FIXED32: length = 4; break;
        }
    }
    if (at == NULL) {
        return !is_full || fail_at(self, cursor, PLM_FAILURE_SYNTAX,
                                   "malformed protobuf: a number that does not end");
    }
    size_t header_length = self->head_length;
    self->head_length = 0;
    return self->part == PART_UNKNOWN ? begin_unknown_field(self, cursor, &field, length)
                                      : take_from_list(self, cursor, header_length) &&
                                            begin_list_field(self, cursor, &field, length);
}

static bool take_head_byte(plm_protobuf_decoder *self, cursor *cursor) {
    self->head[self->head_length++] = *cursor->at++;
    switch (self->part) {
    case PART_MAGIC: return self->head_length < MAGIC_BYTES || take_magic(self, cursor);
    case PART_FRAME_LENGTH: return self->head_length < MAGIC_BYTES || begin_frame(self, cursor);
    default: return take_header(self, cursor);
    }
}

// MARK: Messages

/// Takes what has come of a message.
static bool take_part(plm_protobuf_decoder *self, cursor *cursor) {
    uint64_t limit = self->client->limits.max_object_bytes;
    bool is_cut = self->message_length > limit;
    uint64_t wanted = !is_cut                   ? self->message_length
                      : limit < BEGINNING_BYTES ? limit
                                                : BEGINNING_BYTES;
    uint64_t left = wanted - self->message_come;
    uint64_t count = (uint64_t)(cursor->end - cursor->at);
    bool is_whole = count >= left;
    plm_text come = {cursor->at, (size_t)(is_whole ? left : count)};
    cursor->at += come.length;
    self->message_come += come.length;
    if (!is_whole || self->message.length > 0) {
        if (!plm_buffer_append(&self->client->allocator, &self->message, come.bytes, come.length)) {
            return fail_memory(self, cursor);
        }
        come = (plm_text){self->message.bytes, self->message.length};
    }
    if (!is_whole) {
        return true;
    }
    self->skipped = self->message_length - wanted;
    bool goes_on = take_message(self, cursor, come, is_cut);
    if (self->message.capacity > PLM_KEPT_BYTES) {
        plm_buffer_free(&self->client->allocator, &self->message);
    }
    return goes_on;
}

static bool step(plm_protobuf_decoder *self, cursor *cursor) {
    uint64_t count = (uint64_t)(cursor->end - cursor->at);
    if (self->skipped > 0) {
        uint64_t skipped = self->skipped < count ? self->skipped : count;
        self->skipped -= skipped;
        cursor->at += skipped;
        return true;
    }
    switch (self->part) {
    case PART_MAGIC:
    case PART_FRAME_LENGTH:
    case PART_UNKNOWN:
    case PART_LIST: return take_head_byte(self, cursor);
    default: return take_part(self, cursor);
    }
}

bool plm_protobuf_decoder_decode(plm_protobuf_decoder *self, const char *bytes, size_t count,
                                 plm_batch_builder *batch) {
    if (self->over) {
        return false;
    }
    cursor cursor = {bytes, bytes, bytes + count, batch};
    if (self->wanted->whole_objects) {
        return fail_at(self, &cursor, PLM_FAILURE_CONTENT_TYPE,
                       "protobuf where objects of any kind are read, which is for JSON only");
    }
    while (cursor.at < cursor.end) {
        if (!step(self, &cursor)) {
            return false;
        }
    }
    self->offset += count;
    return true;
}

// MARK: The end

static bool add_list(plm_protobuf_decoder *self, const cursor *cursor) {
    plm_reading reading = {.values.remaining_item_count = self->list.remaining_item_count};
    if (self->list_version.length > 0) {
        reading.texts[PLM_FIELD_RESOURCE_VERSION] =
            (plm_text){self->list_version.bytes, self->list_version.length};
    }
    if (self->list_continue.length > 0) {
        reading.texts[PLM_FIELD_CONTINUE] =
            (plm_text){self->list_continue.bytes, self->list_continue.length};
    }
    return check(self, cursor, plm_commit_list(cursor->batch, &reading));
}

bool plm_protobuf_decoder_end(plm_protobuf_decoder *self, plm_batch_builder *batch) {
    if (self->over) {
        return false;
    }
    cursor cursor = {"", "", "", batch};
    bool between = self->skipped == 0 && self->head_length == 0;
    bool is_empty = self->part == PART_MAGIC && between;
    bool in_frame = self->is_watch && !(self->part == PART_FRAME_LENGTH && between);
    bool is_whole =
        self->is_watch || is_empty || (self->part == PART_UNKNOWN && between && self->has_object);
    if (!is_whole) {
        return fail_at(self, &cursor, PLM_FAILURE_TRUNCATED,
                       "the body ends in the middle of an object");
    }
    if (self->is_list && !add_list(self, &cursor)) {
        return false;
    }
    self->over = true;
    plm_event *event = plm_batch_add(batch, PLM_EVENT_END);
    if (event == NULL) {
        return fail_memory(self, &cursor);
    }
    event->end = (plm_end){.is_watch = self->is_watch, .in_object = in_frame};
    return true;
}

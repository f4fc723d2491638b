#include "plm_json_decoder.h"

#include <stdio.h>
#include <string.h>

#include "plm_client.h"
#include "plm_commit.h"
#include "plm_element.h"
#include "plm_node_reader.h"
#include "plm_projector.h"
#include "plm_shard.h"
#include "plm_text.h"

// A body is one or more root objects. The root projector reads them, except that the object of a
// watch event and the items of a list go to the element projector, each as a value of its own, and
// the root projector gets `{}` in their place. So an object reads the same wherever it stands, and
// an oversized one can be dropped without losing the rest of the stream.
//
// A Node's bytes are gathered until it is whole, and the node reader takes what it can of them.
// What it leaves, and with a strict projection everything, is read by the element projector: by
// replaying the bytes as if they came only now, so that it says of them whatever it would have
// said.

/// How API servers begin watch events; what begins so needs no parser.
typedef struct envelope {
    const char *text;
    size_t length;
    plm_event_kind kind;
} envelope;

#define ENVELOPE(type, kind)                                                                       \
    {"{\"type\":\"" type "\",\"object\":", sizeof("{\"type\":\"" type "\",\"object\":") - 1, kind}

static const envelope envelopes[] = {
    ENVELOPE("MODIFIED", PLM_EVENT_MODIFIED),
    ENVELOPE("ADDED", PLM_EVENT_ADDED),
    ENVELOPE("DELETED", PLM_EVENT_DELETED),
};

/// What the root objects have turned out to be.
typedef enum body_shape {
    SHAPE_UNKNOWN,
    SHAPE_WATCH,
    /// A list, a Node or a Status: complete, nothing may follow.
    SHAPE_COMPLETE,
} body_shape;

struct plm_json_decoder {
    plm_client *client;
    const plm_wanted *wanted;
    plm_projector *root;
    plm_projector *element;
    /// Of a projection of whole objects: the element's bytes so far.
    bool keeps_objects;
    plm_buffer object;
    /// NULL with a strict projection, or one of whole objects.
    plm_node_reader *reader;
    plm_element gathered;
    /// Bytes of the element go there; the element is there, whole.
    bool gathering;
    bool has_gathered;
    /// From the start of the stream.
    uint64_t gathered_offset;
    /// Bytes before the chunk at hand, from the start of the stream.
    uint64_t offset;
    body_shape shape;
    bool over;

    /// What the root object has begun with so far, which its projector has not seen; or NULL.
    const envelope *envelope;
    unsigned depth;
    bool in_string;
    bool escaped;
    bool in_items;
    bool in_element;
    /// The element passed its bound: its bytes are counted and dropped.
    bool dropping;
    /// Depth outside the element.
    unsigned element_depth;
    /// Bytes of the element, and of the root object without its elements.
    uint64_t element_bytes;
    uint64_t root_bytes;
};

/// One call's view of the chunk.
typedef struct cursor {
    const char *chunk;
    const char *at;
    const char *end;
    /// First byte that no projector has seen.
    const char *pending;
    plm_batch_builder *batch;
} cursor;

// MARK: Life

static bool create_reader(plm_json_decoder *self, const plm_wanted *wanted) {
    if (!plm_element_init(&self->gathered, self->client, wanted->scanner)) {
        return false;
    }
    self->reader = plm_node_reader_create(self->client, wanted);
    return self->reader != NULL;
}

plm_json_decoder *plm_json_decoder_create(plm_client *client, const plm_wanted *wanted) {
    const plm_allocator *allocator = &client->allocator;
    plm_json_decoder *self = plm_allocate(allocator, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    bool whole = wanted->whole_objects;
    *self = (plm_json_decoder){.client = client, .wanted = wanted, .keeps_objects = whole};
    self->root =
        plm_projector_create(allocator, &client->limits, wanted->labels, wanted->label_count,
                             whole ? PLM_SCOPE_ENVELOPE : PLM_SCOPE_NODE);
    self->element =
        plm_projector_create(allocator, &client->limits, wanted->labels, wanted->label_count,
                             whole ? PLM_SCOPE_OBJECT : PLM_SCOPE_NODE);
    bool gathers = !wanted->strict && !whole;
    if (self->root == NULL || self->element == NULL || (gathers && !create_reader(self, wanted))) {
        plm_json_decoder_destroy(self);
        return NULL;
    }
    return self;
}

void plm_json_decoder_destroy(plm_json_decoder *self) {
    if (self == NULL) {
        return;
    }
    const plm_allocator *allocator = &self->client->allocator;
    plm_projector_destroy(self->root);
    plm_projector_destroy(self->element);
    plm_node_reader_destroy(self->reader);
    plm_element_free(&self->gathered);
    plm_buffer_free(allocator, &self->object);
    plm_deallocate(allocator, self);
}

// MARK: Failures

/// Names a text in a message without letting it run on.
static int shown(plm_text text) {
    return text.length > 60 ? 60 : (int)text.length;
}

static bool fail_memory(plm_json_decoder *self, plm_batch_builder *batch) {
    self->over = true;
    plm_batch_fail(batch, PLM_FAILURE_MEMORY, "out of memory while decoding")->byte_offset =
        self->offset;
    return false;
}

static bool fail_at(plm_json_decoder *self, cursor *cursor, plm_failure_kind kind,
                    const char *message) {
    self->over = true;
    uint64_t offset = self->offset + (uint64_t)(cursor->at - cursor->chunk);
    plm_batch_fail(cursor->batch, kind, "%s at byte %llu", message, (unsigned long long)offset)
        ->byte_offset = offset;
    return false;
}

static bool check_commit(plm_json_decoder *self, plm_batch_builder *batch,
                         plm_commit_result result) {
    switch (result) {
    case PLM_COMMIT_OK: return true;
    case PLM_COMMIT_NO_MEMORY: return fail_memory(self, batch);
    case PLM_COMMIT_IMAGES_FULL: break;
    }
    self->over = true;
    plm_batch_fail(batch, PLM_FAILURE_LIMIT,
                   "more than %zu distinct images in this cluster (max_images)",
                   self->client->limits.max_images)
        ->byte_offset = self->offset;
    return false;
}

/// The body does not begin like JSON objects do: shows how it does begin.
static bool fail_foreign(plm_json_decoder *self, cursor *cursor) {
    char start[33];
    size_t length = 0;
    for (const char *at = cursor->at; at < cursor->end && length < sizeof start - 1; at++) {
        start[length++] = *at >= ' ' && *at <= '~' ? *at : '.';
    }
    start[length] = '\0';
    char message[128];
    if (self->shape == SHAPE_UNKNOWN) {
        snprintf(message, sizeof message, "not JSON from a kube-apiserver (it begins with \"%s\")",
                 start);
        return fail_at(self, cursor, PLM_FAILURE_CONTENT_TYPE, message);
    }
    snprintf(message, sizeof message, "unexpected \"%s\" between objects", start);
    return fail_at(self, cursor, PLM_FAILURE_SYNTAX, message);
}

// MARK: Feeding the projectors

static bool feed(plm_json_decoder *self, plm_projector *projector, cursor *cursor,
                 const char *bytes, size_t count, uint64_t offset) {
    size_t consumed;
    switch (plm_projector_feed(projector, bytes, count)) {
    case PLM_FEED_OK: return true;
    case PLM_FEED_NO_MEMORY: return fail_memory(self, cursor->batch);
    case PLM_FEED_SYNTAX: break;
    }
    const char *reason = plm_projector_error(projector, &consumed);
    plm_text name = plm_projector_text(projector, PLM_FIELD_NAME);
    offset += consumed;
    self->over = true;
    plm_batch_fail(cursor->batch, PLM_FAILURE_SYNTAX, "malformed JSON at byte %llu%s%.*s: %s",
                   (unsigned long long)offset, name.length > 0 ? ", in node " : "", shown(name),
                   name.length > 0 ? name.bytes : "", reason)
        ->byte_offset = offset;
    return false;
}

/// Hands the bytes before the cursor to whoever reads them.
static bool flush(plm_json_decoder *self, cursor *cursor) {
    size_t count = (size_t)(cursor->at - cursor->pending);
    const char *bytes = cursor->pending;
    uint64_t offset = self->offset + (uint64_t)(bytes - cursor->chunk);
    cursor->pending = cursor->at;
    if (count == 0) {
        return true;
    }
    size_t limit = self->client->limits.max_object_bytes;
    if (!self->in_element) {
        self->root_bytes += count;
        if (self->root_bytes > limit) {
            char message[128];
            snprintf(message, sizeof message, "an object of more than %zu bytes (max_object_bytes)",
                     limit);
            return fail_at(self, cursor, PLM_FAILURE_LIMIT, message);
        }
        return feed(self, self->root, cursor, bytes, count, offset);
    }
    self->element_bytes += count;
    if (self->dropping) {
        return true;
    }
    if (self->element_bytes > limit) {
        // What comes before the bound tells its name, however it is cut.
        count -= (size_t)(self->element_bytes - limit);
    }
    if (self->keeps_objects &&
        !plm_buffer_append(&self->client->allocator, &self->object, bytes, count)) {
        return fail_memory(self, cursor->batch);
    }
    if (!feed(self, self->element, cursor, bytes, count, offset)) {
        return false;
    }
    if (self->element_bytes > limit) {
        self->dropping = true;
        plm_projector_reject(self->element, "an object of more than %zu bytes (max_object_bytes)",
                             limit);
    }
    return true;
}

// MARK: Commit

static plm_text root_text(const plm_json_decoder *self, plm_field field) {
    return plm_projector_text(self->root, field);
}

static bool forget_element(plm_json_decoder *self, plm_batch_builder *batch) {
    self->object.length = 0;
    if (self->reader != NULL) {
        plm_element_clear(&self->gathered);
        self->has_gathered = false;
    }
    if (self->object.capacity > PLM_KEPT_BYTES) {
        plm_buffer_free(&self->client->allocator, &self->object);
    }
    if (!self->dropping) {
        plm_projector_clear(self->element);
        return true;
    }
    self->dropping = false;
    return plm_projector_restart(self->element) || fail_memory(self, batch);
}

/// Lets the projector read an element that was gathered.
static bool project_gathered(plm_json_decoder *self, cursor *cursor) {
    self->has_gathered = false;
    uint64_t offset = self->gathered_offset;
    size_t number = 0;
    do {
        plm_text part;
        number = plm_element_part(&self->gathered, number, &part);
        if (!feed(self, self->element, cursor, part.bytes, part.length, offset)) {
            return false;
        }
        offset += part.length;
    } while (number != 0);
    return plm_projector_is_complete(self->element) ||
           fail_at(self, cursor, PLM_FAILURE_SYNTAX, "brackets that do not match");
}

static plm_commit_result add_object(plm_json_decoder *self, cursor *cursor, plm_reading *reading,
                                    bool is_usable, plm_event_kind kind) {
    plm_text json = {self->object.bytes, self->object.length};
    if (plm_shard_excludes(&self->wanted->shard, reading->texts[PLM_FIELD_UID])) {
        return plm_commit_skipped(cursor->batch, reading);
    }
    if (is_usable) {
        return plm_commit_reading(cursor->batch, self->client, reading, kind);
    }
    return self->keeps_objects ? plm_commit_object(cursor->batch, reading, json, kind)
                               : plm_commit_node(cursor->batch, self->client, reading, kind);
}

static bool commit_object(plm_json_decoder *self, cursor *cursor, plm_event_kind kind) {
    plm_reading *gathered =
        self->has_gathered ? plm_node_reader_read(self->reader, &self->gathered) : NULL;
    plm_reading reading;
    if (gathered == NULL) {
        if (self->has_gathered && !project_gathered(self, cursor)) {
            return false;
        }
        plm_projector_read(self->element, &reading);
    }
    plm_commit_result result =
        add_object(self, cursor, gathered != NULL ? gathered : &reading, gathered != NULL, kind);
    return check_commit(self, cursor->batch, result) && forget_element(self, cursor->batch);
}

static bool commit_item(plm_json_decoder *self, cursor *cursor) {
    plm_text kind = root_text(self, PLM_FIELD_KIND);
    bool is_expected =
        self->keeps_objects ? plm_text_ends_with_list(kind) : plm_text_is(kind, "NodeList");
    if (kind.bytes != NULL && !is_expected && !plm_text_is(kind, "List")) {
        char message[128];
        snprintf(message, sizeof message, "expected %s, got a %.*s",
                 self->keeps_objects ? "a list" : "Nodes", shown(kind), kind.bytes);
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, message);
    }
    return commit_object(self, cursor, PLM_EVENT_ADDED);
}

static bool commit_watch_event(plm_json_decoder *self, cursor *cursor) {
    self->shape = SHAPE_WATCH;
    plm_text type = root_text(self, PLM_FIELD_TYPE);
    if (!plm_projector_values(self->root).has_object) {
        plm_projector_reject(self->element, "a watch event without an object");
    }
    bool is_rejected = plm_projector_rejection(self->root) != NULL;
    if (!is_rejected && plm_text_is(type, "ADDED")) {
        return commit_object(self, cursor, PLM_EVENT_ADDED);
    }
    if (!is_rejected && plm_text_is(type, "MODIFIED")) {
        return commit_object(self, cursor, PLM_EVENT_MODIFIED);
    }
    if (!is_rejected && plm_text_is(type, "DELETED")) {
        return commit_object(self, cursor, PLM_EVENT_DELETED);
    }
    if (self->has_gathered && !project_gathered(self, cursor)) {
        return false;
    }
    plm_reading reading;
    plm_projector_read(is_rejected ? self->root : self->element, &reading);
    plm_commit_result result;
    if (is_rejected) {
        result = plm_commit_rejection(cursor->batch, &reading);
    } else if (plm_text_is(type, "BOOKMARK")) {
        result = plm_commit_bookmark(cursor->batch, &reading);
    } else if (plm_text_is(type, "ERROR")) {
        result = plm_commit_status(cursor->batch, &reading, true);
    } else {
        plm_event *event = plm_batch_add(cursor->batch, PLM_EVENT_UNKNOWN);
        result = event != NULL && plm_batch_copy(cursor->batch, type, &event->unknown_type)
                     ? PLM_COMMIT_OK
                     : PLM_COMMIT_NO_MEMORY;
    }
    return check_commit(self, cursor->batch, result) && forget_element(self, cursor->batch);
}

static bool commit_root(plm_json_decoder *self, cursor *cursor) {
    if (!plm_projector_is_complete(self->root)) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "brackets that do not match");
    }
    plm_text kind = root_text(self, PLM_FIELD_KIND);
    plm_projected values = plm_projector_values(self->root);
    bool committed;
    if (root_text(self, PLM_FIELD_TYPE).bytes != NULL || values.has_object) {
        committed = commit_watch_event(self, cursor);
    } else {
        if (self->shape == SHAPE_WATCH) {
            return fail_at(self, cursor, PLM_FAILURE_SYNTAX,
                           "an object in a watch stream that is no watch event");
        }
        self->shape = SHAPE_COMPLETE;
        plm_reading reading;
        plm_projector_read(self->root, &reading);
        plm_commit_result result;
        if (values.has_items || plm_text_ends_with_list(kind)) {
            result = reading.rejection != NULL ? plm_commit_rejection(cursor->batch, &reading)
                                               : plm_commit_list(cursor->batch, &reading);
        } else if (plm_text_is(kind, "Status")) {
            result = plm_commit_status(cursor->batch, &reading, false);
        } else if (plm_text_is(kind, "Node") && !self->keeps_objects) {
            result = plm_commit_node(cursor->batch, self->client, &reading, PLM_EVENT_ADDED);
        } else {
            char message[160];
            snprintf(message, sizeof message,
                     "expected a watch event, a NodeList, a Node or a Status, got %.*s ending",
                     kind.length > 0 ? shown(kind) : 15,
                     kind.length > 0 ? kind.bytes : "something else,");
            return fail_at(self, cursor, PLM_FAILURE_SYNTAX, message);
        }
        committed = check_commit(self, cursor->batch, result);
    }
    plm_projector_clear(self->root);
    self->root_bytes = 0;
    return committed;
}

// MARK: Envelopes

/// Begins an object of its own, whose first bracket the cursor is on.
static bool begin_element(plm_json_decoder *self, cursor *cursor) {
    if (!forget_element(self, cursor->batch)) {
        return false;
    }
    self->in_element = true;
    self->element_depth = self->depth;
    self->element_bytes = 0;
    self->gathering = self->reader != NULL;
    self->gathered_offset = self->offset + (uint64_t)(cursor->at - cursor->chunk);
    return true;
}

/// The usual begin of a watch event, whole and before its object: takes it.
static bool take_envelope(plm_json_decoder *self, cursor *cursor) {
    size_t left = (size_t)(cursor->end - cursor->at);
    for (size_t index = 0; index < sizeof envelopes / sizeof *envelopes; index++) {
        const envelope *usual = &envelopes[index];
        if (left > usual->length && cursor->at[usual->length] == '{' &&
            memcmp(cursor->at, usual->text, usual->length) == 0) {
            self->envelope = usual;
            self->root_bytes = usual->length;
            cursor->at += usual->length;
            cursor->pending = cursor->at;
            return true;
        }
    }
    return false;
}

/// The usual end of a watch event; the cursor is past it.
static bool end_envelope(plm_json_decoder *self, cursor *cursor) {
    plm_event_kind kind = self->envelope->kind;
    self->envelope = NULL;
    self->shape = SHAPE_WATCH;
    self->root_bytes = 0;
    cursor->pending = cursor->at;
    return commit_object(self, cursor, kind);
}

/// A watch event goes on after its object: its projector learns what came before.
static bool leave_envelope(plm_json_decoder *self, cursor *cursor) {
    const envelope *usual = self->envelope;
    self->envelope = NULL;
    return feed(self, self->root, cursor, usual->text, usual->length, self->offset) &&
           feed(self, self->root, cursor, "{}", 2, self->offset);
}

// MARK: Framing

/// A bracket opens outside a string; the cursor is on it.
static bool open_bracket(plm_json_decoder *self, cursor *cursor) {
    if (self->depth >= PLM_MAX_DEPTH) {
        return fail_at(self, cursor, PLM_FAILURE_LIMIT, "nested more than 200 deep");
    }
    if (!self->in_element && self->depth >= 1 && self->depth <= 2) {
        // The root projector must have seen the key to know what comes.
        if (!flush(self, cursor)) {
            return false;
        }
        plm_pending next = plm_projector_pending(self->root);
        if (self->depth == 1 && *cursor->at == '[' && next == PLM_PENDING_ITEMS) {
            self->in_items = true;
        } else if (*cursor->at == '{' && ((self->depth == 1 && next == PLM_PENDING_OBJECT) ||
                                          (self->depth == 2 && self->in_items))) {
            if (!feed(self, self->root, cursor, "{}", 2, self->offset) ||
                !begin_element(self, cursor)) {
                return false;
            }
            if (self->gathering) {
                return true;
            }
        }
    }
    self->depth++;
    cursor->at++;
    return true;
}

static bool end_element(plm_json_decoder *self, cursor *cursor) {
    if (!flush(self, cursor)) {
        return false;
    }
    self->in_element = false;
    if (!self->dropping && !plm_projector_is_complete(self->element)) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "brackets that do not match");
    }
    // The object of a watch event waits for the event's end: its type may come later.
    return !self->in_items || commit_item(self, cursor);
}

/// A bracket closes outside a string; the cursor is on it.
static bool close_bracket(plm_json_decoder *self, cursor *cursor) {
    cursor->at++;
    self->depth--;
    if (self->in_element) {
        return self->depth != self->element_depth || end_element(self, cursor);
    }
    if (self->depth == 1) {
        self->in_items = false;
    }
    if (self->depth > 0) {
        return true;
    }
    return self->envelope != NULL ? end_envelope(self, cursor)
                                  : flush(self, cursor) && commit_root(self, cursor);
}

/// Between root objects: white space, or the next one.
static bool begin_root(plm_json_decoder *self, cursor *cursor) {
    char byte = *cursor->at;
    if (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t') {
        cursor->at++;
        cursor->pending = cursor->at;
        return true;
    }
    if (byte != '{') {
        return fail_foreign(self, cursor);
    }
    if (self->shape == SHAPE_COMPLETE) {
        return fail_at(self, cursor, PLM_FAILURE_SYNTAX, "a second object after the whole answer");
    }
    self->depth = 1;
    if (self->reader != NULL && take_envelope(self, cursor)) {
        return begin_element(self, cursor);
    }
    cursor->at++;
    return true;
}

static void skip_string(plm_json_decoder *self, cursor *cursor) {
    const char *at = cursor->at;
    if (self->escaped) {
        self->escaped = false;
        at++;
    }
    for (; at < cursor->end; at++) {
        if (*at == '"') {
            self->in_string = false;
            at++;
            break;
        }
        if (*at == '\\') {
            at++;
            if (at == cursor->end) {
                self->escaped = true;
                break;
            }
        }
    }
    cursor->at = at;
}

/// Moves on by one structural step.
static bool step(plm_json_decoder *self, cursor *cursor) {
    if (self->in_string) {
        skip_string(self, cursor);
        return true;
    }
    if (self->depth == 0) {
        return begin_root(self, cursor);
    }
    if (self->envelope != NULL && !self->in_element && *cursor->at != '}' &&
        !leave_envelope(self, cursor)) {
        return false;
    }
    switch (*cursor->at) {
    case '"':
        self->in_string = true;
        cursor->at++;
        return true;
    case '{':
    case '[': return open_bracket(self, cursor);
    case '}':
    case ']': return close_bracket(self, cursor);
    default: cursor->at++; return true;
    }
}

// MARK: Gathering

/// What was gathered passed a bound: it is taken step by step, as if it came only now.
static bool replay(plm_json_decoder *self, plm_batch_builder *batch) {
    uint64_t offset = self->offset;
    self->offset = self->gathered_offset;
    size_t number = 0;
    do {
        plm_text part;
        number = plm_element_part(&self->gathered, number, &part);
        cursor cursor = {part.bytes, part.bytes, part.bytes + part.length, part.bytes, batch};
        while (cursor.at < cursor.end) {
            if (!step(self, &cursor)) {
                return false;
            }
        }
        if (!flush(self, &cursor)) {
            return false;
        }
        self->offset += part.length;
    } while (number != 0);
    self->offset = offset;
    return true;
}

static bool gather(plm_json_decoder *self, cursor *cursor) {
    size_t taken;
    plm_element_result result =
        plm_element_append(&self->gathered, cursor->at, (size_t)(cursor->end - cursor->at),
                           PLM_MAX_DEPTH - self->element_depth, &taken);
    cursor->at += taken;
    cursor->pending = cursor->at;
    switch (result) {
    case PLM_ELEMENT_OPEN: return true;
    case PLM_ELEMENT_NO_MEMORY: return fail_memory(self, cursor->batch);
    case PLM_ELEMENT_REFUSED: self->gathering = false; return replay(self, cursor->batch);
    case PLM_ELEMENT_WHOLE: break;
    }
    self->gathering = false;
    self->in_element = false;
    self->has_gathered = true;
    return !self->in_items || commit_item(self, cursor);
}

bool plm_json_decoder_decode(plm_json_decoder *self, const char *bytes, size_t count,
                             plm_batch_builder *batch) {
    if (self->over) {
        return false;
    }
    cursor cursor = {bytes, bytes, bytes + count, bytes, batch};
    while (cursor.at < cursor.end) {
        if (!(self->gathering ? gather(self, &cursor) : step(self, &cursor))) {
            return false;
        }
    }
    if (!flush(self, &cursor)) {
        return false;
    }
    self->offset += count;
    return true;
}

bool plm_json_decoder_end(plm_json_decoder *self, plm_batch_builder *batch) {
    if (self->over) {
        return false;
    }
    self->over = true;
    bool in_object = self->depth > 0;
    bool in_watch = self->shape == SHAPE_WATCH || self->envelope != NULL ||
                    root_text(self, PLM_FIELD_TYPE).bytes != NULL ||
                    (self->in_element && !self->in_items);
    if (in_object && !in_watch) {
        plm_batch_fail(batch, PLM_FAILURE_TRUNCATED,
                       "the body ends in the middle of an object, after %llu bytes",
                       (unsigned long long)self->offset)
            ->byte_offset = self->offset;
        return false;
    }
    plm_event *event = plm_batch_add(batch, PLM_EVENT_END);
    if (event == NULL) {
        return fail_memory(self, batch);
    }
    event->end = (plm_end){.is_watch = in_watch, .in_object = in_object};
    return true;
}

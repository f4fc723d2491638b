#include "plm_projector.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "plm_condition.h"
#include "plm_image_list.h"
#include "plm_places.h"

/// The deepest place that is looked into: PLACE_OBJECT, PLACE_STATUS, PLACE_IMAGES, PLACE_IMAGE,
/// PLACE_NAMES and one to spare.
#define MAX_TRACKED_DEPTH 8

typedef struct span {
    size_t offset;
    size_t length;
    bool present;
} span;

struct plm_projector {
    const plm_allocator *allocator;
    const plm_limits *limits;
    const plm_wanted_label *labels;
    size_t label_count;
    plm_projector_scope scope;
    yajl_handle yajl;

    /// Places of the open maps and arrays.
    int open[MAX_TRACKED_DEPTH];
    /// Places read in each, and the places of all that is wanted of it (0: it is read to its end).
    uint64_t seen[MAX_TRACKED_DEPTH];
    uint64_t wanted[MAX_TRACKED_DEPTH];
    size_t depth;
    /// Open maps and arrays below the last tracked one.
    size_t skipped_depth;
    /// Place of the value that comes next in the innermost map.
    int next;
    bool complete;
    bool no_memory;

    plm_buffer text;
    span fields[PLM_FIELD_COUNT];
    /// Index into `labels` of what fills a slot; SIZE_MAX while empty.
    size_t label_rank[PLM_LABEL_SLOTS];
    size_t next_label;

    plm_image_list images;

    plm_condition_type condition_type;
    plm_condition condition_status;

    plm_projected values;
    char rejection[320];
    char error[160];
    size_t error_consumed;
};

// MARK: Faults

void plm_projector_reject(plm_projector *self, const char *format, ...) {
    if (self->rejection[0] != '\0') {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->rejection, sizeof self->rejection, format, arguments);
    va_end(arguments);
}

static int out_of_memory(plm_projector *self) {
    self->no_memory = true;
    return 0;
}

/// Whether a value of another type than the API's spoils the object: of kinds that are not known,
/// only where all kinds are alike.
static bool matters(const plm_projector *self, int place) {
    switch (place) {
    // It is of bookmarks, and means nothing in other objects.
    case PLACE_TEXT + PLM_FIELD_INITIAL_EVENTS_END: return false;
    case PLACE_METADATA:
    case PLACE_ITEMS:
    case PLACE_EVENT_OBJECT:
    case PLACE_TEXT + PLM_FIELD_NAME:
    case PLACE_TEXT + PLM_FIELD_NAMESPACE:
    case PLACE_TEXT + PLM_FIELD_UID:
    case PLACE_TEXT + PLM_FIELD_RESOURCE_VERSION: return true;
    default: return self->scope == PLM_SCOPE_NODE;
    }
}

/// Whether a key of an object is looked at.
static bool is_in_scope(const plm_projector *self, int place) {
    switch (place) {
    case PLACE_SPEC:
    case PLACE_STATUS: return self->scope == PLM_SCOPE_NODE;
    // An envelope's words may mean anything inside an object.
    case PLACE_ITEMS:
    case PLACE_EVENT_OBJECT:
    case PLACE_TEXT + PLM_FIELD_TYPE: return self->scope != PLM_SCOPE_OBJECT;
    default: return true;
    }
}

/// A wanted value has another type than the API's.
static void mismatch(plm_projector *self, int place, const char *found) {
    if (!matters(self, place)) {
        return;
    }
    switch (place) {
    case PLACE_SKIPPED: return;
    // A Status' own `status` is a string.
    case PLACE_STATUS:
        if (strcmp(found, "a string") == 0) {
            return;
        }
        break;
    case PLACE_IMAGE:
        plm_projector_reject(self, "status.images[%zu] is %s, not an object", self->images.count,
                             found);
        return;
    case PLACE_NAMES:
        plm_projector_reject(self, "status.images[%zu].names is %s, not an array",
                             self->images.count - 1, found);
        return;
    case PLACE_IMAGE_NAME:
        plm_projector_reject(self, "status.images[%zu].names holds %s, not a string",
                             self->images.count - 1, found);
        return;
    case PLACE_IMAGE_SIZE:
        plm_projector_reject(self, "status.images[%zu].sizeBytes is %s, not a number",
                             self->images.count - 1, found);
        return;
    case PLACE_EVENT_OBJECT:
        plm_projector_reject(self, "object is %s, not an object", found);
        return;
    case PLACE_ITEMS: plm_projector_reject(self, "items holds %s, not an object", found); return;
    default: break;
    }
    plm_projector_reject(self, "%s is %s, which the %sAPI does not allow", plm_place_name(place),
                         found, self->scope == PLM_SCOPE_NODE ? "Node " : "");
}

// MARK: Fields

static int keep_text(plm_projector *self, plm_field field, const char *bytes, size_t count) {
    span kept = {self->text.length, count, true};
    if (!plm_buffer_append(self->allocator, &self->text, bytes, count)) {
        return out_of_memory(self);
    }
    self->fields[field] = kept;
    return 1;
}

static int add_image_name(plm_projector *self, const char *bytes, size_t count) {
    if (count > self->limits->max_image_name_bytes) {
        plm_projector_reject(self,
                             "status.images[%zu].names holds one of %zu bytes, over the limit of "
                             "%zu (max_image_name_bytes)",
                             self->images.count - 1, count, self->limits->max_image_name_bytes);
        return 1;
    }
    return plm_image_list_add_name(&self->images, self->allocator, (plm_text){bytes, count})
               ? 1
               : out_of_memory(self);
}

static int add_image(plm_projector *self) {
    if (self->images.count >= self->limits->max_images_per_node) {
        plm_projector_reject(self, "status.images has more than %zu entries (max_images_per_node)",
                             self->limits->max_images_per_node);
        // The entries that follow overwrite the last one.
        self->images.count--;
    }
    plm_raw_image *image = plm_image_list_add(&self->images, self->allocator);
    if (image == NULL) {
        return out_of_memory(self);
    }
    *image = plm_image_list_begin(&self->images);
    return 1;
}

/// A plain decimal from 0 to INT64_MAX.
static bool parse_integer(const char *bytes, size_t count, int64_t *value) {
    uint64_t result = 0;
    for (size_t at = 0; at < count; at++) {
        if (bytes[at] < '0' || bytes[at] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(bytes[at] - '0');
        if (result > ((uint64_t)INT64_MAX - digit) / 10) {
            return false;
        }
        result = result * 10 + digit;
    }
    *value = (int64_t)result;
    return count > 0;
}

// MARK: yajl's callbacks

/// Place of the value that begins now.
static int begin_value(plm_projector *self) {
    if (self->skipped_depth > 0) {
        return PLACE_SKIPPED;
    }
    if (self->depth == 0) {
        self->complete = false;
        return PLACE_OBJECT;
    }
    int parent = self->open[self->depth - 1];
    int element = plm_place_of_element(parent);
    if (element != PLACE_SKIPPED) {
        return element;
    }
    return parent == PLACE_ITEMS ? PLACE_ITEMS : self->next;
}

static int end_scalar(plm_projector *self) {
    self->complete = self->depth == 0;
    return 1;
}

static int on_null(void *context) {
    plm_projector *self = context;
    int place = begin_value(self);
    bool in_items = self->depth > 0 && self->open[self->depth - 1] == PLACE_ITEMS;
    if (place >= PLACE_TEXT && place < PLACE_TEXT + PLM_FIELD_LABEL) {
        self->fields[place - PLACE_TEXT].present = false;
    } else if (place == PLACE_IMAGES) {
        plm_image_list_clear(&self->images);
        self->values.has_images = false;
    } else if (place == PLACE_IMAGE) {
        return add_image(self);
    } else if (place == PLACE_IMAGE_NAME) {
        return add_image_name(self, NULL, 0);
    } else if (place == PLACE_ITEMS && in_items) {
        mismatch(self, PLACE_ITEMS, "null");
    } else if (place == PLACE_ITEMS) {
        self->values.has_items = true;
    }
    return end_scalar(self);
}

static int on_boolean(void *context, int value) {
    plm_projector *self = context;
    int place = begin_value(self);
    if (place == PLACE_UNSCHEDULABLE) {
        self->values.unschedulable = value != 0;
    } else {
        mismatch(self, place, "a boolean");
    }
    return end_scalar(self);
}

static int on_number(void *context, const char *bytes, size_t count) {
    plm_projector *self = context;
    int place = begin_value(self);
    int64_t value = 0;
    bool fits = parse_integer(bytes, count, &value);
    switch (place) {
    case PLACE_IMAGE_SIZE:
        if (!fits) {
            plm_projector_reject(self,
                                 "status.images[%zu].sizeBytes %.*s is not an integer from 0 to "
                                 "2^63-1",
                                 self->images.count - 1, count > 40 ? 40 : (int)count, bytes);
        }
        self->images.images[self->images.count - 1].size_bytes = value;
        break;
    case PLACE_CODE: self->values.code = fits ? value : 0; break;
    case PLACE_RETRY_AFTER: self->values.retry_after_seconds = fits ? value : -1; break;
    case PLACE_REMAINING: self->values.remaining_item_count = fits ? value : -1; break;
    default: mismatch(self, place, "a number"); break;
    }
    return end_scalar(self);
}

static int on_string(void *context, const unsigned char *value, size_t count) {
    plm_projector *self = context;
    const char *bytes = (const char *)value;
    int place = begin_value(self);
    end_scalar(self);
    if (place >= PLACE_TEXT + PLM_FIELD_LABEL) {
        uint32_t slot = self->labels[self->next_label].slot;
        self->label_rank[slot] = self->next_label;
        return keep_text(self, PLM_FIELD_LABEL + slot, bytes, count);
    }
    if (place >= PLACE_TEXT) {
        if (place == PLACE_TEXT + PLM_FIELD_CAUSE && self->fields[PLM_FIELD_CAUSE].present) {
            return 1;
        }
        return keep_text(self, (plm_field)(place - PLACE_TEXT), bytes, count);
    }
    switch (place) {
    case PLACE_CONDITION_TYPE:
        self->condition_type = plm_condition_type_of((plm_text){bytes, count});
        return 1;
    case PLACE_CONDITION_STATUS:
        self->condition_status = plm_condition_status_of((plm_text){bytes, count});
        return 1;
    case PLACE_IMAGE_NAME: return add_image_name(self, bytes, count);
    default: mismatch(self, place, "a string"); return 1;
    }
}

static int on_map_key(void *context, const unsigned char *value, size_t count) {
    plm_projector *self = context;
    if (self->skipped_depth > 0) {
        return 1;
    }
    const char *key = (const char *)value;
    int parent = self->open[self->depth - 1];
    self->next = PLACE_SKIPPED;
    if (parent == PLACE_LABELS) {
        for (size_t index = 0; index < self->label_count; index++) {
            const plm_wanted_label *wanted = &self->labels[index];
            if (wanted->length == count && memcmp(wanted->key, key, count) == 0) {
                if (index <= self->label_rank[wanted->slot]) {
                    self->next_label = index;
                    self->next = PLACE_TEXT + PLM_FIELD_LABEL;
                }
                return 1;
            }
        }
        return 1;
    }
    uint64_t wanted = self->wanted[self->depth - 1];
    if (wanted != 0 && (self->seen[self->depth - 1] & wanted) == wanted) {
        return 1;
    }
    self->next = plm_place_of_key(parent, key, count);
    self->seen[self->depth - 1] |= PLM_PLACE_BIT(self->next);
    if (parent == PLACE_OBJECT && !is_in_scope(self, self->next)) {
        self->next = PLACE_SKIPPED;
    }
    return 1;
}

static int open_container(plm_projector *self, int place) {
    if (place == PLACE_SKIPPED || self->depth == MAX_TRACKED_DEPTH) {
        self->skipped_depth++;
        return 1;
    }
    self->seen[self->depth] = 0;
    self->wanted[self->depth] = plm_place_all_keys(place);
    self->open[self->depth++] = place;
    self->next = PLACE_SKIPPED;
    return 1;
}

static int on_start_map(void *context) {
    plm_projector *self = context;
    int place = begin_value(self);
    bool in_items = self->depth > 0 && self->open[self->depth - 1] == PLACE_ITEMS;
    if (place == PLACE_EVENT_OBJECT || (place == PLACE_ITEMS && in_items)) {
        // The decoder put it there: somebody else reads what stood in its place.
        self->values.has_object |= place == PLACE_EVENT_OBJECT;
        return open_container(self, PLACE_SKIPPED);
    }
    if (place == PLACE_IMAGE) {
        if (!add_image(self)) {
            return 0;
        }
    } else if (place == PLACE_CONDITION) {
        self->condition_type = PLM_CONDITION_TYPE_OTHER;
        self->condition_status = PLM_CONDITION_UNKNOWN;
    } else if (plm_place_is_map(place)) {
        // A wanted map.
    } else {
        mismatch(self, place, "an object");
        place = PLACE_SKIPPED;
    }
    return open_container(self, place);
}

static int on_start_array(void *context) {
    plm_projector *self = context;
    int place = begin_value(self);
    bool in_items = self->depth > 0 && self->open[self->depth - 1] == PLACE_ITEMS;
    if (place == PLACE_IMAGES) {
        plm_image_list_clear(&self->images);
        self->values.has_images = true;
    } else if (place == PLACE_NAMES) {
        plm_raw_image *image = &self->images.images[self->images.count - 1];
        self->images.name_count = image->first_name;
        self->images.name_bytes.length = image->first_byte;
        image->name_count = 0;
        image->byte_count = 0;
    } else if (place == PLACE_ITEMS && !in_items) {
        self->values.has_items = true;
    } else if (place != PLACE_CONDITIONS && place != PLACE_CAUSES) {
        mismatch(self, place, "an array");
        place = PLACE_SKIPPED;
    }
    return open_container(self, place);
}

static int on_end(void *context) {
    plm_projector *self = context;
    if (self->skipped_depth > 0) {
        self->skipped_depth--;
        return 1;
    }
    if (self->open[--self->depth] == PLACE_CONDITION) {
        plm_condition_keep(&self->values, self->condition_type, self->condition_status);
    }
    self->next = PLACE_SKIPPED;
    self->complete = self->depth == 0;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    // Not the integer callback: it turns what overflows into an error of the whole document.
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_map_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end,
};

// MARK: Life

plm_projector *plm_projector_create(const plm_allocator *allocator, const plm_limits *limits,
                                    const plm_wanted_label *labels, size_t label_count,
                                    plm_projector_scope scope) {
    plm_projector *self = plm_allocate(allocator, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    *self = (plm_projector){
        .allocator = allocator,
        .limits = limits,
        .labels = labels,
        .label_count = label_count,
        .scope = scope,
    };
    if (!plm_projector_restart(self)) {
        plm_projector_destroy(self);
        return NULL;
    }
    return self;
}

void plm_projector_destroy(plm_projector *self) {
    if (self == NULL) {
        return;
    }
    const plm_allocator *allocator = self->allocator;
    if (self->yajl != NULL) {
        yajl_free(self->yajl);
    }
    plm_buffer_free(allocator, &self->text);
    plm_image_list_free(&self->images, allocator);
    plm_deallocate(allocator, self);
}

bool plm_projector_restart(plm_projector *self) {
    if (self->yajl != NULL) {
        yajl_free(self->yajl);
    }
    self->yajl = yajl_alloc(&callbacks, NULL, self);
    if (self->yajl == NULL) {
        return false;
    }
    yajl_config(self->yajl, yajl_allow_multiple_values, 1);
    self->depth = 0;
    self->skipped_depth = 0;
    self->next = PLACE_SKIPPED;
    self->complete = false;
    self->no_memory = false;
    plm_projector_clear(self);
    return true;
}

void plm_projector_clear(plm_projector *self) {
    self->text.length = 0;
    memset(self->fields, 0, sizeof self->fields);
    for (size_t slot = 0; slot < PLM_LABEL_SLOTS; slot++) {
        self->label_rank[slot] = SIZE_MAX;
    }
    plm_image_list_clear(&self->images);
    self->values = (plm_projected){.retry_after_seconds = -1, .remaining_item_count = -1};
    self->rejection[0] = '\0';
    self->complete = false;
}

plm_feed_result plm_projector_feed(plm_projector *self, const char *bytes, size_t count) {
    if (count == 0) {
        return PLM_FEED_OK;
    }
    yajl_status status = yajl_parse(self->yajl, (const unsigned char *)bytes, count);
    if (status == yajl_status_ok) {
        return PLM_FEED_OK;
    }
    self->error_consumed = yajl_get_bytes_consumed(self->yajl);
    if (self->no_memory) {
        return PLM_FEED_NO_MEMORY;
    }
    unsigned char *text = yajl_get_error(self->yajl, 0, NULL, 0);
    snprintf(self->error, sizeof self->error, "%s", text == NULL ? "" : (const char *)text);
    yajl_free_error(self->yajl, text);
    self->error[strcspn(self->error, "\n")] = '\0';
    return PLM_FEED_SYNTAX;
}

const char *plm_projector_error(const plm_projector *self, size_t *consumed) {
    *consumed = self->error_consumed;
    return self->error;
}

bool plm_projector_is_complete(const plm_projector *self) {
    return self->complete;
}

plm_pending plm_projector_pending(const plm_projector *self) {
    if (self->depth != 1 || self->skipped_depth > 0) {
        return PLM_PENDING_OTHER;
    }
    switch (self->next) {
    case PLACE_EVENT_OBJECT: return PLM_PENDING_OBJECT;
    case PLACE_ITEMS: return PLM_PENDING_ITEMS;
    default: return PLM_PENDING_OTHER;
    }
}

// MARK: What was read

plm_text plm_projector_text(const plm_projector *self, plm_field field) {
    const span *kept = &self->fields[field];
    if (!kept->present) {
        return (plm_text){NULL, 0};
    }
    return (plm_text){self->text.bytes == NULL ? "" : self->text.bytes + kept->offset,
                      kept->length};
}

const char *plm_projector_rejection(const plm_projector *self) {
    return self->rejection[0] == '\0' ? NULL : self->rejection;
}

plm_projected plm_projector_values(const plm_projector *self) {
    plm_projected values = self->values;
    plm_image_list_lend(&self->images, &values);
    return values;
}

void plm_projector_read(const plm_projector *self, plm_reading *reading) {
    for (size_t field = 0; field < PLM_FIELD_COUNT; field++) {
        reading->texts[field] = plm_projector_text(self, (plm_field)field);
    }
    reading->values = plm_projector_values(self);
    reading->rejection = plm_projector_rejection(self);
}

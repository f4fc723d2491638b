#include "plm_places.h"

#include <string.h>

typedef struct rule {
    const char *key;
    size_t length;
    /// Below PLACE_TEXT a place; from there on a field.
    int place;
} rule;

#define RULE(key, place) {key, sizeof(key) - 1, place}

// The places of a map's keys. What is not listed is skipped.
static const rule object_rules[] = {
    RULE("type", PLACE_TEXT + PLM_FIELD_TYPE),
    RULE("object", PLACE_EVENT_OBJECT),
    RULE("kind", PLACE_TEXT + PLM_FIELD_KIND),
    RULE("metadata", PLACE_METADATA),
    RULE("spec", PLACE_SPEC),
    RULE("status", PLACE_STATUS),
    RULE("items", PLACE_ITEMS),
    RULE("details", PLACE_DETAILS),
    RULE("code", PLACE_CODE),
    RULE("reason", PLACE_TEXT + PLM_FIELD_REASON),
    RULE("message", PLACE_TEXT + PLM_FIELD_MESSAGE),
    {NULL, 0, PLACE_SKIPPED},
};
static const rule metadata_rules[] = {
    RULE("name", PLACE_TEXT + PLM_FIELD_NAME),
    RULE("namespace", PLACE_TEXT + PLM_FIELD_NAMESPACE),
    RULE("uid", PLACE_TEXT + PLM_FIELD_UID),
    RULE("resourceVersion", PLACE_TEXT + PLM_FIELD_RESOURCE_VERSION),
    RULE("creationTimestamp", PLACE_TEXT + PLM_FIELD_CREATION_TIMESTAMP),
    RULE("deletionTimestamp", PLACE_TEXT + PLM_FIELD_DELETION_TIMESTAMP),
    RULE("continue", PLACE_TEXT + PLM_FIELD_CONTINUE),
    RULE("remainingItemCount", PLACE_REMAINING),
    RULE("labels", PLACE_LABELS),
    RULE("annotations", PLACE_ANNOTATIONS),
    {NULL, 0, PLACE_SKIPPED},
};
static const rule annotation_rules[] = {
    RULE("k8s.io/initial-events-end", PLACE_TEXT + PLM_FIELD_INITIAL_EVENTS_END),
    {NULL, 0, PLACE_SKIPPED},
};
static const rule spec_rules[] = {RULE("unschedulable", PLACE_UNSCHEDULABLE),
                                  {NULL, 0, PLACE_SKIPPED}};
static const rule status_rules[] = {
    RULE("capacity", PLACE_CAPACITY),     RULE("allocatable", PLACE_ALLOCATABLE),
    RULE("conditions", PLACE_CONDITIONS), RULE("nodeInfo", PLACE_NODE_INFO),
    RULE("images", PLACE_IMAGES),         {NULL, 0, PLACE_SKIPPED},
};
static const rule capacity_rules[] = {
    RULE("ephemeral-storage", PLACE_TEXT + PLM_FIELD_CAPACITY),
    {NULL, 0, PLACE_SKIPPED},
};
static const rule allocatable_rules[] = {
    RULE("ephemeral-storage", PLACE_TEXT + PLM_FIELD_ALLOCATABLE),
    {NULL, 0, PLACE_SKIPPED},
};
static const rule condition_rules[] = {
    RULE("type", PLACE_CONDITION_TYPE),
    RULE("status", PLACE_CONDITION_STATUS),
    {NULL, 0, PLACE_SKIPPED},
};
static const rule node_info_rules[] = {
    RULE("containerRuntimeVersion", PLACE_TEXT + PLM_FIELD_RUNTIME_VERSION),
    RULE("kubeletVersion", PLACE_TEXT + PLM_FIELD_KUBELET_VERSION),
    RULE("bootID", PLACE_TEXT + PLM_FIELD_BOOT_ID),
    {NULL, 0, PLACE_SKIPPED},
};
static const rule image_rules[] = {
    RULE("names", PLACE_NAMES), RULE("sizeBytes", PLACE_IMAGE_SIZE), {NULL, 0, PLACE_SKIPPED}};
static const rule details_rules[] = {
    RULE("name", PLACE_TEXT + PLM_FIELD_DETAILS_NAME),
    RULE("kind", PLACE_TEXT + PLM_FIELD_DETAILS_KIND),
    RULE("causes", PLACE_CAUSES),
    RULE("retryAfterSeconds", PLACE_RETRY_AFTER),
    {NULL, 0, PLACE_SKIPPED},
};
static const rule cause_rules[] = {RULE("reason", PLACE_TEXT + PLM_FIELD_CAUSE),
                                   {NULL, 0, PLACE_SKIPPED}};

static const rule *const rules_of_map[PLACE_TEXT] = {
    [PLACE_OBJECT] = object_rules,           [PLACE_METADATA] = metadata_rules,
    [PLACE_ANNOTATIONS] = annotation_rules,  [PLACE_SPEC] = spec_rules,
    [PLACE_STATUS] = status_rules,           [PLACE_CAPACITY] = capacity_rules,
    [PLACE_ALLOCATABLE] = allocatable_rules, [PLACE_CONDITION] = condition_rules,
    [PLACE_NODE_INFO] = node_info_rules,     [PLACE_IMAGE] = image_rules,
    [PLACE_DETAILS] = details_rules,         [PLACE_CAUSE] = cause_rules,
};

/// What the elements of an array are.
static const int element_of_array[PLACE_TEXT] = {
    [PLACE_CONDITIONS] = PLACE_CONDITION,
    [PLACE_IMAGES] = PLACE_IMAGE,
    [PLACE_NAMES] = PLACE_IMAGE_NAME,
    [PLACE_CAUSES] = PLACE_CAUSE,
};

int plm_place_of_key(int map, const char *key, size_t count) {
    for (const rule *rule = rules_of_map[map]; rule != NULL && rule->key != NULL; rule++) {
        if (rule->length == count && memcmp(rule->key, key, count) == 0) {
            return rule->place;
        }
    }
    return PLACE_SKIPPED;
}

uint64_t plm_place_key_lengths(int map) {
    uint64_t lengths = 0;
    for (const rule *rule = rules_of_map[map]; rule != NULL && rule->key != NULL; rule++) {
        lengths |= (uint64_t)1 << (rule->length % 64);
    }
    return lengths;
}

uint64_t plm_place_all_keys(int map) {
    switch (map) {
    case PLACE_SPEC: return PLM_PLACE_BIT(PLACE_UNSCHEDULABLE);
    case PLACE_CAPACITY: return PLM_PLACE_BIT(PLACE_TEXT + PLM_FIELD_CAPACITY);
    case PLACE_ALLOCATABLE: return PLM_PLACE_BIT(PLACE_TEXT + PLM_FIELD_ALLOCATABLE);
    case PLACE_CONDITION:
        return PLM_PLACE_BIT(PLACE_CONDITION_TYPE) | PLM_PLACE_BIT(PLACE_CONDITION_STATUS);
    case PLACE_NODE_INFO:
        return PLM_PLACE_BIT(PLACE_TEXT + PLM_FIELD_RUNTIME_VERSION) |
               PLM_PLACE_BIT(PLACE_TEXT + PLM_FIELD_KUBELET_VERSION) |
               PLM_PLACE_BIT(PLACE_TEXT + PLM_FIELD_BOOT_ID);
    default: return 0;
    }
}

int plm_place_of_element(int array) {
    return element_of_array[array];
}

bool plm_place_is_map(int place) {
    return place < PLACE_TEXT && (rules_of_map[place] != NULL || place == PLACE_LABELS);
}

const char *plm_place_name(int place) {
    switch (place) {
    case PLACE_METADATA: return "metadata";
    case PLACE_LABELS: return "metadata.labels";
    case PLACE_ANNOTATIONS: return "metadata.annotations";
    case PLACE_SPEC: return "spec";
    case PLACE_STATUS: return "status";
    case PLACE_CAPACITY: return "status.capacity";
    case PLACE_ALLOCATABLE: return "status.allocatable";
    case PLACE_CONDITIONS:
    case PLACE_CONDITION: return "status.conditions";
    case PLACE_NODE_INFO: return "status.nodeInfo";
    case PLACE_IMAGES: return "status.images";
    case PLACE_UNSCHEDULABLE: return "spec.unschedulable";
    case PLACE_CONDITION_TYPE: return "status.conditions[].type";
    case PLACE_CONDITION_STATUS: return "status.conditions[].status";
    case PLACE_TEXT + PLM_FIELD_KIND: return "kind";
    case PLACE_TEXT + PLM_FIELD_TYPE: return "type";
    case PLACE_TEXT + PLM_FIELD_NAME: return "metadata.name";
    case PLACE_TEXT + PLM_FIELD_NAMESPACE: return "metadata.namespace";
    case PLACE_TEXT + PLM_FIELD_UID: return "metadata.uid";
    case PLACE_TEXT + PLM_FIELD_RESOURCE_VERSION: return "metadata.resourceVersion";
    case PLACE_TEXT + PLM_FIELD_CREATION_TIMESTAMP: return "metadata.creationTimestamp";
    case PLACE_TEXT + PLM_FIELD_DELETION_TIMESTAMP: return "metadata.deletionTimestamp";
    case PLACE_TEXT + PLM_FIELD_CAPACITY: return "status.capacity.ephemeral-storage";
    case PLACE_TEXT + PLM_FIELD_ALLOCATABLE: return "status.allocatable.ephemeral-storage";
    case PLACE_TEXT + PLM_FIELD_RUNTIME_VERSION: return "status.nodeInfo.containerRuntimeVersion";
    case PLACE_TEXT + PLM_FIELD_KUBELET_VERSION: return "status.nodeInfo.kubeletVersion";
    case PLACE_TEXT + PLM_FIELD_BOOT_ID: return "status.nodeInfo.bootID";
    default: return "a field";
    }
}

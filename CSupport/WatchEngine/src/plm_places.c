#include "plm_places.h"

#include <string.h>

typedef struct rule {
    const char *key;
    /// Below PLACE_TEXT a place; from there on a field.
    int place;
} rule;

// The places of a map's keys. What is not listed is skipped.
static const rule object_rules[] = {
    {"type", PLACE_TEXT + PLM_FIELD_TYPE},
    {"object", PLACE_EVENT_OBJECT},
    {"kind", PLACE_TEXT + PLM_FIELD_KIND},
    {"metadata", PLACE_METADATA},
    {"spec", PLACE_SPEC},
    {"status", PLACE_STATUS},
    {"items", PLACE_ITEMS},
    {"details", PLACE_DETAILS},
    {"code", PLACE_CODE},
    {"reason", PLACE_TEXT + PLM_FIELD_REASON},
    {"message", PLACE_TEXT + PLM_FIELD_MESSAGE},
    {NULL, PLACE_SKIPPED},
};
static const rule metadata_rules[] = {
    {"name", PLACE_TEXT + PLM_FIELD_NAME},
    {"namespace", PLACE_TEXT + PLM_FIELD_NAMESPACE},
    {"uid", PLACE_TEXT + PLM_FIELD_UID},
    {"resourceVersion", PLACE_TEXT + PLM_FIELD_RESOURCE_VERSION},
    {"creationTimestamp", PLACE_TEXT + PLM_FIELD_CREATION_TIMESTAMP},
    {"deletionTimestamp", PLACE_TEXT + PLM_FIELD_DELETION_TIMESTAMP},
    {"continue", PLACE_TEXT + PLM_FIELD_CONTINUE},
    {"remainingItemCount", PLACE_REMAINING},
    {"labels", PLACE_LABELS},
    {"annotations", PLACE_ANNOTATIONS},
    {NULL, PLACE_SKIPPED},
};
static const rule annotation_rules[] = {
    {"k8s.io/initial-events-end", PLACE_TEXT + PLM_FIELD_INITIAL_EVENTS_END},
    {NULL, PLACE_SKIPPED},
};
static const rule spec_rules[] = {{"unschedulable", PLACE_UNSCHEDULABLE}, {NULL, PLACE_SKIPPED}};
static const rule status_rules[] = {
    {"capacity", PLACE_CAPACITY},     {"allocatable", PLACE_ALLOCATABLE},
    {"conditions", PLACE_CONDITIONS}, {"nodeInfo", PLACE_NODE_INFO},
    {"images", PLACE_IMAGES},         {NULL, PLACE_SKIPPED},
};
static const rule capacity_rules[] = {
    {"ephemeral-storage", PLACE_TEXT + PLM_FIELD_CAPACITY},
    {NULL, PLACE_SKIPPED},
};
static const rule allocatable_rules[] = {
    {"ephemeral-storage", PLACE_TEXT + PLM_FIELD_ALLOCATABLE},
    {NULL, PLACE_SKIPPED},
};
static const rule condition_rules[] = {
    {"type", PLACE_CONDITION_TYPE},
    {"status", PLACE_CONDITION_STATUS},
    {NULL, PLACE_SKIPPED},
};
static const rule node_info_rules[] = {
    {"containerRuntimeVersion", PLACE_TEXT + PLM_FIELD_RUNTIME_VERSION},
    {"kubeletVersion", PLACE_TEXT + PLM_FIELD_KUBELET_VERSION},
    {"bootID", PLACE_TEXT + PLM_FIELD_BOOT_ID},
    {NULL, PLACE_SKIPPED},
};
static const rule image_rules[] = {
    {"names", PLACE_NAMES}, {"sizeBytes", PLACE_IMAGE_SIZE}, {NULL, PLACE_SKIPPED}};
static const rule details_rules[] = {
    {"name", PLACE_TEXT + PLM_FIELD_DETAILS_NAME},
    {"kind", PLACE_TEXT + PLM_FIELD_DETAILS_KIND},
    {"causes", PLACE_CAUSES},
    {"retryAfterSeconds", PLACE_RETRY_AFTER},
    {NULL, PLACE_SKIPPED},
};
static const rule cause_rules[] = {{"reason", PLACE_TEXT + PLM_FIELD_CAUSE}, {NULL, PLACE_SKIPPED}};

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
        if (strlen(rule->key) == count && memcmp(rule->key, key, count) == 0) {
            return rule->place;
        }
    }
    return PLACE_SKIPPED;
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

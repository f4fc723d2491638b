"""What the Python client asks of an API server, one step after the other; the name of each step
that went well is printed. Usage: kubernetes_client.py KUBECONFIG NODE"""

import datetime
import sys

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

kubeconfig, name = sys.argv[1:]
config.load_kube_config(kubeconfig)
core = client.CoreV1Api()
leases = client.CoordinationV1Api()
events = client.EventsV1Api()
now = datetime.datetime.now(datetime.timezone.utc)


def check(step, holds):
    if not holds:
        sys.exit(f"{step}: not as expected")
    print(step)


def refused(status, call):
    try:
        call()
    except ApiException as error:
        return error.status == status
    return False


version = client.VersionApi().get_code()
check("version", version.major == "1")

nodes = core.list_node()
check("list", name in [node.metadata.name for node in nodes.items])
page = core.list_node(limit=1)
rest = core.list_node(limit=1000, _continue=page.metadata._continue)
check("pages", len(page.items) + len(rest.items) == len(nodes.items))
check("selectors", len(core.list_node(field_selector=f"metadata.name={name}").items) == 1)

node = core.read_node(name)
check("get", node.metadata.uid and node.status.images)
check("get of none", refused(404, lambda: core.read_node("nope")))

core.patch_node(name, {"metadata": {"annotations": {"merged": "yes"}}})
check("patch", core.read_node(name).metadata.annotations["merged"] == "yes")

applied = core.patch_node(
    name,
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "annotations": {"applied": "yes"}}},
    field_manager="python",
    force=True,
    _content_type="application/apply-patch+yaml",
)
check("apply", applied.metadata.annotations["applied"] == "yes")
check("manager", "python" in [entry.manager for entry in applied.metadata.managed_fields])

node = core.read_node(name)
node.metadata.annotations["replaced"] = "yes"
replaced = core.replace_node(name, node)
check("replace", replaced.metadata.resource_version != node.metadata.resource_version)
check("conflict", refused(409, lambda: core.replace_node(name, node)))

stream = watch.Watch().stream(
    core.list_node, resource_version=node.metadata.resource_version, timeout_seconds=2
)
seen = [event["object"].metadata.annotations.get("replaced") for event in stream]
check("watch", seen[:1] == ["yes"])

lease = client.V1Lease(
    metadata=client.V1ObjectMeta(name="python"),
    spec=client.V1LeaseSpec(holder_identity="a", lease_duration_seconds=15, renew_time=now),
)
lease = leases.create_namespaced_lease("default", lease)
check("lease", lease.spec.holder_identity == "a")
check("second lease", refused(409, lambda: leases.create_namespaced_lease("default", lease)))
old = leases.read_namespaced_lease("python", "default")
lease.spec.holder_identity = "b"
leases.replace_namespaced_lease("python", "default", lease)
check("taken over", leases.read_namespaced_lease("python", "default").spec.holder_identity == "b")
check(
    "late renewal",
    refused(409, lambda: leases.replace_namespaced_lease("python", "default", old)),
)
leases.delete_namespaced_lease("python", "default")
check("lease gone", refused(404, lambda: leases.read_namespaced_lease("python", "default")))

about = client.V1ObjectReference(kind="Node", name=name, uid=node.metadata.uid)
core.create_namespaced_event(
    "default",
    client.CoreV1Event(
        metadata=client.V1ObjectMeta(generate_name="node-"),
        involved_object=about,
        reason="Checked",
        message="old form",
        type="Normal",
        first_timestamp=now,
        last_timestamp=now,
        count=1,
    ),
)
events.create_namespaced_event(
    "default",
    client.EventsV1Event(
        metadata=client.V1ObjectMeta(generate_name="node-"),
        regarding=about,
        reason="Checked",
        note="new form",
        type="Normal",
        action="Check",
        event_time=now,
        reporting_controller="python",
        reporting_instance="python-0",
    ),
)
found = core.list_namespaced_event("default", field_selector=f"involvedObject.name={name}").items
check("events", sorted(event.message for event in found) == ["new form", "old form"])

review = client.V1SelfSubjectAccessReview(
    spec=client.V1SelfSubjectAccessReviewSpec(
        resource_attributes=client.V1ResourceAttributes(verb="watch", resource="nodes")
    )
)
review = client.AuthorizationV1Api().create_self_subject_access_review(review)
check("access review", review.status.allowed)

wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="wrong"))
check("precondition", refused(409, lambda: core.delete_node(name, body=wrong)))
core.delete_node(name, body=client.V1DeleteOptions(dry_run=["All"], grace_period_seconds=10))
check("dry run", core.read_node(name).metadata.name == name)
core.delete_node(name, body=client.V1DeleteOptions(grace_period_seconds=10))
check("delete", refused(404, lambda: core.read_node(name)))
print("done")

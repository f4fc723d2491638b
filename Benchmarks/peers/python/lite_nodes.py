"""client-go's dynamic client from Python (`kubernetes_lite`): lists all nodes and sums their images'
sizes; with a count of 0 it goes on watching them. Usage: lite_nodes.py KUBECONFIG COUNT"""

import sys

from kubernetes_lite.client import DynamicClient


def image_bytes(node):
    return sum(image.get("sizeBytes") or 0 for image in node["status"].get("images") or [])


kubeconfig, count = sys.argv[1], int(sys.argv[2])
resource = DynamicClient(open(kubeconfig, "rb").read()).resource("v1", "Node")
nodes = resource.list()
totals = {node["metadata"]["name"]: image_bytes(node) for node in nodes["items"]}
if count == 0:
    for event in resource.watch(resource_version=nodes["metadata"]["resourceVersion"]):
        node = event["Object"]
        totals[node["metadata"]["name"]] = image_bytes(node)
elif len(totals) != count:
    sys.exit(f"{len(totals)} nodes instead of {count}")
print(len(totals), sum(totals.values()))

"""client-go's dynamic client from Python (`kubernetes_lite`): lists all nodes and sums their images'
sizes. Usage: lite_list_nodes.py KUBECONFIG COUNT"""

import sys

from kubernetes_lite.client import DynamicClient

kubeconfig, count = sys.argv[1], int(sys.argv[2])
client = DynamicClient(open(kubeconfig, "rb").read())
nodes = client.resource("v1", "Node").list()
items = nodes["items"] if isinstance(nodes, dict) else nodes.items
total = 0
for node in items:
    status = node["status"] if isinstance(node, dict) else node.status
    for image in status.get("images") or []:
        total += image.get("sizeBytes") or 0
if len(items) != count:
    sys.exit(f"{len(items)} nodes instead of {count}")
print(len(items), total)

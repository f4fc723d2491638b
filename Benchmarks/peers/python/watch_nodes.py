"""The Python client (`kubernetes`): watches nodes until it has seen so many (0: for ever), and sums
their images' sizes. Usage: watch_nodes.py KUBECONFIG COUNT"""

import sys

from kubernetes import client, config, watch

kubeconfig, count = sys.argv[1], int(sys.argv[2])
config.load_kube_config(kubeconfig)
totals = {}
for event in watch.Watch().stream(client.CoreV1Api().list_node):
    node = event["object"]
    totals[node.metadata.name] = sum(image.size_bytes or 0 for image in node.status.images or [])
    if len(totals) == count:
        break
print(len(totals), sum(totals.values()))

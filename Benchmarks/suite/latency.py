"""From the read that brought the last byte of a change to the handler that is told of it."""

import json
import os
import subprocess

from .cluster import Cluster
from .common import RELEASE, progress, spread

CHANGES_PER_MINUTE = 6000


def latency(nodes, interval, rounds, seconds, folder):
    runs = []
    with Cluster(nodes, folder, interval, changes=CHANGES_PER_MINUTE) as cluster:
        for number in range(rounds):
            progress(f"latency to the handler, round {number + 1} of {rounds}")
            line = subprocess.run(
                [os.path.join(RELEASE, "HandlerLatencyBench"), cluster.kubeconfig, str(seconds)],
                capture_output=True, text=True, check=True).stdout
            runs.append(json.loads(line))
    return {
        "nodes": nodes, "heartbeatsPerSecond": nodes / interval,
        "changesPerSecond": CHANGES_PER_MINUTE / 60, "seconds": seconds,
        **{key: spread([run[key] for run in runs]) for key in ("changes", "p50", "p99", "most")},
    }

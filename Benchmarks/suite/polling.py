"""Asking every so often against watching: the bytes, the CPU, and the time until a change is noticed.

The poller is as good as can be: `plimsoll get`, one process a poll. Heartbeats come every 5 minutes, as
the kubelet sends them when nothing changes. Images are pulled at moments that follow no pattern of the
poller's, and what is measured ends when the new image is in somebody's hands.
"""

import json
import random
import subprocess
import threading
import time

from .cluster import Cluster
from .common import PLIMSOLL, progress, spread

HEARTBEAT = 300
PULLS = 8


def image_name(number):
    return f"registry.example/polling/image-{number}:v1"


def pull_at_random(cluster, seconds, pulled):
    """Pulls images over so many seconds; `pulled` gets the moment of each."""
    chance = random.Random(PULLS)
    start = time.monotonic()
    names = subprocess.run(
        [PLIMSOLL, "get", "--kubeconfig", cluster.kubeconfig, "-o", "name"],
        check=True, capture_output=True, text=True).stdout.split()
    for number, moment in enumerate(sorted(chance.uniform(3, seconds - 1) for _ in range(PULLS))):
        time.sleep(max(0.0, start + moment - time.monotonic()))
        before = time.monotonic()
        cluster.pull(chance.choice(names).split("/")[-1], image_name(number), "100MB")
        # Between the two the API has it; the earlier would flatter nobody.
        pulled[image_name(number)] = before


def poll(cluster, every, seconds, measure):
    pulled, noticed, runs = {}, {}, []
    puller = threading.Thread(target=pull_at_random, args=(cluster, seconds, pulled))
    puller.start()
    output = f"{cluster.kubeconfig}.nodes"
    command = [PLIMSOLL, "get", "--kubeconfig", cluster.kubeconfig, "-o", "json"]
    start = time.monotonic()
    turn = 0
    while puller.is_alive() or len(noticed) < PULLS:
        runs.append(measure.run(["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", output] + command))
        ended = time.monotonic()
        for node in json.load(open(output))["items"]:
            for image in node.get("images") or []:
                for name in pulled.keys() & image["names"]:
                    noticed.setdefault(name, ended)
        turn += 1
        time.sleep(max(0.0, start + turn * every - time.monotonic()))
    elapsed = turn * every
    return {
        "cpuSeconds": sum(run["cpuSeconds"] for run in runs) / elapsed,
        "bytes": sum(run["loopbackBytes"] for run in runs) / elapsed,
        "noticed": [noticed[name] - pulled[name] for name in noticed],
    }


def watch(cluster, seconds, measure):
    pulled, noticed = {}, {}
    puller = threading.Thread(target=pull_at_random, args=(cluster, seconds, pulled))
    process = subprocess.Popen(
        [measure.program, "--from", "2", "--until", str(seconds), PLIMSOLL, "watch", "--kubeconfig",
         cluster.kubeconfig, "-o", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    puller.start()
    for line in process.stdout:
        ended = time.monotonic()
        for image in json.loads(line)["added"]:
            noticed.setdefault(image["name"], ended)
    figures = json.loads(process.stderr.read().strip().splitlines()[-1])
    puller.join()
    process.wait()
    return {
        "cpuSeconds": figures["windowCPUSeconds"] / figures["windowSeconds"],
        "bytes": figures["windowBytes"] / figures["windowSeconds"],
        "noticed": [noticed[name] - pulled[name] for name in noticed if name in pulled],
    }


def polling(nodes, periods, seconds, measure, folder):
    rows = []
    ways = [("watch", None)] + [(f"every {period} s", period) for period in periods]
    for name, period in ways:
        # A cluster for each, so that an image is new to all of them.
        with Cluster(nodes, folder, HEARTBEAT) as cluster:
            progress(f"polling against watching: {name}")
            figures = (
                watch(cluster, seconds, measure) if period is None
                else poll(cluster, period, max(seconds, 4 * period), measure))
        if len(figures["noticed"]) != PULLS:
            raise RuntimeError(f"{name}: {len(figures['noticed'])} of {PULLS} pulls noticed")
        rows.append({
            "way": name, "nodes": nodes, "heartbeatSeconds": HEARTBEAT, "pulls": PULLS,
            "bytesPerSecond": figures["bytes"], "cpuSecondsPerMinute": figures["cpuSeconds"] * 60,
            "secondsToNotice": spread(figures["noticed"]),
        })
    return rows

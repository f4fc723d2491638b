#!/usr/bin/env python3
"""Plimsoll beside what people use today, on the same bytes, each peer a process of its own, measured as
a whole.

The peers take turns, round after round, so that what disturbs the machine disturbs all of them alike.
What is said of two peers is the median of their ratios within each round, with the lowest and highest.
A peer that cannot run here is named with the reason.
"""

import argparse
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time

from suite import cluster, common, decoding, latency, peers, plots, polling, report, steady, sync


def version(command, pattern):
    try:
        text = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
        return re.search(pattern, text).group(1)
    except (OSError, AttributeError, subprocess.TimeoutExpired):
        return "unknown"


def machine():
    model = "unknown"
    try:
        model = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read()).group(1)
    except (OSError, AttributeError):
        pass
    return {
        "processor": model, "cores": os.cpu_count(), "system": platform.platform(),
        "plimsoll": version([common.PLIMSOLL, "version"], r"plimsoll (\S+)"),
        "curl": version(["curl", "--version"], r"curl (\S+)"),
        "kubectl": version([common.KUBECTL, "version", "--client"], r"Client Version: (\S+)"),
        "python": platform.python_version(),
        "revision": version(
            ["git", "-C", common.ROOT, "describe", "--always", "--dirty"], r"(\S+)"),
    }


def bench(arguments):
    everyone = peers.peers()
    usable = [peer for peer in everyone if not peer.missing]
    if arguments.peers:
        everyone = usable = [peer for peer in usable if peer.name in arguments.peers]
    # Who is compared where the others would take minutes.
    close = [peer for peer in usable if peer.name.startswith(("plimsoll", "curl"))]
    rounds = arguments.rounds
    with tempfile.TemporaryDirectory() as folder:
        measure = common.Measure(folder)
        made = {
            "command": shlex.join(["Benchmarks/bench.py"] + sys.argv[1:]), "machine": machine(),
            "rounds": rounds, "images": cluster.IMAGES, "window": steady.WINDOW[1] - steady.WINDOW[0],
            "peers": [
                {"name": peer.name, "what": peer.what, "missing": peer.missing} for peer in everyone],
        }
        made["bigRounds"] = arguments.big_rounds
        made["rate"] = arguments.rate
        steady_rounds = arguments.steady_rounds or rounds
        if "sync" in arguments.parts:
            made["sync"] = sync.sync(usable, arguments.sizes, rounds, measure, folder)
            made["sync"] += sync.sync(
                close, arguments.big_sizes, arguments.big_rounds, measure, folder)
        if "paced" in arguments.parts:
            made["paced"] = sync.sync(
                close, arguments.paced_sizes, rounds, measure, folder, arguments.rate)
        if "steady" in arguments.parts:
            made["steady"] = steady.steady(usable, 1000, 4, steady_rounds, measure, folder)
            made["steady"] += steady.steady(close, 1000, 1, steady_rounds, measure, folder)
        if "latency" in arguments.parts:
            made["latency"] = latency.latency(1000, 4, steady_rounds, 10, folder)
        if "polling" in arguments.parts:
            made["polling"] = polling.polling(
                1000, arguments.periods, arguments.poll_seconds, measure, folder)
        if "decoding" in arguments.parts:
            made["decoding"], made["counted"] = decoding.decoding(
                1000, arguments.stream, rounds, folder)
    common.progress()
    return made


PARTS = ["sync", "paced", "steady", "latency", "polling", "decoding"]


def numbers(text):
    return [int(part) for part in text.split(",") if part]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", type=numbers, default="100,1000,5000,20000", help="numbers of nodes")
    parser.add_argument("--big-sizes", type=numbers, default="",
                        help="more of them, for Plimsoll and curl alone")
    parser.add_argument("--big-rounds", type=int, default=3, help="how often there")
    parser.add_argument("--paced-sizes", type=numbers, default="20000",
                        help="numbers of nodes, from a server that sends node by node")
    parser.add_argument("--rate", default="100MB", help="bytes a second that it sends")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=PARTS,
                        help="only these, with commas between: " + ",".join(PARTS))
    parser.add_argument("--peers", type=lambda text: text.split(";"),
                        help="only these, with semicolons between: \"plimsoll;curl, protobuf\"")
    parser.add_argument("--rounds", type=int, default=10, help="how often each peer has its turn")
    parser.add_argument("--steady-rounds", type=int, help="the same for the steady state (12 s each)")
    parser.add_argument("--periods", type=numbers, default="5,30", help="seconds between two polls")
    parser.add_argument("--poll-seconds", type=int, default=60, help="time for each way of noticing")
    parser.add_argument("--stream", action="append", default=[], metavar="FILE",
                        help="decode this recorded list or watch (JSON) too; may be repeated")
    parser.add_argument("--out", help="a folder for the report as Markdown, JSON and SVG")
    arguments = parser.parse_args()
    start = time.monotonic()
    made = bench(arguments)
    text = report.markdown(made)
    print(text)
    if arguments.out:
        os.makedirs(arguments.out, exist_ok=True)
        files = {"README.md": text, "report.json": json.dumps(made, indent=2) + "\n", **plots.plots(made)}
        for name, content in files.items():
            with open(os.path.join(arguments.out, name), "w") as file:
                file.write(content)
    print(f"took {time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

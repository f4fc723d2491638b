#!/usr/bin/env python3
"""Plimsoll beside what people use today, on the same bytes: the initial sync of a simulated cluster,
each peer a process of its own, measured as a whole.

    make bench-quick        100 and 1,000 nodes, 3 rounds
    make bench              100 to 20,000 nodes, 10 rounds

The peers take turns, round after round, so that what disturbs the machine disturbs all of them alike.
What is said of two peers is the median of their ratios within each round, with the lowest and highest.
A peer that cannot run here is named with the reason.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RELEASE = os.path.join(ROOT, ".build/release")
TOOLS = os.path.join(ROOT, ".build-tools")
PEERS = os.path.join(ROOT, "Benchmarks/peers")
STREAM = (
    "/api/v1/nodes?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    "&allowWatchBookmarks=true&timeoutSeconds=1"
)


class Cluster:
    """A simulated cluster of so many nodes, each with a heartbeat every so many seconds (0: none)."""

    def __init__(self, nodes, folder, heartbeat=0):
        self.nodes = nodes
        self.kubeconfig = os.path.join(folder, f"{nodes}.kubeconfig")
        self.process = subprocess.Popen(
            [
                f"{RELEASE}/plimsoll-sim", "--nodes", str(nodes), "--heartbeat-interval", str(heartbeat),
                "--images", "50", "--kubeconfig", self.kubeconfig,
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for line in self.process.stderr:
            if "interrupt to stop" in line:
                break
        text = open(self.kubeconfig).read()
        self.server = re.search(r'server: *"?([^"\s]+)', text).group(1)
        self.token = re.search(r'token: *"?([^"\s]+)', text).group(1)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Peer:
    def __init__(self, name, what, command, missing=None, environment=None):
        self.name = name
        self.what = what
        self.command = command
        self.missing = missing
        self.environment = environment or {}


def peers():
    python = os.path.join(TOOLS, "python")
    kubectl = os.path.join(TOOLS, "bin/kubectl")
    return [
        Peer(
            "plimsoll", "streaming list, JSON, decoded into the store",
            lambda c: [f"{RELEASE}/plimsoll", "watch", "--kubeconfig", c.kubeconfig, "--until-synced"],
        ),
        Peer(
            "curl", "the floor: the same list to /dev/null, nothing decoded",
            lambda c: [
                "curl", "-sS", "-k", "-A", "bench", "-o", "/dev/null", "-H",
                f"Authorization: Bearer {c.token}", c.server + "/api/v1/nodes?resourceVersion=0",
            ],
            None if shutil.which("curl") else "curl is not installed",
        ),
        Peer(
            "kubectl", "kubectl get nodes -o json",
            lambda c: [kubectl, "--kubeconfig", c.kubeconfig, "get", "nodes", "-o", "json"],
            None if os.path.exists(kubectl) else "kubectl is missing; `make bootstrap` fetches it",
        ),
        Peer(
            "python", "the Python client's watch, until all nodes were seen",
            lambda c: [
                sys.executable, f"{PEERS}/python/watch_nodes.py", c.kubeconfig, str(c.nodes)
            ],
            None if os.path.isdir(f"{python}/kubernetes")
            else "the Python client is missing; `make bootstrap` fetches it",
            {"PYTHONPATH": python},
        ),
        Peer(
            "kubernetes_lite", "client-go's dynamic client from Python, a list",
            lambda c: [
                sys.executable, f"{PEERS}/python/lite_list_nodes.py", c.kubeconfig, str(c.nodes)
            ],
            None if os.path.isdir(f"{TOOLS}/lite/kubernetes_lite")
            else "kubernetes_lite is missing; `make bench-tools` fetches it",
            {"PYTHONPATH": os.path.join(TOOLS, "lite")},
        ),
    ]


def run(measure, peer, cluster):
    """One run of a peer: its figures, or why there are none."""
    result = subprocess.run(
        [measure] + peer.command(cluster), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**os.environ, **peer.environment, "HOME": tempfile.gettempdir()}, timeout=600,
    )
    lines = result.stderr.decode(errors="replace").strip().splitlines()
    figures = json.loads(lines[-1])
    if figures["exitCode"] != 0:
        raise RuntimeError(f"{peer.name} ended with {figures['exitCode']}: {' '.join(lines[:-1])[:300]}")
    figures["cpuSeconds"] = figures.pop("userSeconds") + figures.pop("systemSeconds")
    return figures


def steady(nodes, interval, rounds, measure, folder):
    """What one update costs a watch that is open: the CPU of a long run less that of a short one."""
    short, long = 5, 20
    kubectl = os.path.join(TOOLS, "bin/kubectl")
    cluster = Cluster(nodes, folder, interval)
    watchers = {
        "plimsoll": lambda s: [
            f"{RELEASE}/plimsoll", "watch", "--kubeconfig", cluster.kubeconfig, "--for", f"{s}s"],
        "curl": lambda s: [
            "curl", "-sS", "-k", "-A", "bench", "-o", "/dev/null", "-m", str(s), "-H",
            f"Authorization: Bearer {cluster.token}",
            cluster.server + "/api/v1/nodes?watch=true&resourceVersion=0"],
        "kubectl": lambda s: [
            "timeout", str(s), kubectl, "--kubeconfig", cluster.kubeconfig, "get", "nodes", "-w",
            "-o", "json"],
    }
    updates = nodes / interval * (long - short)
    costs = {name: [] for name in watchers}
    memory = {name: [] for name in watchers}
    try:
        for number in range(rounds):
            for name, command in watchers.items():
                print(f"\r\033[Ksteady state, round {number + 1} of {rounds}: {name}", end="",
                      file=sys.stderr, flush=True)
                figures = []
                for seconds in (short, long):
                    result = subprocess.run(
                        [measure] + command(seconds), stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE, env={**os.environ, "HOME": tempfile.gettempdir()})
                    # Each ends because its time is over, with a code of its own for that.
                    figures.append(json.loads(result.stderr.decode().strip().splitlines()[-1]))
                cpu = [f["userSeconds"] + f["systemSeconds"] for f in figures]
                costs[name].append((cpu[1] - cpu[0]) / updates * 1e6)
                memory[name].append(figures[1]["maxRSSBytes"])
    finally:
        cluster.stop()
    return [
        {
            "watcher": name, "nodes": nodes, "updatesPerSecond": nodes / interval,
            "microsecondsPerUpdate": spread(costs[name]), "maxRSSBytes": spread(memory[name]),
            "ratio": spread([t / o for t, o in zip(costs[name], costs["plimsoll"])]),
        }
        for name in watchers
    ]


def record(cluster, path):
    """The cluster's streaming list, as a file."""
    subprocess.run(
        ["curl", "-sS", "-k", "-A", "bench", "-o", path, "-H", f"Authorization: Bearer {cluster.token}",
         cluster.server + STREAM], check=True)


def instructions(command):
    """Instructions of a whole process, repeatable on any machine; None without valgrind."""
    if not shutil.which("valgrind"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        # Valgrind 3.19 gives up on the debug information of some Swift programs.
        subprocess.run(["strip", "-o", f"{folder}/program", command[0]], check=True)
        result = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
             f"{folder}/program"] + command[1:],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        found = re.search(r"Collected : (\d+)", result.stderr)
        return int(found.group(1)) if found and result.returncode == 0 else None


def decoding(nodes, rounds, folder):
    """Decoders of one recorded stream in turn: bytes a second, and instructions."""
    cluster = Cluster(nodes, folder)
    path = os.path.join(folder, "stream.json")
    try:
        record(cluster, path)
    finally:
        cluster.stop()
    sax = os.path.join(folder, "yajl_sax")
    subprocess.run(
        ["cc", "-O2", "-o", sax, os.path.join(ROOT, "Benchmarks/yajl_sax.c"), "-lyajl"], check=True)
    decoders = {
        "plimsoll": lambda n: [f"{RELEASE}/plimsoll", "decode", path, "--repeat", n],
        "yajl": lambda n: [sax, path, n],
        "JSONDecoder": lambda n: [f"{RELEASE}/JSONDecoderBench", path, n],
    }
    rates = {name: [] for name in decoders}
    for number in range(rounds):
        for name, command in decoders.items():
            print(f"\r\033[Kdecoding, round {number + 1} of {rounds}: {name}", end="",
                  file=sys.stderr, flush=True)
            line = subprocess.run(command("3"), capture_output=True, text=True, check=True).stdout
            rates[name].append(json.loads(line)["bytesPerSecond"])
    rows = []
    for name, command in decoders.items():
        print(f"\r\033[Kdecoding, instructions: {name}", end="", file=sys.stderr, flush=True)
        one, two = instructions(command("1")), instructions(command("2"))
        rows.append({
            "decoder": name, "bytes": os.path.getsize(path), "bytesPerSecond": spread(rates[name]),
            "rateRatio": spread(
                [ours / theirs for theirs, ours in zip(rates[name], rates["plimsoll"])]),
            # A second pass more: start and first sight of every image left out.
            "instructionsPerByte": (two - one) / os.path.getsize(path) if one and two else None,
        })
    return rows


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


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
        "plimsoll": version([f"{RELEASE}/plimsoll", "version"], r"plimsoll (\S+)"),
        "curl": version(["curl", "--version"], r"curl (\S+)"),
        "kubectl": version([f"{TOOLS}/bin/kubectl", "version", "--client"], r"Client Version: (\S+)"),
        "python": platform.python_version(),
        "revision": version(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], r"(\S+)"),
    }


def bench(sizes, rounds):
    report = {"machine": machine(), "rounds": rounds, "sync": [], "missing": {}}
    usable = []
    for peer in peers():
        if peer.missing or peer.command is None:
            report["missing"][peer.name] = peer.missing or "not run on this machine"
        else:
            usable.append(peer)
    with tempfile.TemporaryDirectory() as folder:
        measure = os.path.join(folder, "measure")
        subprocess.run(
            ["cc", "-O2", "-o", measure, os.path.join(ROOT, "Benchmarks/measure.c")], check=True)
        for nodes in sizes:
            cluster = Cluster(nodes, folder)
            try:
                runs = {peer.name: [] for peer in usable}
                for number in range(rounds):
                    for peer in usable:
                        print(f"\r\033[K{nodes} nodes, round {number + 1} of {rounds}: {peer.name}",
                              end="", file=sys.stderr, flush=True)
                        runs[peer.name].append(run(measure, peer, cluster))
                for peer in usable:
                    row = {"nodes": nodes, "peer": peer.name, "what": peer.what}
                    for key in ("cpuSeconds", "wallSeconds", "maxRSSBytes"):
                        row[key] = spread([figures[key] for figures in runs[peer.name]])
                    row["cpuRatio"] = spread(
                        [theirs["cpuSeconds"] / ours["cpuSeconds"]
                         for theirs, ours in zip(runs[peer.name], runs["plimsoll"])])
                    report["sync"].append(row)
            finally:
                cluster.stop()
        report["steady"] = steady(1000, 4, max(1, rounds // 3), measure, folder)
        report["decoding"] = decoding(1000, rounds, folder)
    print("\r\033[K", end="", file=sys.stderr)
    return report


def markdown(report, command):
    lines = [
        "# Initial sync", "",
        f"`{command}`: {report['rounds']} rounds, the peers in turn; nodes of EKS' shape with 50 images "
        "each, over TLS on this machine. Medians, with the lowest and highest. *CPU ratio*: the peer's "
        "CPU over Plimsoll's in the same round; above 1 it takes more.", "",
        "| nodes | peer | CPU s | CPU ratio | wall s | peak memory MB |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for row in report["sync"]:
        def show(key, scale, digits):
            value = row[key]
            median, least, most = (value[k] / scale for k in ("median", "least", "most"))
            return f"{median:.{digits}f} ({least:.{digits}f}–{most:.{digits}f})"

        lines.append(
            f"| {row['nodes']:,} | {row['peer']} | {show('cpuSeconds', 1, 3)} | "
            f"{show('cpuRatio', 1, 2)} | {show('wallSeconds', 1, 2)} | "
            f"{row['maxRSSBytes']['median'] / 1e6:.0f} |")
    steady = report["steady"]
    lines += [
        "", "# Steady state", "",
        f"A watch of {steady[0]['nodes']:,} nodes with {steady[0]['updatesPerSecond']:.0f} heartbeats a "
        "second. The CPU of 20 s less that of 5 s, for each update. *Ratio*: over Plimsoll's.", "",
        "| watcher | µs an update | ratio | peak memory MB |", "|---|---:|---:|---:|",
    ]
    for row in steady:
        cost, ratio = row["microsecondsPerUpdate"], row["ratio"]
        lines.append(
            f"| {row['watcher']} | {cost['median']:.0f} ({cost['least']:.0f}–{cost['most']:.0f}) | "
            f"{ratio['median']:.2f} ({ratio['least']:.2f}–{ratio['most']:.2f}) | "
            f"{row['maxRSSBytes']['median'] / 1e6:.0f} |")
    decoding = report["decoding"]
    lines += [
        "", "# Decoding", "",
        f"A recorded streaming list of {decoding[0]['bytes'] / 1e6:.1f} MB, warm, one core. *Ratio*: "
        "Plimsoll's rate over the other's in the same round. Instructions a byte are those of one more "
        "pass (callgrind); they are the same whatever else the machine does.", "",
        "| decoder | MB/s | ratio | instructions a byte |", "|---|---:|---:|---:|",
    ]
    for row in decoding:
        rate, ratio, count = row["bytesPerSecond"], row["rateRatio"], row["instructionsPerByte"]
        lines.append(
            f"| {row['decoder']} | {rate['median'] / 1e6:.0f} ({rate['least'] / 1e6:.0f}–"
            f"{rate['most'] / 1e6:.0f}) | {ratio['median']:.2f} ({ratio['least']:.2f}–"
            f"{ratio['most']:.2f}) | {'–' if count is None else f'{count:.1f}'} |")
    lines += ["", "# What the peers do", ""]
    seen = []
    for row in report["sync"]:
        if row["peer"] not in seen:
            seen.append(row["peer"])
            lines.append(f"- *{row['peer']}*: {row['what']}")
    for name, reason in report["missing"].items():
        lines.append(f"- *{name}*: {reason}")
    machine = report["machine"]
    lines += ["", f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['system']}. "
              f"plimsoll {machine['plimsoll']} ({machine['revision']}), curl {machine['curl']}, kubectl "
              f"{machine['kubectl']}, Python {machine['python']}.", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", default="100,1000,5000,20000", help="numbers of nodes")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--out", help="a folder for the report as Markdown and JSON")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    start = time.monotonic()
    report = bench(sizes, arguments.rounds)
    command = f"Benchmarks/bench.py --sizes {arguments.sizes} --rounds {arguments.rounds}"
    text = markdown(report, command)
    print(text)
    if arguments.out:
        os.makedirs(arguments.out, exist_ok=True)
        with open(os.path.join(arguments.out, "sync.md"), "w") as file:
            file.write(text)
        with open(os.path.join(arguments.out, "sync.json"), "w") as file:
            json.dump(report, file, indent=2)
            file.write("\n")
    print(f"took {time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

"""Who is measured: what each peer runs for the initial list, and for a watch that stays open."""

import os
import shutil
import subprocess
import sys

from .common import BENCHMARKS, KUBECTL, PLIMSOLL, TOOLS

LIST = "/api/v1/nodes?resourceVersion=0"
WATCH = "/api/v1/nodes?watch=true&resourceVersion=0&allowWatchBookmarks=true"
PEERS = os.path.join(BENCHMARKS, "peers")


class Peer:
    """`sync` and `watch` make a command for a cluster; `most` bounds the nodes it is asked to take, for
    those that would need minutes and gigabytes; `missing` says why it cannot run here; `against` names the
    peer that ratios are made with, one that gets the same bytes where there is one."""

    def __init__(self, name, what, sync, watch=None, most=None, missing=None, environment=None,
                 against="plimsoll"):
        self.name = name
        self.what = what
        self.sync = sync
        self.watch = watch
        self.most = most
        self.missing = missing
        self.environment = environment or (lambda cluster: {})
        self.against = against


def python_peer(name, what, script, folder, module, missing, most):
    command = [sys.executable, os.path.join(PEERS, "python", script)]
    return Peer(
        name, what,
        lambda c: command + [c.kubeconfig, str(c.nodes)],
        lambda c: command + [c.kubeconfig, "0"],
        most,
        None if os.path.isdir(os.path.join(folder, module)) else missing,
        lambda c: {"PYTHONPATH": folder},
    )


def built(name, tool, build):
    """A peer that is compiled first: its program, or why there is none."""
    if not shutil.which(tool):
        return None, f"not run on this machine: {tool} is not installed"
    source = os.path.join(TOOLS, "peers", name)
    shutil.copytree(os.path.join(PEERS, name), source, dirs_exist_ok=True)
    program = os.path.join(source, "program")
    result = subprocess.run(build(program), cwd=source, capture_output=True, text=True)
    if result.returncode != 0 or not os.path.exists(program):
        return None, f"not run on this machine: {tool} could not build it (the dependencies are not to be had)"
    return program, None


def client_go():
    program, missing = built(
        "client-go", "go", lambda out: ["go", "build", "-mod=mod", "-o", out, "."])
    modes = [
        ("client-go", "typed shared informer, protobuf, streaming list (its default)", [], "true"),
        ("client-go, trimmed", "the same, with a transform to name, uid, resourceVersion and total",
         ["-transform"], "true"),
        ("client-go, list", "the same as the first, with a list", [], "false"),
        ("client-go, JSON", "the same as the first, JSON", ["-wire", "json"], "true"),
    ]
    for name, what, options, streaming in modes:
        yield Peer(
            name, what,
            lambda c, o=options: [program, "-kubeconfig", c.kubeconfig] + o,
            lambda c, o=options: [program, "-kubeconfig", c.kubeconfig, "-for", "1h"] + o,
            missing=missing,
            environment=lambda c, s=streaming: {"KUBE_FEATURE_WatchListClient": s},
        )


def kube_rs():
    build = "cargo build --release --quiet && cp target/release/plimsoll-bench-kube-rs "
    program, missing = built("kube-rs", "cargo", lambda out: ["sh", "-c", build + out])
    return Peer(
        "kube-rs", "reflector of a trimmed struct, JSON, streaming list",
        lambda c: [program], lambda c: [program, "--for", "3600"],
        missing=missing, environment=lambda c: {"KUBECONFIG": c.kubeconfig},
    )


def plimsoll(name, what, *options):
    def watch(cluster):
        return [PLIMSOLL, "watch", "--kubeconfig", cluster.kubeconfig, *options]

    return Peer(
        name, what, lambda c: watch(c) + ["--until-synced"], watch,
        against="plimsoll, JSON" if "json" in options else "plimsoll")


def curl(name, what, against, protobuf, http="1.1"):
    return Peer(
        name, what, lambda c: c.curl(LIST, protobuf=protobuf, http=http),
        lambda c: c.curl(WATCH, protobuf=protobuf, http=http),
        missing=None if shutil.which("curl") else "curl is not installed", against=against)


def peers():
    return [
        plimsoll("plimsoll", "streaming list, protobuf (its default), decoded into the store"),
        plimsoll("plimsoll, JSON", "the same in JSON", "--wire-format", "json"),
        plimsoll("plimsoll, strict", "in JSON with `--strict`: every byte through yajl",
                 "--wire-format", "json", "--strict"),
        curl("curl, protobuf", "the floor of protobuf: the bytes to /dev/null, nothing decoded", "plimsoll",
             True),
        curl("curl, JSON", "the floor of JSON", "plimsoll, JSON", False),
        plimsoll("plimsoll, HTTP/2", "in protobuf with `--http2`", "--http2"),
        curl("curl, HTTP/2", "the floor of protobuf over HTTP/2", "plimsoll, HTTP/2", True, "2"),
        Peer(
            "kubectl", "`kubectl get nodes -o json`, with `-w` where a watch is measured",
            lambda c: [KUBECTL, "--kubeconfig", c.kubeconfig, "get", "nodes", "-o", "json"],
            lambda c: [KUBECTL, "--kubeconfig", c.kubeconfig, "get", "nodes", "-w", "-o", "json"],
            5000,
            None if os.path.exists(KUBECTL) else "kubectl is missing; `make bootstrap` fetches it",
        ),
        python_peer(
            "python", "the Python client's watch, until all nodes were seen", "watch_nodes.py",
            os.path.join(TOOLS, "python"), "kubernetes",
            "the Python client is missing; `make bootstrap` fetches it", 20000),
        python_peer(
            "kubernetes_lite", "client-go's dynamic client from Python, a list; a watch after it",
            "lite_nodes.py", os.path.join(TOOLS, "lite"), "kubernetes_lite",
            "kubernetes_lite is missing; `make bench-tools` fetches it", 5000),
        *client_go(),
        kube_rs(),
    ]

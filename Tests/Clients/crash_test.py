"""Kills `plimsoll watch --state` at random moments, while images come and go and a receiver fails at random,
and holds what the receiver got against what happened: every image that came is told of at least once, repeats
have the same id, and the alerts of a node keep their order.

usage: crash_test.py BUILD_FOLDER KILLS SEED
"""

import http.server
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

FAILURES_PERCENT = 30
NODES = 5


class Receiver(http.server.ThreadingHTTPServer):
    """Takes messages, or does not; some it takes without ever saying so."""

    daemon_threads = True

    def __init__(self, seed):
        super().__init__(("127.0.0.1", 0), Handler)
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.taken = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            fails = self.server.chance.randrange(100) < FAILURES_PERCENT
            is_silent = self.server.chance.randrange(2) == 0
            if not fails or is_silent:
                self.server.taken.append((self.headers["webhook-id"], body))
        if fails and is_silent:
            self.close_connection = True
            return
        self.send_response(503 if fails else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main(build, kills, seed):
    chance = random.Random(seed)
    folder = tempfile.TemporaryDirectory(prefix="plimsoll-crash-")
    place = pathlib.Path(folder.name)
    kubeconfig = place / "kubeconfig"
    receiver = Receiver(seed)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    rules = place / "rules.yaml"
    rules.write_text(
        "rules: [{name: changed, type: storage-changed}]\ngrouping: {wait: 0s}\n"
        "sinks: [{name: hook, type: webhook, per_minute: 6000, "
        f"url: 'http://127.0.0.1:{receiver.server_address[1]}/'}}]\n")
    simulator = subprocess.Popen(
        [f"{build}/plimsoll-sim", "--kubeconfig", kubeconfig, "--nodes", str(NODES),
         "--heartbeat-interval", "2", "--seed", str(seed)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watch = None
    errors = open(place / "errors", "w+")
    try:
        while not kubeconfig.exists():
            time.sleep(0.05)

        def command(*words):
            return subprocess.run(
                [f"{build}/plimsoll-sim", "--kubeconfig", kubeconfig, *words], check=True,
                capture_output=True, text=True).stdout

        def start():
            return subprocess.Popen(
                [f"{build}/plimsoll", "watch", "--kubeconfig", kubeconfig, "--rules", rules,
                 "--state", place / "state", "--cluster-name", "crash"],
                stdout=subprocess.DEVNULL, stderr=errors)

        names = [line.split("\t")[0] for line in command("nodes").splitlines()]
        # The first has something to compare with before anything happens.
        watch = start()
        deadline = time.time() + 30
        while not (place / "state" / "nodes.checkpoint").exists():
            if time.time() > deadline:
                raise SystemExit("no checkpoint: " + (place / "errors").read_text())
            time.sleep(0.05)
        pulled = []
        done = 0
        began = time.time()
        while done < kills:
            for _ in range(chance.randrange(3)):
                node = chance.choice(names)
                image = f"example.org/app-{len(pulled)}:1"
                command("pull", node, image, f"{len(pulled) + 1}kB")
                pulled.append((node, image))
                if chance.randrange(4) == 0:
                    command(chance.choice(["cut", "compact"]))
            time.sleep(chance.random() * 0.4)
            watch.send_signal(signal.SIGKILL)
            watch.wait()
            done += 1
            watch = start()
            if done % 50 == 0:
                print(f"{done} kills, {len(pulled)} images, {len(receiver.taken)} messages, "
                      f"{time.time() - began:.0f} s", file=sys.stderr)

        def told():
            with receiver.lock:
                taken = list(receiver.taken)
            return taken, {
                (alert["node"]["name"], image["name"])
                for _, body in taken for alert in body["alerts"] for image in alert["added"]}

        deadline = time.time() + 60
        while not set(pulled) <= told()[1] and time.time() < deadline:
            time.sleep(0.2)
        watch.terminate()
        watch.wait()
        taken, seen = told()
        problems = []
        for missing in sorted(set(pulled) - seen):
            problems.append(f"never told: {missing}")
        bodies = {}
        order = {}
        repeats = 0
        for identifier, body in taken:
            if identifier in bodies:
                repeats += 1
                if bodies[identifier]["alerts"] != body["alerts"]:
                    problems.append(f"another message of the same id: {identifier}")
                continue
            bodies[identifier] = body
            for alert in body["alerts"]:
                node = alert["node"]["name"]
                version = int(alert["resourceVersion"])
                if version < order.get(node, 0):
                    problems.append(f"out of order on {node}: {version} after {order[node]}")
                order[node] = version
        told_once = {}
        for body in bodies.values():
            for alert in body["alerts"]:
                for image in alert["added"]:
                    key = (alert["node"]["name"], image["name"])
                    told_once[key] = told_once.get(key, 0) + 1
        twice = sum(1 for count in told_once.values() if count > 1)
        if twice:
            problems.append(f"told under two ids: {twice} images")
        for key in set(told_once) - set(pulled):
            problems.append(f"never happened: {key}")
        print(f"{done} kills, {len(pulled)} images on {NODES} nodes, {len(bodies)} alerts, "
              f"{repeats} repeats, {len(problems)} violations, {time.time() - began:.0f} s")
        for problem in problems[:20]:
            print(problem)
        return 1 if problems else 0
    finally:
        for process in (watch, simulator):
            if process is not None:
                process.kill()
                process.wait()


sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

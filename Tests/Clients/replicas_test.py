"""Kills and pauses replicas of `plimsoll run` with leader election at random moments, while images come and a
receiver fails at random, and holds what the receiver got against what happened: every image that came is told of
at least once, repeats have the same id, and no replica sends after its hold on the Lease has ended.

usage: replicas_test.py BUILD_FOLDER SECONDS SEED [LEASE_DURATION RENEW_DEADLINE RETRY_PERIOD]
"""

import http.client
import http.server
import json
import pathlib
import random
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from datetime import datetime

FAILURES_PERCENT = 20
NODES = 5
REPLICAS = 3
# From a replica's word to the receiver's ear, on a busy machine; in seconds.
SLACK = 1.5


class Receiver(http.server.ThreadingHTTPServer):
    """Takes messages, or does not; some it takes without ever saying so."""

    daemon_threads = True

    def __init__(self, seed):
        super().__init__(("127.0.0.1", 0), Handler)
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.taken = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        came = time.time()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            fails = self.server.chance.randrange(100) < FAILURES_PERCENT
            is_silent = self.server.chance.randrange(2) == 0
            is_taken = not fails or is_silent
            self.server.taken.append((came, int(self.path[1:]), is_taken, body))
        if fails and is_silent:
            self.close_connection = True
            return
        self.send_response(503 if fails else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Leases(threading.Thread):
    """All that is ever written on leases: (holder, renewTime, told up to)."""

    def __init__(self, kubeconfig):
        super().__init__(daemon=True)
        # The simulator's own form of YAML.
        config = dict(
            line.strip(" -").split(": ", 1)
            for line in pathlib.Path(kubeconfig).read_text().splitlines() if ": " in line)
        self.server = urllib.parse.urlsplit(config["server"])
        self.token = config["token"]
        self.seen = []

    def run(self):
        connection = http.client.HTTPSConnection(
            self.server.hostname, self.server.port, context=ssl._create_unverified_context())
        connection.request(
            "GET", "/apis/coordination.k8s.io/v1/namespaces/default/leases?watch=true",
            headers={"Authorization": f"Bearer {self.token}"})
        for line in connection.getresponse():
            lease = json.loads(line)["object"]
            spec = lease["spec"]
            self.seen.append((
                spec.get("holderIdentity", ""),
                datetime.fromisoformat(spec["renewTime"].replace("Z", "+00:00")).timestamp(),
                lease["metadata"].get("annotations", {}).get("plimsoll.dev/told-up-to")))


class Replica:
    """One of several, and its lives."""

    def __init__(self, number, build, place, kubeconfig, times, port):
        self.number = number
        self.build = build
        self.place = place / f"replica-{number}"
        self.place.mkdir()
        self.kubeconfig = kubeconfig
        # The last has no state.
        state = "" if number == REPLICAS else f"state: {self.place}/state, "
        self.config = self.place / "config.yaml"
        self.config.write_text(
            "rules: [{name: changed, type: storage-changed}]\ngrouping: {wait: 0s}\n"
            "sinks: [{name: hook, type: webhook, per_minute: 6000, "
            f"url: 'http://127.0.0.1:{port}/{number}'}}]\n"
            f"service: {{leader_election: true, cluster_name: ha, listen: '127.0.0.1:0', {state}"
            "log_format: logfmt, warm_up: 0s, output: none, "
            f"lease_duration: {times[0]}, renew_deadline: {times[1]}, retry_period: {times[2]}}}\n")
        self.errors = open(self.place / "errors", "w+")
        self.process = None
        self.stopped_until = None
        self.starts_at = 0

    def start(self):
        self.process = subprocess.Popen(
            [f"{self.build}/plimsoll", "run", "--kubeconfig", self.kubeconfig, "--config",
             self.config], stdout=subprocess.DEVNULL, stderr=self.errors)

    def end(self, how):
        self.resume()
        self.process.send_signal(how)
        if how == signal.SIGKILL:
            self.process.wait()
            self.process = None

    def pause(self, seconds):
        self.process.send_signal(signal.SIGSTOP)
        self.stopped_until = time.time() + seconds

    def resume(self):
        if self.stopped_until is not None:
            self.process.send_signal(signal.SIGCONT)
            self.stopped_until = None

    def forget(self):
        """Another pod takes its place, with a volume of its own."""
        subprocess.run(["rm", "-rf", self.place / "state"], check=True)

    def identities(self):
        lines = (self.place / "errors").read_text().splitlines()
        return {
            line.split('msg="')[1].split(" ")[0]
            for line in lines if "alerts are told" in line}

    def step(self):
        """What is due: its end, its start, its waking."""
        now = time.time()
        if self.stopped_until is not None and now > self.stopped_until:
            self.resume()
        if self.process is not None and self.process.poll() is not None:
            # SIGTERM by itself: it had not come so far as to do something about it.
            if self.process.returncode not in (0, -signal.SIGKILL, -signal.SIGTERM):
                raise SystemExit(f"replica {self.number} ended with {self.process.returncode}: "
                                 + (self.place / "errors").read_text()[-2000:])
            self.process = None
        if self.process is None and now > self.starts_at:
            self.start()

    @property
    def is_running(self):
        return self.process is not None and self.stopped_until is None


def tell_history(history, leases, taken, replicas):
    """All that happened, in order, for who looks for a fault."""
    lines = list(history)
    lines += [(at, f"lease: {holder or 'nobody'}, told up to {told}") for holder, at, told in leases]
    for at, number, is_taken, body in taken:
        images = [image["name"] for alert in body["alerts"] for image in alert["added"]]
        lines.append((at, f"replica {number} sends {' '.join(images)}"
                      + ("" if is_taken else ", which is not taken")))
    for replica in replicas:
        for line in (replica.place / "errors").read_text().splitlines():
            at, rest = line.split(" ", 1)
            at = datetime.fromisoformat(at[5:].replace("Z", "+00:00")).timestamp()
            lines.append((at, f"replica {replica.number}: {rest}"))
    for at, text in sorted(lines):
        print(f"{at - history[0][0]:8.3f}  {text}")


def main(build, seconds, seed, *times):
    times = times or ("15s", "10s", "2s")
    deadline_length = float(times[1].rstrip("s"))
    longest_pause = float(times[0].rstrip("s")) * 1.5
    chance = random.Random(seed)
    folder = tempfile.TemporaryDirectory(prefix="plimsoll-replicas-")
    place = pathlib.Path(folder.name)
    kubeconfig = place / "kubeconfig"
    receiver = Receiver(seed)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    simulator = subprocess.Popen(
        [f"{build}/plimsoll-sim", "--kubeconfig", kubeconfig, "--nodes", str(NODES),
         "--heartbeat-interval", "2", "--seed", str(seed)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    replicas = []
    try:
        while not kubeconfig.exists():
            time.sleep(0.05)

        def command(*words):
            return subprocess.run(
                [f"{build}/plimsoll-sim", "--kubeconfig", kubeconfig, *words], check=True,
                capture_output=True, text=True).stdout

        leases = Leases(kubeconfig)
        leases.start()
        names = [line.split("\t")[0] for line in command("nodes").splitlines()]
        replicas = [
            Replica(number, build, place, kubeconfig, times, receiver.server_address[1])
            for number in range(1, REPLICAS + 1)]
        for replica in replicas:
            replica.start()
        # The first to lead has something to compare with before anything happens.
        deadline = time.time() + 60
        while not any(told for _, _, told in leases.seen):
            if time.time() > deadline:
                raise SystemExit("nobody leads: " + (replicas[0].place / "errors").read_text())
            time.sleep(0.05)

        pulled = []
        history = []
        counts = {"killed": 0, "replaced": 0, "ended": 0, "paused": 0}
        began = time.time()
        next_event = began
        while time.time() < began + seconds:
            for replica in replicas:
                replica.step()
            if chance.randrange(6) == 0:
                node = chance.choice(names)
                image = f"example.org/app-{len(pulled)}:1"
                words = command("pull", node, image, f"{len(pulled) + 1}kB").split()
                pulled.append((node, image))
                history.append((time.time(), f"{image} on {node} at {words[-1]}"))
            if time.time() > next_event:
                next_event = time.time() + chance.random() * longest_pause / 4
                replica = chance.choice(replicas)
                event = chance.choice(list(counts))
                if not replica.is_running:
                    continue
                counts[event] += 1
                history.append((time.time(), f"replica {replica.number} is {event}"))
                replica.starts_at = time.time() + chance.random() * 3
                if event == "killed":
                    replica.end(signal.SIGKILL)
                elif event == "replaced":
                    replica.end(signal.SIGKILL)
                    replica.forget()
                elif event == "ended":
                    replica.end(signal.SIGTERM)
                else:
                    replica.pause(chance.random() * longest_pause)
            time.sleep(0.05)

        def told():
            with receiver.lock:
                taken = list(receiver.taken)
            return taken, {
                (alert["node"]["name"], image["name"])
                for _, _, is_taken, body in taken if is_taken
                for alert in body["alerts"] for image in alert["added"]}

        for replica in replicas:
            replica.resume()
            replica.starts_at = 0
        deadline = time.time() + 60
        while not set(pulled) <= told()[1] and time.time() < deadline:
            for replica in replicas:
                replica.step()
            time.sleep(0.2)
        for replica in replicas:
            if replica.process is not None:
                replica.process.terminate()
                replica.process.wait()
        taken, seen = told()

        problems = [f"never told: {missing}" for missing in sorted(set(pulled) - seen)]
        problems += [f"never happened: {key}" for key in sorted(seen - set(pulled))]
        ids = {}
        repeats = 0
        for _, _, _, body in taken:
            for alert in body["alerts"]:
                for image in alert["added"]:
                    known = ids.setdefault((alert["node"]["name"], image["name"]), set())
                    repeats += alert["id"] in known
                    known.add(alert["id"])
        for key, known in ids.items():
            if len(known) > 1:
                problems.append(f"told under {len(known)} ids: {key}")
        # Each replica's hold on the lease, by its own word.
        for replica in replicas:
            identities = replica.identities()
            renewals = sorted(renewed for holder, renewed, _ in leases.seen
                              if holder in identities)
            for came, number, _, _ in taken:
                if number != replica.number:
                    continue
                held = max((renewed for renewed in renewals if renewed <= came), default=0)
                if came > held + deadline_length + SLACK:
                    problems.append(
                        f"replica {number} sent {came - held:.1f} s after its last renewal")
        leaders = [holder for holder, _, _ in leases.seen if holder]
        changes = sum(1 for one, other in zip(leaders, leaders[1:]) if one != other)
        print(f"{time.time() - began:.0f} s, {', '.join(f'{n} {e}' for e, n in counts.items())}, "
              f"{changes} changes of the leader, {len(pulled)} images, {len(taken)} messages, "
              f"{repeats} repeats, {len(problems)} violations")
        for problem in problems[:20]:
            print(problem)
        if problems:
            tell_history(history, leases.seen, taken, replicas)
        return 1 if problems else 0
    finally:
        for replica in replicas:
            if replica.process is not None:
                replica.process.kill()
                replica.process.wait()
        simulator.kill()
        simulator.wait()


sys.exit(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]))

"""Decoders of the same stream in turn: bytes a second, and instructions a byte."""

import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile

from .cluster import Cluster
from .common import PLIMSOLL, RELEASE, compile_c, progress, ratios, spread
from .recording import is_recording, largest_body

STREAM = (
    "/api/v1/nodes?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    "&allowWatchBookmarks=true&timeoutSeconds=1"
)


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
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            # Where libc copies by `rep movs`, callgrind counts an instruction for each byte.
            env={**os.environ, "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=1000000000"})
        found = re.search(r"Collected : (\d+)", result.stderr)
        return int(found.group(1)) if found and result.returncode == 0 else None


def generated(nodes, folder, protobuf=False, heartbeat=0):
    """The streaming list of a simulated cluster, as a file."""
    path = os.path.join(folder, f"stream-{heartbeat}." + ("pb" if protobuf else "json"))
    with Cluster(nodes, folder, heartbeat) as cluster:
        subprocess.run(cluster.curl(STREAM, path, protobuf), check=True)
    return path


def frames(path):
    """The frames of a watch in protobuf, by the type of their event."""
    with open(path, "rb") as file:
        body = file.read()
    found, at = {}, 0
    while at + 4 <= len(body):
        end = at + 4 + int.from_bytes(body[at:at + 4], "big")
        length = body[at + 5]
        found.setdefault(body[at + 6:at + 6 + length].decode(), []).append(body[at:end])
        at = end
    return found


def heartbeats(path, folder):
    """The same nodes once more, as they come with a heartbeat: another resourceVersion, other times. A
    file with both, and the bytes that the second time adds."""
    with open(path, "rb") as file:
        added = [line for line in file.read().split(b"\n") if line.startswith(b'{"type":"ADDED"')]
    beats = []
    for number, line in enumerate(added):
        line = line.replace(b'{"type":"ADDED"', b'{"type":"MODIFIED"', 1)
        version = b'"resourceVersion":"%d"' % (1_000_000 + number)
        line = re.sub(rb'"resourceVersion":"\d+"', version, line, count=1)
        beats.append(re.sub(
            rb'("lastHeartbeatTime":")[^"]*"', rb'\g<1>2026-11-27T10:00:00Z"', line))
    first, both = os.path.join(folder, "first.json"), os.path.join(folder, "both.json")
    for name, lines in ((first, added), (both, added + beats)):
        with open(name, "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
    return first, both


def unique(path, folder):
    """The same nodes with images that no other node has: nothing of them has been seen before."""
    count = itertools.count()

    def another(match):
        return match.group(0)[:-16] + b"%016x" % next(count)

    with open(path, "rb") as file:
        body = re.sub(rb"@sha256:[0-9a-f]{64}", another, file.read())
    # Names without a digest repeat; their tags do not.
    body = re.sub(rb":v(\d+)\.(\d+)\"", lambda match: b":v%d.0\"" % next(count), body)
    cold = os.path.join(folder, "cold.json")
    with open(cold, "wb") as file:
        file.write(body)
    return cold


def counted(stream, commands, streams, nodes):
    """Instructions of heartbeats, where everything was seen before, and of a stream where no image was:
    repeatable, so without rounds. `streams`: the first sight, the same and heartbeats, the cold one, an
    empty one."""
    first, both, cold, empty = streams
    rows = []
    for name, command in commands.items():
        progress(f"instructions of heartbeats and of new images, {stream}: {name}")
        counts = [instructions(command(file)) for file in (first, both, cold, empty)]
        if None in counts:
            return []
        heartbeats, unseen = counts[1] - counts[0], counts[2] - counts[3]
        rows.append({
            "stream": stream, "decoder": name,
            "heartbeat": heartbeats / (os.path.getsize(both) - os.path.getsize(first)),
            "heartbeatNode": heartbeats / nodes,
            "cold": unseen / os.path.getsize(cold), "coldNode": unseen / nodes,
        })
    return rows


def counted_json(stream, path, sax, folder):
    first, both = heartbeats(path, folder)
    with open(first, "rb") as file:
        nodes = file.read().count(b"\n")
    empty = os.path.join(folder, "empty.json")
    with open(empty, "w") as file:
        file.write('{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[]}\n')
    commands = {
        "plimsoll": lambda file: [PLIMSOLL, "decode", file],
        "plimsoll, strict": lambda file: [PLIMSOLL, "decode", file, "--strict"],
        "yajl": lambda file: [sax, file, "1"],
    }
    return counted(stream, commands, (first, both, unique(path, folder), empty), nodes)


def counted_protobuf(nodes, folder):
    """The same of the simulated cluster's protobuf: its heartbeats are real ones."""
    events = frames(generated(nodes, folder, protobuf=True, heartbeat=0.5))
    added = events["ADDED"]
    beats = events["MODIFIED"][:nodes]
    if len(beats) < nodes:
        return []
    count = itertools.count()
    cold = [
        re.sub(rb"@sha256:[0-9a-f]{48}",
               lambda match: match.group(0)[:-16] + b"%016x" % next(count), frame)
        for frame in added]
    streams = []
    for name, content in (("first", added), ("both", added + beats), ("cold", cold), ("empty", events["BOOKMARK"][:1])):
        streams.append(os.path.join(folder, name + ".pb"))
        with open(streams[-1], "wb") as file:
            file.write(b"".join(content))
    return counted(
        "generated, protobuf", {"plimsoll": lambda file: [PLIMSOLL, "decode", file]}, streams, nodes)


def decode(name, path, rounds, sax):
    decoders = {"plimsoll": lambda n: [PLIMSOLL, "decode", path, "--repeat", n]}
    if not path.endswith(".pb"):
        decoders["yajl"] = lambda n: [sax, path, n]
        decoders["JSONDecoder"] = lambda n: [f"{RELEASE}/JSONDecoderBench", path, n]
    # About 50 MB each time: a short recording is read more often.
    size = os.path.getsize(path)
    repeat = str(max(2, 50_000_000 // size))
    rates = {decoder: [] for decoder in decoders}
    for number in range(rounds):
        for decoder, command in decoders.items():
            progress(f"decoding {name}, round {number + 1} of {rounds}: {decoder}")
            line = subprocess.run(command(repeat), capture_output=True, text=True, check=True).stdout
            rates[decoder].append(json.loads(line)["bytesPerSecond"])
    rows = []
    for decoder, command in decoders.items():
        progress(f"decoding {name}, instructions: {decoder}")
        one, two = instructions(command("1")), instructions(command("2"))
        rows.append({
            "stream": name, "decoder": decoder, "bytes": size, "bytesPerSecond": spread(rates[decoder]),
            "rateRatio": ratios(rates["plimsoll"], rates[decoder]),
            # A second pass more: start and first sight of every image left out.
            "instructionsPerByte": (two - one) / size if one and two else None,
        })
    return rows


def decoding(nodes, recordings, rounds, folder):
    sax = os.path.join(folder, "yajl_sax")
    compile_c("yajl_sax.c", sax, "-lyajl")
    streams = {"generated": generated(nodes, folder)}
    streams.update({
        os.path.basename(path): largest_body(path, folder) if is_recording(path) else path
        for path in recordings})
    rows, counts = [], []
    rows += decode("generated, protobuf", generated(nodes, folder, protobuf=True), rounds, sax)
    for name, path in streams.items():
        rows += decode(name, path, rounds, sax)
        if not path.endswith(".pb"):
            counts += counted_json(name, path, sax, folder)
    counts += counted_protobuf(nodes, folder)
    return rows, counts

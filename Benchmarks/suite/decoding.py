"""Decoders of the same stream in turn: bytes a second, and instructions a byte."""

import json
import os
import re
import shutil
import subprocess
import tempfile

from .cluster import Cluster
from .common import PLIMSOLL, RELEASE, compile_c, progress, ratios, spread

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
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        found = re.search(r"Collected : (\d+)", result.stderr)
        return int(found.group(1)) if found and result.returncode == 0 else None


def generated(nodes, folder):
    """The streaming list of a simulated cluster, as a file."""
    path = os.path.join(folder, "stream.json")
    with Cluster(nodes, folder) as cluster:
        subprocess.run(cluster.curl(STREAM, path), check=True)
    return path


def decode(name, path, rounds, sax):
    decoders = {
        "plimsoll": lambda n: [PLIMSOLL, "decode", path, "--repeat", n],
        "yajl": lambda n: [sax, path, n],
        "JSONDecoder": lambda n: [f"{RELEASE}/JSONDecoderBench", path, n],
    }
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
    rows = decode("generated", generated(nodes, folder), rounds, sax)
    for path in recordings:
        rows += decode(os.path.basename(path), path, rounds, sax)
    return rows

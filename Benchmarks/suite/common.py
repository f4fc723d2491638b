"""What every part of the suite needs: where things are, how a program is measured, what a spread is."""

import json
import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCHMARKS = os.path.join(ROOT, "Benchmarks")
RELEASE = os.path.join(ROOT, ".build/release")
TOOLS = os.path.join(ROOT, ".build-tools")
PLIMSOLL = os.path.join(RELEASE, "plimsoll")
KUBECTL = os.path.join(TOOLS, "bin/kubectl")


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def ratios(values, others):
    """Of each pair measured in the same round; nothing is made of medians of different rounds."""
    return spread([value / other for value, other in zip(values, others)])


def progress(text=""):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


class Measure:
    """Runs programs under `measure`, one at a time."""

    def __init__(self, folder):
        self.program = os.path.join(folder, "measure")
        compile_c("measure.c", self.program)

    def run(self, command, environment=None, window=None, timeout=600):
        """The figures of one run. With a window (from, until) in seconds the program is stopped at its
        end, and whatever code it ends with then is fine."""
        options = [] if window is None else ["--from", str(window[0]), "--until", str(window[1])]
        result = subprocess.run(
            [self.program] + options + command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {}), "HOME": tempfile.gettempdir()}, timeout=timeout,
        )
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        figures = json.loads(lines[-1])
        early = window is not None and figures["wallSeconds"] < window[1]
        if early or (window is None and figures["exitCode"] != 0):
            words = " ".join(lines[:-1])[:300]
            raise RuntimeError(f"{command[0]} ended with {figures['exitCode']}: {words}")
        return figures


def compile_c(source, program, *libraries):
    subprocess.run(
        ["cc", "-O2", "-o", program, os.path.join(BENCHMARKS, source), *libraries], check=True)

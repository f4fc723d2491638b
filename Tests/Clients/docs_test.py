"""Executes every command that the documentation shows, against a simulated cluster. A block of commands is marked
`console` and each command begins with "$ "; one that cannot be executed here has a comment before it that says why:
`<!-- not run: … -->`. Other blocks name their language, or `text`.

usage: docs_test.py BUILD_FOLDER ROOT
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

# What goes on for ever is ended after so many seconds.
PATIENCE = 4
# Commands that do not end by themselves; all others must.
ENDLESS = re.compile(r"\bplimsoll (watch|run|top|sim --nodes)|\bplimsoll-sim --nodes")


def blocks(root):
    files = [root / "README.md", root / "deploy/README.md", *sorted((root / "docs").glob("*.md")),
             *sorted(root.glob("Sources/*/*.docc/*.md"))]
    for file in files:
        text = file.read_text()
        for match in re.finditer(r"(?ms)^(<!-- (?P<why>.*?) -->\n)?```(?P<language>\w*)\n(?P<body>.*?)^```",
                                 text):
            line = text[:match.start("language")].count("\n") + 1
            yield f"{file.relative_to(root)}:{line}", match


def main(build, root):
    build, root = pathlib.Path(build).resolve(), pathlib.Path(root).resolve()
    folder = tempfile.TemporaryDirectory(prefix="plimsoll-docs-")
    place = pathlib.Path(folder.name)
    kubeconfig = place / "kubeconfig"
    (place / ".build").mkdir()
    (place / ".build/release").symlink_to(build)
    simulator = subprocess.Popen(
        [f"{build}/plimsoll-sim", "--kubeconfig", kubeconfig, "--nodes", "5"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    problems = []
    counts = {"executed": 0, "not run, with a reason": 0}
    try:
        while not kubeconfig.exists() or not kubeconfig.read_text():
            time.sleep(0.05)
        # The context that the documentation speaks of.
        prod = place / "prod"
        prod.write_text(re.sub(r"(name: |current-context: )simulated$", r"\1prod",
                               kubeconfig.read_text().replace("cluster: simulated", "cluster: prod"),
                               flags=re.MULTILINE))
        node = subprocess.run(
            [f"{build}/plimsoll-sim", "--kubeconfig", kubeconfig, "nodes"], check=True,
            capture_output=True, text=True).stdout.split("\t")[0]
        environment = {
            **os.environ, "PATH": f"{build}:{os.environ['PATH']}", "KUBECONFIG": str(prod),
            "HOME": str(place), "XDG_RUNTIME_DIR": str(place), "TMPDIR": str(place)}
        # What the yaml above a command says is the file that it names.
        config = re.search(r"(?ms)^```yaml\n# config.yaml\n(.*?)^```", (root / "docs/service.md").read_text())
        (place / "config.yaml").write_text(
            config[1].replace("/var/lib/plimsoll", f"{place}/state"))

        def execute(where, command):
            command = re.sub(r"\bNODE\b", node, command)
            # A simulated cluster of the documentation's is this one.
            command = command.replace("/tmp/test.kubeconfig", str(kubeconfig)) \
                if "--nodes" not in command else command.replace("/tmp/test", f"{place}/test")
            command = command.replace("plimsoll sim pull", f"plimsoll sim --kubeconfig {kubeconfig} pull")
            command = command.replace("--for 10m", "--for 2s")
            is_endless = bool(ENDLESS.search(command))
            started = subprocess.Popen(
                ["timeout", "--signal=INT", str(PATIENCE if is_endless else 60), "bash", "-c",
                 f"set -o pipefail; {command}"], cwd=place, env=environment,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            output = started.communicate()[0]
            counts["executed"] += 1
            if started.returncode != 0 and not (is_endless and started.returncode == 124):
                problems.append(f"{where}: $ {command}\n  ends with {started.returncode}: {output[-600:]}")

        for where, match in blocks(root):
            if not match["language"]:
                problems.append(f"{where}: the block has no language: console, text, …")
            if match["language"] != "console":
                continue
            commands = [line[2:] for line in match["body"].splitlines() if line.startswith("$ ")]
            if not commands:
                problems.append(f"{where}: no line of the block begins with \"$ \"")
            if match["why"]:
                if not match["why"].startswith("not run: "):
                    problems.append(f"{where}: <!-- {match['why']} --> does not say why")
                counts["not run, with a reason"] += 1
                continue
            for command in commands:
                execute(where, command)
        print(f"{', '.join(f'{count} {what}' for what, count in counts.items())}, {len(problems)} problems")
        for problem in problems:
            print(problem)
        return 1 if problems else 0
    finally:
        simulator.kill()
        simulator.wait()


sys.exit(main(*sys.argv[1:]))

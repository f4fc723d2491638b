"""The simulated cluster that the peers are measured against."""

import base64
import os
import re
import subprocess

from .common import RELEASE

IMAGES = 50


class Cluster:
    """A cluster of so many nodes, each with a heartbeat every so many seconds (0: none), and so many
    changes of images a minute. With a rate it sends node by node, as a real API server does; else as fast
    as the client reads."""

    def __init__(self, nodes, folder, heartbeat=0, rate=None, changes=0):
        self.nodes = nodes
        self.kubeconfig = os.path.join(folder, f"{nodes}.kubeconfig")
        self.process = subprocess.Popen(
            [
                f"{RELEASE}/plimsoll-sim", "--nodes", str(nodes), "--heartbeat-interval", str(heartbeat),
                "--changes-per-minute", str(changes), "--images", str(IMAGES), "--kubeconfig", self.kubeconfig,
                *(["--bytes-per-second", rate] if rate else []),
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for line in self.process.stderr:
            if "interrupt to stop" in line:
                break
        text = open(self.kubeconfig).read()
        self.server = re.search(r'server: *"?([^"\s]+)', text).group(1)
        self.token = re.search(r'token: *"?([^"\s]+)', text).group(1)
        authority = re.search(r'certificate-authority-data: *"?([^"\s]+)', text).group(1)
        self.authority = self.kubeconfig + ".pem"
        with open(self.authority, "wb") as file:
            file.write(base64.b64decode(authority))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def curl(self, path, output="/dev/null", protobuf=False, http="1.1"):
        """A plain request; by another name than curl's, for which API servers indent what they say."""
        stream = ";stream=watch" if "watch=true" in path else ""
        accept = f"application/vnd.kubernetes.protobuf{stream}" if protobuf else "application/json"
        return [
            "curl", "-sS", f"--http{http}", "--cacert", self.authority, "-A", "bench", "-o", output,
            "-H", f"Authorization: Bearer {self.token}", "-H", f"Accept: {accept}", self.server + path,
        ]

    def pull(self, node, image, size):
        subprocess.run(
            [f"{RELEASE}/plimsoll-sim", "pull", node, image, size, "--kubeconfig", self.kubeconfig],
            check=True, stdout=subprocess.DEVNULL)

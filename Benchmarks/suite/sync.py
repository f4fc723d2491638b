"""The initial list: each peer from its start until it has every node."""

from .cluster import Cluster
from .common import progress, ratios, spread

FIGURES = ("cpuSeconds", "wallSeconds", "maxRSSBytes", "loopbackBytes")


def sync(peers, sizes, rounds, measure, folder, rate=None):
    rows = []
    for nodes in sizes:
        able = [peer for peer in peers if not peer.most or nodes <= peer.most]
        runs = {peer.name: [] for peer in able}
        with Cluster(nodes, folder, rate=rate) as cluster:
            for number in range(rounds):
                for peer in able:
                    progress(f"{nodes} nodes, round {number + 1} of {rounds}: {peer.name}")
                    runs[peer.name].append(
                        measure.run(peer.sync(cluster), peer.environment(cluster)))
        for peer in able:
            name, figures = peer.name, runs[peer.name]
            others = [figure["cpuSeconds"] for figure in runs[peer.against]]
            row = {"nodes": nodes, "peer": name, "against": peer.against}
            for key in FIGURES:
                row[key] = spread([figure[key] for figure in figures])
            row["cpuRatio"] = ratios([figure["cpuSeconds"] for figure in figures], others)
            rows.append(row)
    return rows

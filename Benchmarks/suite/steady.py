"""What an update costs a watch that is open: its CPU within a window, once all nodes are there."""

from .cluster import Cluster
from .common import progress, ratios, spread

WINDOW = (4, 12)


def steady(peers, nodes, interval, rounds, measure, folder):
    watchers = [peer for peer in peers if peer.watch]
    rate = round(nodes / interval)
    costs = {peer.name: [] for peer in watchers}
    runs = {peer.name: [] for peer in watchers}
    with Cluster(nodes, folder, interval) as cluster:
        for number in range(rounds):
            for peer in watchers:
                progress(f"steady state, {rate} a second, round {number + 1} of {rounds}: {peer.name}")
                figures = measure.run(
                    peer.watch(cluster), peer.environment(cluster), window=WINDOW)
                updates = nodes / interval * figures["windowSeconds"]
                costs[peer.name].append(figures["windowCPUSeconds"] / updates * 1e6)
                runs[peer.name].append(figures)
    return [
        {
            "watcher": peer.name, "against": peer.against, "nodes": nodes, "updatesPerSecond": nodes / interval,
            "microsecondsPerUpdate": spread(costs[peer.name]),
            "ratio": ratios(costs[peer.name], costs[peer.against]),
            "windowBytes": spread([figures["windowBytes"] for figures in runs[peer.name]]),
            "endRSSBytes": spread([figures["endRSSBytes"] for figures in runs[peer.name]]),
            "maxRSSBytes": spread([figures["maxRSSBytes"] for figures in runs[peer.name]]),
        }
        for peer in watchers
    ]

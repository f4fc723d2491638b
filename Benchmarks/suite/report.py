"""The report as Markdown. Every figure comes from the measurements; none is written here."""


def shown(value, scale=1, digits=2):
    median, least, most = (value[key] / scale for key in ("median", "least", "most"))
    return f"{median:,.{digits}f} ({least:,.{digits}f}–{most:,.{digits}f})"


def table(heads, rows):
    """Columns whose head ends in a colon are numbers."""
    lines = ["| " + " | ".join(head.rstrip(":") for head in heads) + " |"]
    lines.append("|" + "|".join("---:" if head.endswith(":") else "---" for head in heads) + "|")
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def sync_table(rows):
    return table(
        ["nodes:", "peer", "CPU s:", "ratio:", "wall s:", "peak MB:", "bytes, MB:"],
        [
            [
                f"{row['nodes']:,}", row["peer"], shown(row["cpuSeconds"], digits=3),
                shown(row["cpuRatio"]), shown(row["wallSeconds"]),
                f"{row['maxRSSBytes']['median'] / 1e6:,.0f}",
                f"{row['loopbackBytes']['median'] / 1e6:,.1f}",
            ]
            for row in rows
        ])


def paced(report):
    return [
        "## Initial list, node by node", "",
        f"The same from a server that sends each node by itself, at {report['rate']} a second, as a real "
        "API server does.", "",
    ] + sync_table(report["paced"])


def sync(report):
    return [
        "## Initial list", "",
        f"From the start of the process until it has every node; {report['rounds']} rounds "
        f"({report['bigRounds']} with more than 20,000 nodes), the peers in "
        "turn. *Ratio*: the peer's CPU over Plimsoll's in the same round, of curl and the strict decoder "
        "over that of Plimsoll on the same bytes; above 1 it takes more. *Bytes*: "
        "what went over the loopback interface, both ways, headers included.", "",
        "![CPU over nodes](cpu.svg)", "", "![Peak memory over nodes](memory.svg)", "",
    ] + sync_table(report["sync"])


def steady(report):
    return [
        "## Steady state", "",
        f"A watch of {report['steady'][0]['nodes']:,} nodes: its CPU within a window, for each heartbeat. "
        "*Ratio*: the peer's over Plimsoll's in the same round, of curl and the strict decoder over that of "
        "Plimsoll on the same bytes.", "",
    ] + table(
        ["a second:", "watcher", "µs an update:", "ratio:", "peak MB:", "at the end, MB:", "bytes an update:"],
        [
            [
                f"{row['updatesPerSecond']:,.0f}", row["watcher"],
                shown(row["microsecondsPerUpdate"], digits=0), shown(row["ratio"]),
                f"{row['maxRSSBytes']['median'] / 1e6:,.0f}", f"{row['endRSSBytes']['median'] / 1e6:,.0f}",
                f"{row['windowBytes']['median'] / row['updatesPerSecond'] / report['window']:,.0f}",
            ]
            for row in report["steady"]
        ])


def latency(report):
    row = report["latency"]
    return [
        "## Latency", "",
        f"From the read that brought the last byte of a change to the handler, µs, beside "
        f"{row['heartbeatsPerSecond']:,.0f} heartbeats a second; {row['seconds']} s a round. The batch window "
        "comes before that read.", "",
    ] + table(
        ["changes:", "p50:", "p99:", "most:"],
        [[shown(row[key], digits=0) for key in ("changes", "p50", "p99", "most")]])


def polling(report):
    first = report["polling"][0]
    return [
        "## Watching against polling", "",
        f"{first['nodes']:,} nodes, a heartbeat each {first['heartbeatSeconds']} s, {first['pulls']} "
        "images pulled at moments of their own. Polling is `plimsoll get -o json`, a process a poll; "
        "watching is `plimsoll watch`, its initial list left out.", "",
    ] + table(
        ["way", "MB a minute:", "CPU s a minute:", "s until noticed:"],
        [
            [
                row["way"], f"{row['bytesPerSecond'] * 60 / 1e6:,.2f}",
                f"{row['cpuSecondsPerMinute']:.3f}", shown(row["secondsToNotice"]),
            ]
            for row in report["polling"]
        ])


def decoding(report):
    def instructions(row):
        count = row["instructionsPerByte"]
        return "–" if count is None else f"{count:.1f}"

    return [
        "## Decoding", "",
        "A stream from a file, warm, one core. *Ratio*: Plimsoll's rate over the other's in the same "
        "round. Instructions a byte are those of one more pass (callgrind); they are the same whatever "
        "else the machine does.", "",
    ] + table(
        ["stream", "MB:", "decoder", "MB/s:", "ratio:", "instructions a byte:"],
        [
            [
                row["stream"], f"{row['bytes'] / 1e6:.1f}", row["decoder"],
                shown(row["bytesPerSecond"], 1e6, 0), shown(row["rateRatio"]), instructions(row),
            ]
            for row in report["decoding"]
        ]) + [
        "", "Instructions a byte and a node, all of the process but its start: of heartbeats, where all but "
        "versions and times has been seen before, and of a stream where no image has.", "",
    ] + table(
        ["stream", "decoder", "heartbeats:", "a node:", "new images:", "a node:"],
        [
            [row["stream"], row["decoder"], f"{row['heartbeat']:.2f}", f"{row['heartbeatNode']:,.0f}",
             f"{row['cold']:.2f}", f"{row['coldNode']:,.0f}"]
            for row in report["counted"]
        ])


def markdown(report):
    machine = report["machine"]
    lines = [
        "# Plimsoll beside other clients", "",
        f"`{report['command']}` on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['system']}: plimsoll {machine['plimsoll']} ({machine['revision']}), curl "
        f"{machine['curl']}, kubectl {machine['kubectl']}, Python {machine['python']}. Simulated nodes of "
        f"EKS' shape with {report['images']} images each, over TLS on this machine. Figures are medians, "
        "with the lowest and highest.", "",
    ]
    for part in (sync, paced, steady, latency, polling, decoding):
        if report.get(part.__name__):
            lines += part(report) + [""]
    lines += ["## The peers", ""]
    for peer in report["peers"]:
        lines.append(f"- *{peer['name']}*: {peer['what']}"
                     + (f" ({peer['missing']})" if peer["missing"] else ""))
    return "\n".join(lines + [""])

"""Line plots on logarithmic axes, as SVG that reads on light and dark paper."""

import html
import math

COLOURS = ["#0b7285", "#868e96", "#e8590c", "#5f3dc4", "#2b8a3e", "#c2255c", "#1864ab", "#a9701f", "#37b24d"]
WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 40, 50


def decades(least, most):
    return range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)


def number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def plot(title, horizontal, vertical, lines):
    """`lines`: name → [(x, median, least, most)], all above 0."""
    points = [point for line in lines.values() for point in line]
    columns = sorted({point[0] for point in points})
    rows = decades(min(point[2] for point in points), max(point[3] for point in points))
    low, high = math.log10(columns[0]), math.log10(columns[-1])

    def x(value):
        share = (math.log10(value) - low) / (high - low) if high > low else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(value):
        share = (math.log10(value) - rows[0]) / max(1, rows[-1] - rows[0])
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12">',
        f"<title>{html.escape(title)}</title>",
        "<style>text{fill:#495057}.g{stroke:#adb5bd;stroke-opacity:.45}"
        "@media(prefers-color-scheme:dark){text{fill:#ced4da}}</style>",
        f'<text x="{LEFT}" y="22" font-size="15">{html.escape(title)}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{horizontal}</text>',
        f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle">{vertical}</text>',
    ]
    for row in rows:
        at = y(10**row)
        svg.append(f'<line class="g" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        svg.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{number(10**row)}</text>')
    for column in columns:
        at = x(column)
        svg.append(f'<line class="g" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        svg.append(
            f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{column:,}</text>')
    # Names go to the ends of their lines, moved apart where they would touch.
    labels = sorted((y(line[-1][1]), name) for name, line in lines.items())
    places, last = {}, -math.inf
    for at, name in labels:
        last = max(at, last + 15)
        places[name] = last
    for index, (name, line) in enumerate(lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{x(point[0]):.1f},{y(point[1]):.1f}" for point in line)
        svg.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for column, median, least, most in line:
            svg.append(
                f'<line x1="{x(column):.1f}" x2="{x(column):.1f}" y1="{y(least):.1f}" '
                f'y2="{y(most):.1f}" stroke="{colour}"/>')
            svg.append(f'<circle cx="{x(column):.1f}" cy="{y(median):.1f}" r="3" fill="{colour}">'
                       f"<title>{html.escape(name)}, {column:,}: {median:g}</title></circle>")
        end = x(line[-1][0])
        svg.append(
            f'<line x1="{end + 5:.1f}" y1="{y(line[-1][1]):.1f}" x2="{WIDTH - RIGHT + 12}" '
            f'y2="{places[name]:.1f}" stroke="{colour}" stroke-opacity=".4"/>')
        svg.append(f'<text x="{WIDTH - RIGHT + 16}" y="{places[name] + 4:.1f}" '
                   f'style="fill:{colour}">{html.escape(name)}</text>')
    return "\n".join(svg + ["</svg>", ""])


def growth(rows, key, scale):
    lines = {}
    for row in rows:
        value = row[key]
        lines.setdefault(row["peer"], []).append(
            (row["nodes"], value["median"] / scale, value["least"] / scale, value["most"] / scale))
    return lines


def plots(report):
    rows = report.get("sync")
    if not rows:
        return {}
    return {
        "cpu.svg": plot("CPU of the initial list", "nodes", "CPU seconds", growth(rows, "cpuSeconds", 1)),
        "memory.svg": plot(
            "Peak memory of the initial list", "nodes", "MB", growth(rows, "maxRSSBytes", 1e6)),
    }

"""Looks at the page of a running `plimsoll run` in a headless Chromium: no complaint of the browser's, the map and
its keys, alerts without a reload, hostile names as text, contrast and labels, all but the map without scripts.

usage: page_test.py URL NODES SIMULATOR KUBECONFIG [SCREENSHOTS]

Of the screenshots' folder: PREFIX-light.png and the like are written there.
"""

import pathlib
import subprocess
import sys

from browser import Browser

PAGES = ["/", "/nodes", "/nodes?sort=share&q=ip-10", "/images", "/alerts"]
HOSTILE = "example.org/<img src=x onerror=document.title=1>&quot;'/a:1"

# The contrast of every text with what is behind it, by WCAG 2: at least 4.5, or 3 for large letters.
CONTRAST = """(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const part = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || element.closest("script, .unseen, [hidden]")) continue;
    const style = getComputedStyle(element);
    const isSVG = element.namespaceURI.endsWith("svg");
    if (isSVG && element.localName !== "text") continue;
    const [one, other] = [parse(isSVG ? style.fill : style.color), behind(element)].map(luminance);
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
      bad.push(`${contrast.toFixed(2)}: ${walk.currentNode.textContent.trim().slice(0, 40)}`);
    }
  }
  return bad;
})()"""

# What a screen reader needs.
LABELS = """(() => {
  const bad = [];
  const named = (element) => element.getAttribute("aria-label") || element.textContent.trim();
  if (!document.documentElement.lang) bad.push("no language");
  if (document.querySelectorAll("main").length !== 1) bad.push("not one main");
  if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
  let level = 1;
  for (const heading of document.querySelectorAll("h1, h2, h3")) {
    const next = Number(heading.localName[1]);
    if (next > level + 1) bad.push(`heading: ${heading.textContent}`);
    level = next;
  }
  for (const input of document.querySelectorAll("input, select")) if (!input.labels.length) bad.push("an input without a label");
  for (const link of document.querySelectorAll("a, button, nav")) if (!named(link)) bad.push(`no name: ${link.outerHTML}`);
  for (const image of document.querySelectorAll("img, canvas, svg[role=img]")) {
    if (!image.getAttribute("aria-label") && !image.getAttribute("aria-labelledby")) bad.push("an image without a name");
  }
  for (const cell of document.querySelectorAll("th")) if (!cell.scope) bad.push(`no scope: ${cell.textContent}`);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  if (new Set(ids).size !== ids.length) bad.push("an id twice");
  return bad;
})()"""


def main(url, nodes, simulator, kubeconfig, shots=None):
    def command(*words):
        return subprocess.run(
            [simulator, "--kubeconfig", kubeconfig, *words], check=True, capture_output=True,
            text=True).stdout

    names = sorted(line.split("\t")[0] for line in command("nodes").splitlines())
    problems = []

    def expect(what, found, wanted):
        if found != wanted:
            problems.append(f"{what}: {found}, not {wanted}")

    for dark in (False, True):
        browser = Browser(dark=dark)
        browser.open(url + "/")
        browser.wait("typeof map !== 'undefined' && map.nodes.length > 0")
        expect("cells", browser.run("map.nodes.length"), nodes)
        if not dark:
            # Keys.
            browser.run("map.canvas.focus()")
            browser.key("ArrowRight")
            browser.key("ArrowRight")
            said = browser.run("map.said.textContent")
            if not said.startswith(browser.run("map.nodes[1][0]") + ": "):
                problems.append(f"keys say {said}")
            # An alert that comes, on the page as it is.
            browser.run("window.mark = 1")
            command("pull", names[0], HOSTILE, "700MB")
            browser.wait(
                f"[...document.querySelectorAll('[data-alerts] tr.new')].some((row) => "
                f"row.textContent.includes({HOSTILE!r}.slice(0, 20)))")
            expect("reloads", browser.run("window.mark"), 1)
            # Numbers that are fresh.
            command("pull", names[0], "example.org/b:1", "700MB")
            browser.run("refresh()")
            expect("still there", browser.run("document.querySelectorAll('[data-live]').length"), 2)
        for path in PAGES + [f"/node/{names[0]}", "/node/nowhere"]:
            browser.open(url + path)
            for what, script in (("contrast", CONTRAST), ("labels", LABELS)):
                problems += [f"{path} {what}: {fault}" for fault in browser.run(script)]
            expect(f"{path}: foreign elements", browser.run(
                "document.querySelectorAll('img, iframe, object, embed, style, main script').length"), 0)
            if shots:
                pathlib.Path(shots).mkdir(parents=True, exist_ok=True)
                name = path.split("?")[0].strip("/").replace("/", "-") or "overview"
                mode = "dark" if dark else "light"
                if "?" not in path and "nowhere" not in path:
                    browser.wait("typeof map === 'undefined' || map === null || map.nodes.length > 0")
                    browser.screenshot(pathlib.Path(shots) / f"{nodes}-{name}-{mode}.png")
        # The one that is not there is said so by the browser, too.
        problems += [p for p in browser.problems if "/node/nowhere" not in p]
        browser.close()

    browser = Browser(scripts=False)
    for path in PAGES + [f"/node/{names[0]}"]:
        browser.open(url + path)
    browser.close()
    plain = subprocess.run(
        ["curl", "-s", "-i", url + f"/node/{names[0]}"], check=True, capture_output=True,
        text=True).stdout
    if "<img" in plain or "&lt;img src=x onerror=document.title=1&gt;" not in plain:
        problems.append("a hostile name is not text")
    for header in ("default-src 'none'", "X-Content-Type-Options: nosniff", "no-referrer"):
        if header.lower() not in plain.lower():
            problems.append(f"no {header}")
    print(f"{nodes} nodes, {len(problems)} problems")
    for problem in problems[:30]:
        print(problem)
    return 1 if problems else 0


sys.exit(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))

// What the page does beyond what its HTML says: the map of nodes, alerts as they come, numbers that stay fresh.
// What comes from the cluster is put in place as text, never as markup.
"use strict";

const refreshEvery = 15000;
const mostAlerts = 200;

document.documentElement.classList.add("scripted");

function bytesText(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) {
    bytes /= 1024;
    unit += 1;
  }
  return (unit === 0 || bytes >= 99.95 ? Math.round(bytes) : bytes.toFixed(1)) + " " + units[unit];
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// MARK: Alerts

function alertRow(alert) {
  const row = element("tr", undefined, "new");
  const time = element("time", alert.observedAt.slice(0, 19).replace("T", " ") + "Z");
  time.dateTime = alert.observedAt;
  const state = alert.status === "resolved" ? "resolved" : alert.severity;
  const badge = element("span", state, "severity");
  if (["info", "warning", "critical", "resolved"].includes(state)) badge.classList.add(state);
  const what = alert.node ? alert.summary.replace(`${alert.node.name}: `, "") : alert.summary;
  const cells = [time, badge, document.createTextNode(alert.rule), null, document.createTextNode(what)];
  if (alert.node) {
    cells[3] = element("a", alert.node.name);
    cells[3].href = "/node/" + encodeURIComponent(alert.node.name);
  }
  for (const content of cells) {
    const cell = element("td");
    if (content) cell.append(content);
    row.append(cell);
  }
  return row;
}

function followAlerts() {
  const tables = document.querySelectorAll("table[data-alerts]");
  if (tables.length === 0) return;
  const seen = new Set();
  const source = new EventSource("/page/events");
  source.addEventListener("alert", (event) => {
    const alert = JSON.parse(event.data);
    if (seen.has(alert.id)) return;
    seen.add(alert.id);
    if (location.pathname.startsWith("/node/") &&
        (!alert.node || decodeURIComponent(location.pathname.slice(6)) !== alert.node.name)) return;
    for (const table of tables) {
      const body = table.tBodies[0];
      for (const none of body.querySelectorAll(".none")) none.remove();
      body.prepend(alertRow(alert));
      while (body.rows.length > mostAlerts) body.lastElementChild.remove();
    }
  });
}

// MARK: Fresh numbers

async function refresh() {
  if (document.hidden) return;
  let text;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    text = await answer.text();
  } catch {
    for (const part of document.querySelectorAll("[data-live=summary]")) part.dataset.stale = "";
    return;
  }
  const next = new DOMParser().parseFromString(text, "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = next.querySelector(`[data-live="${part.dataset.live}"]`);
    // Who reads or uses it is not disturbed.
    if (fresh && !part.contains(document.activeElement)) part.replaceChildren(...fresh.children);
  }
}

// MARK: The map

class NodeMap {
  constructor(place) {
    this.place = place;
    this.pools = [];
    this.nodes = [];
    this.at = -1;
    this.canvas = element("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", "Map of nodes by image storage");
    this.cell = element("div", undefined, "mark-cell");
    this.tip = element("div", undefined, "tip");
    this.said = element("div", undefined, "unseen");
    this.said.setAttribute("aria-live", "polite");
    this.legend = element("ul", undefined, "legend");
    this.legend.setAttribute("aria-label", "Colours");
    this.cell.hidden = true;
    this.tip.hidden = true;
    place.append(this.canvas, this.cell, this.tip, this.said, this.legend);
    this.canvas.addEventListener("mousemove", (event) => this.select(this.indexAt(event.offsetX, event.offsetY)));
    this.canvas.addEventListener("mouseleave", () => this.select(-1));
    this.canvas.addEventListener("click", () => this.open());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  async load() {
    const answer = await fetch(this.place.dataset.source);
    if (!answer.ok) return;
    this.pools = (await answer.json()).pools;
    this.nodes = this.pools.flatMap((pool) => pool.nodes);
    this.draw();
  }

  // Rows of cells, a title above each pool.
  layOut(width) {
    const pitch = Math.min(28, Math.max(4, Math.floor(Math.sqrt(width * 560 / Math.max(1, this.nodes.length)))));
    const columns = Math.max(1, Math.floor(width / pitch));
    let top = 0;
    let first = 0;
    this.rows = { pitch, size: pitch - (pitch > 8 ? 2 : 1), columns, width };
    this.bands = this.pools.map((pool) => {
      const rows = Math.ceil(pool.nodes.length / columns);
      const band = { name: pool.name || "(no pool)", count: pool.nodes.length, first, title: top + 15, top: top + 22 };
      top = band.top + rows * pitch + 10;
      first += pool.nodes.length;
      return band;
    });
    return top;
  }

  draw() {
    const width = this.place.clientWidth;
    if (width === 0 || this.nodes.length === 0) return;
    const height = this.layOut(width);
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.height = height + "px";
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    context.fillStyle = colour("--quiet");
    context.font = "13px system-ui, sans-serif";
    for (const band of this.bands) {
      context.fillText(`${band.name} · ${band.count.toLocaleString("en")} nodes`, 0, band.title);
    }
    const largest = this.nodes.reduce((most, node) => Math.max(most, node[1]), 1);
    const steps = 6;
    const byColour = Array.from({ length: steps + 1 }, () => []);
    this.nodes.forEach((node, index) => {
      const step = node[1] < 0 ? steps : Math.min(steps - 1, Math.floor(node[1] / largest * steps));
      byColour[step].push(index);
    });
    const { size } = this.rows;
    byColour.forEach((indices, step) => {
      context.fillStyle = colour(step === steps ? "--cell-unknown" : `--cell-${step}`);
      for (const index of indices) {
        const [x, y] = this.placeOf(index);
        context.fillRect(x, y, size, size);
      }
    });
    context.fillStyle = colour("--pressure");
    const dot = Math.max(2, Math.round(size / 3));
    this.nodes.forEach((node, index) => {
      if ((node[2] & 2) === 0) return;
      const [x, y] = this.placeOf(index);
      context.fillRect(x, y, dot, dot);
    });
    this.drawLegend(largest, steps, byColour[steps].length > 0, this.nodes.some((node) => (node[2] & 2) !== 0));
    this.select(this.at);
  }

  drawLegend(largest, steps, hasUnknown, hasPressure) {
    const entries = [];
    for (let step = 0; step < steps; step += 1) {
      entries.push([`--cell-${step}`, step === steps - 1
        ? `${bytesText(largest / steps * step)} to ${bytesText(largest)}`
        : `up to ${bytesText(largest / steps * (step + 1))}`]);
    }
    if (hasUnknown) entries.push(["--cell-unknown", "no list"]);
    if (hasPressure) entries.push(["--pressure", "corner: disk pressure"]);
    this.legend.replaceChildren(...entries.map(([name, text]) => {
      const item = element("li");
      const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      swatch.setAttribute("viewBox", "0 0 14 14");
      swatch.setAttribute("aria-hidden", "true");
      const square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      square.setAttribute("width", "14");
      square.setAttribute("height", "14");
      square.setAttribute("fill", `var(${name})`);
      swatch.append(square);
      item.append(swatch, document.createTextNode(text));
      return item;
    }));
  }

  bandOf(index) {
    let low = 0;
    let high = this.bands.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.bands[middle].first <= index) low = middle; else high = middle - 1;
    }
    return this.bands[low];
  }

  placeOf(index) {
    const band = this.bandOf(index);
    const { pitch, columns } = this.rows;
    const within = index - band.first;
    return [within % columns * pitch, band.top + Math.floor(within / columns) * pitch];
  }

  indexAt(x, y) {
    const { pitch, columns } = this.rows ?? {};
    if (!pitch) return -1;
    const column = Math.floor(x / pitch);
    if (column >= columns) return -1;
    for (const band of this.bands) {
      const row = Math.floor((y - band.top) / pitch);
      if (row < 0) return -1;
      const within = row * columns + column;
      if (within < band.count) return band.first + within;
      if (row < Math.ceil(band.count / columns)) return -1;
    }
    return -1;
  }

  text(node) {
    const size = node[1] < 0 ? "no list" : (node[2] & 1 ? "≥ " : "") + bytesText(node[1]);
    return `${node[0]}: ${size}${node[2] & 2 ? ", disk pressure" : ""}`;
  }

  select(index) {
    this.at = index < this.nodes.length ? index : -1;
    this.cell.hidden = this.at < 0;
    this.tip.hidden = this.at < 0;
    if (this.at < 0) return;
    const [x, y] = this.placeOf(this.at);
    const { size, width } = this.rows;
    this.cell.style.left = `${x - 2}px`;
    this.cell.style.top = `${y - 2}px`;
    this.cell.style.width = `${size + 4}px`;
    this.cell.style.height = `${size + 4}px`;
    this.tip.textContent = this.text(this.nodes[this.at]);
    this.tip.style.top = `${y + size + 8}px`;
    this.tip.style.left = x < width / 2 ? `${x}px` : "auto";
    this.tip.style.right = x < width / 2 ? "auto" : `${width - x - size}px`;
  }

  open() {
    if (this.at >= 0) location.href = "/node/" + encodeURIComponent(this.nodes[this.at][0]);
  }

  key(event) {
    const steps = {
      ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.rows?.columns, ArrowUp: -this.rows?.columns,
      Home: -Infinity, End: Infinity,
    };
    if (event.key === "Enter") {
      this.open();
    } else if (event.key in steps && this.nodes.length > 0) {
      const wanted = this.at < 0 ? 0 : this.at + steps[event.key];
      this.select(Math.min(this.nodes.length - 1, Math.max(0, wanted)));
      this.said.textContent = this.text(this.nodes[this.at]);
    } else {
      return;
    }
    event.preventDefault();
  }
}

followAlerts();
const place = document.getElementById("map");
const map = place ? new NodeMap(place) : null;
if (map) map.load();
if (map || document.querySelector("[data-live]")) {
  setInterval(() => {
    refresh();
    if (map && !document.hidden) map.load();
  }, refreshEvery);
}

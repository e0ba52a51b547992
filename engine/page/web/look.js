// Okabe and Ito's colours, told apart by people of every colour vision; each with a form for either ground.
const COLOURS = {
  light: {
    ink: "#1c2733", soft: "#54636f", line: "#dbe2e8", card: "#ffffff", series: "#0b63a8", band: "rgba(0,130,100,.15)", bandEdge: "rgba(0,110,84,.55)",
    anomaly: "#c03a00", page: "#7b3294", label: "rgba(230,159,0,.26)", vote: "#3d4f5c", channel: "#007a5a", score: "#7a5195", threshold: "#c03a00",
    lines: ["#0b63a8", "#c03a00", "#007a5a", "#7b3294"],
    heat: [[0, "#eef2f5"], [0.0001, "#d3e4f3"], [0.35, "#6aaed6"], [0.7, "#2070b4"], [1, "#08306b"]],
  },
  dark: {
    ink: "#e7edf2", soft: "#a2b1bd", line: "#2b3843", card: "#172029", series: "#6cb6f2", band: "rgba(60,200,160,.15)", bandEdge: "rgba(80,200,165,.5)",
    anomaly: "#ff8f4d", page: "#d7a3ea", label: "rgba(240,190,60,.24)", vote: "#b6c5d1", channel: "#46c9a0", score: "#cda6e8", threshold: "#ff8f4d",
    lines: ["#6cb6f2", "#ff8f4d", "#46c9a0", "#d7a3ea"],
    heat: [[0, "#1f2a34"], [0.0001, "#1d3d5c"], [0.35, "#2a6fa8"], [0.7, "#6cb6f2"], [1, "#e3f2ff"]],
  },
};
const root = document.documentElement;
const colours = () => COLOURS[root.dataset.theme];

/** An element with attributes and children; texts are set as text. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** A text that plotly shows as it is: it takes texts for markup. */
const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const shortened = (text, most) => (text.length <= most ? text : `…${text.slice(1 - most)}`);

const isNumber = (value) => typeof value === "number" && isFinite(value);
const whole = new Intl.NumberFormat("en");
const count = (number) => whole.format(number);
const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;
const percent = (share, digits = 1) => {
  if (share === null || !isFinite(share)) return "n/a";
  const least = 0.5 * 10 ** -digits;
  return share > 0 && 100 * share < least ? `< ${10 ** -digits}\u00a0%` : `${(100 * share).toFixed(digits)}\u00a0%`;
};
const short = (number, digits = 4) => (isNumber(number) ? number.toLocaleString("en", { maximumSignificantDigits: digits }) : "n/a");
const instant = (ms) => new Date(ms).toISOString().replace("T", " ").replace(/:00\.000Z$|\.\d+Z$/, "");

/** A length of time in ms in its largest fitting unit. */
function duration(ms) {
  const units = [[864e5, "day"], [36e5, "hour"], [6e4, "minute"], [1e3, "second"]];
  const [size, name] = units.find(([size]) => ms >= size) ?? units[3];
  const number = Number((ms / size).toFixed(1));
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}

/** A table under a line to open it; `columns` are [title, "number" or ""], cells texts or elements. */
function tableOf(columns, rows, caption) {
  const head = columns.map(([title, kind]) => el("th", { scope: "col", class: kind || null }, title));
  const body = rows.map((row) =>
    el("tr", {}, row.map((cell, at) => el(at ? "td" : "th", { scope: at ? null : "row", class: columns[at][1] || null }, cell))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", { class: "unseen" }, caption), el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
}

const folded = (title, content) => el("details", {}, el("summary", {}, title), content);

/** What stands where there is nothing to draw: what is missing, and what to do about it. */
const emptyState = (title, ...words) => el("p", { class: "empty" }, el("strong", {}, title), ...words);

function tiles(entries) {
  return el("dl", { class: "tiles" }, entries.map(([name, value, note]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value), note ? el("dd", {}, note) : null)));
}

/** The key of a figure: [class, colour, name, dashes of a line]. */
const keyOf = (entries) => el("ul", { class: "key", "aria-hidden": "true" }, entries.map(([kind, colour, name, dashes]) => {
  const swatch = el("span", { class: kind || null });
  if (kind === "line" || kind === "mark") swatch.style.borderTopColor = colour;
  else swatch.style.background = colour;
  if (dashes) swatch.style.borderTopStyle = { dash: "dashed", dashdot: "dashed", dot: "dotted" }[dashes] ?? "solid";
  return el("li", {}, swatch, name);
}));

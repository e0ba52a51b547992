const LANE = 20;
const VALUES = 300;
const SCORE = 90;
const SPACE = 14;
const NARROW = 600; // pixels, below which names of lanes are cut short
const AROUND = 12; // an incident is shown with so many times its length around it, and at least as many steps
const bench = { at: 0, shown: null, incident: -1, from: 0, to: 0, options: [], active: 0 };

function buildMetric(panel) {
  if (!summary.metrics.length) {
    panel.append(emptyState("No metric to show", "The scores of this backtest hold no step."));
    return;
  }
  panel.append(el("div", { class: "workbench" }, finder(), stage()));
  panel.addEventListener("keydown", onKey);
}

function finder() {
  const search = el("input", {
    type: "search", id: "search", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: "part of a name",
    "aria-controls": "names", "aria-expanded": "true", "aria-autocomplete": "list", oninput: listNames, onkeydown: onSearchKey,
  });
  return el("div", { class: "card finder" }, el("label", { for: "search" }, "Find a metric"), search,
    el("ul", { id: "names", role: "listbox", "aria-label": "Metrics" }), el("p", { class: "hint", id: "found" }));
}

function listNames() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  bench.options = summary.metrics.map((one, at) => [one, at]).filter(([one]) => words.every((word) => one.name.toLowerCase().includes(word)));
  bench.active = Math.max(0, bench.options.findIndex(([, at]) => at === bench.at));
  byId("names").replaceChildren(...bench.options.map(([one, at], place) => el("li", {
    role: "option", id: `option-${at}`, "aria-selected": String(at === bench.at), class: place === bench.active ? "active" : null,
    onclick: () => showMetric(at),
  }, one.name, el("small", {}, many(one.incident_count, "incident"), one.labels.length ? `, ${many(one.labels.length, "label")}` : ""))));
  const left = summary.facts.metrics - summary.metrics.length;
  byId("found").textContent = `${count(bench.options.length)} of ${many(summary.metrics.length, "metric")}${left ? `; ${count(left)} more are not in this page (--metrics)` : ""}`;
  point();
}

/** Mark the active option for eyes and for screen readers. */
function point() {
  const option = bench.options[bench.active];
  byId("names").querySelectorAll("li").forEach((li, place) => li.classList.toggle("active", place === bench.active));
  if (!option) return byId("search").removeAttribute("aria-activedescendant");
  byId("search").setAttribute("aria-activedescendant", `option-${option[1]}`);
  const [list, item] = [byId("names"), byId(`option-${option[1]}`)];
  if (item.offsetTop < list.scrollTop + list.offsetTop || item.offsetTop + item.offsetHeight > list.scrollTop + list.offsetTop + list.clientHeight) list.scrollTop = item.offsetTop - list.offsetTop - 60;
}

function onSearchKey(event) {
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves && bench.options.length) {
    bench.active = (bench.active + moves[event.key] + bench.options.length) % bench.options.length;
    point();
  } else if (event.key === "Enter" && bench.options[bench.active]) showMetric(bench.options[bench.active][1]);
  else return;
  event.preventDefault();
}

function stage() {
  const button = (id, text, label, act, hint) => el("button", { type: "button", id, "aria-label": label, "aria-keyshortcuts": hint, title: `${label} (${hint})`, onclick: act }, text);
  const plot = el("div", { class: "plot", id: "series", role: "group", tabindex: "0", "aria-roledescription": "chart", "aria-describedby": "told" });
  figures.push({ plot, height: () => seriesHeight(), draw: drawSeries, drawn: false, ready: () => bench.shown });
  return el("div", {},
    el("figure", { class: "card", "aria-labelledby": "metric-name" },
      el("figcaption", {}, el("h2", { id: "metric-name" }, "…"), el("p", { class: "about", id: "metric-about" })),
      el("div", { class: "tools" },
        el("div", { class: "group" }, button("previous", "‹", "Previous metric", () => step(-1), "k"), el("span", {}, "Metric"), button("next", "›", "Next metric", () => step(1), "j")),
        el("div", { class: "group" }, button("earlier", "‹", "Previous incident", () => stepIncident(-1), "p"), el("span", { class: "which", id: "which" }), button("later", "›", "Next incident", () => stepIncident(1), "n")),
        el("span", { class: "gap" }),
        el("div", { class: "group" }, button("zoom-in", "+", "Zoom in", () => zoom(0.5), "+"), button("zoom-out", "−", "Zoom out", () => zoom(2), "-"), button("left", "←", "Earlier", () => pan(-0.5), "ArrowLeft"), button("right", "→", "Later", () => pan(0.5), "ArrowRight"), button("all", "All", "Show all", showAll, "0"))),
      plot, el("div", { id: "metric-key" }), el("p", { class: "told", id: "told" })),
    el("section", { class: "card" }, el("h2", {}, "Incidents of this metric"), el("div", { id: "incidents" })),
    el("p", { class: "hint" }, "Keys, while this part has the focus: ", el("kbd", {}, "/"), " search, ", el("kbd", {}, "j"), " ", el("kbd", {}, "k"), " next and previous metric, ", el("kbd", {}, "n"), " ", el("kbd", {}, "p"), " next and previous incident, ", el("kbd", {}, "+"), " ", el("kbd", {}, "-"), " ", el("kbd", {}, "0"), " zoom, ", el("kbd", {}, "←"), " ", el("kbd", {}, "→"), " move. Dragging over the figure zooms, a double click shows all."));
}

function onKey(event) {
  const typing = event.target.matches("input, select, textarea");
  if (event.altKey || event.ctrlKey || event.metaKey || typing) return;
  const acts = { "/": () => byId("search").focus(), j: () => step(1), k: () => step(-1), n: () => stepIncident(1), p: () => stepIncident(-1), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: showAll, ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25) };
  if (!(event.key in acts) || (event.key.startsWith("Arrow") && !event.target.matches("#series, button, section"))) return;
  event.preventDefault();
  acts[event.key]();
}

/** Open the metric at a place, from another part of the page; null: it is not in this page. */
function openMetric(place) {
  if (place === null) return;
  bench.at = place;
  selectTab("metric");
  showMetric(place);
  byId("metric").focus();
}

const step = (by) => showMetric((bench.at + by + summary.metrics.length) % summary.metrics.length);

async function showMetric(at) {
  bench.at = at;
  const facts = summary.metrics[at];
  const series = seriesOf(await inflated(`columns-${at}`), facts);
  if (bench.at !== at) return; // another was chosen meanwhile
  const walked = series.band?.low.some(isFinite) ?? false;
  const band = walked ? series.band : rollingBand(series.time, series.value, summary.facts.window * 1000);
  bench.shown = { facts, series, band, walked, incidents: incidentsOf(series), step: stepOf(series.time) };
  bench.incident = -1;
  byId("metric-name").textContent = facts.name;
  byId("metric-about").replaceChildren(...aboutMetric());
  byId("incidents").replaceChildren(incidentTable(bench.shown, goToIncident));
  listNames();
  history.replaceState(null, "", `#metric=${encodeURIComponent(facts.name)}`);
  showAll();
}

function aboutMetric() {
  const { facts, series } = bench.shown;
  const sorted = Float64Array.from(series.value).sort();
  const outcomes = summary.outcomes.map((name, code) => [name, series.outcome.reduce((sum, one) => sum + (one === code), 0)]).filter(([, steps]) => steps);
  return [
    `${count(facts.steps)} steps from ${instant(series.time[0])} to ${instant(series.time[series.steps - 1])}, one every ${duration(bench.shown.step).replace(/^1 /, "")}: ${outcomes.map(([name, steps]) => `${count(steps)} ${name.replaceAll("_", " ")}`).join(", ")}. `,
    `Values from ${short(sorted[0])} to ${short(sorted[sorted.length - 1])}, median ${short(sorted[sorted.length >> 1])}. `,
    el("strong", {}, `${many(facts.anomalous, "anomalous step")} in ${many(facts.incident_count, "incident")}`), facts.labels.length ? `, ${many(facts.labels.length, "labelled window")}` : "", ". ",
    facts.left_out ? `The oldest ${count(facts.left_out)} steps are not in this page.` : "",
  ];
}

const laneNames = () => [...bench.shown.series.votes.names, ...bench.shown.series.channels.names];
const seriesHeight = () => VALUES + SCORE + LANE * laneNames().length + 2 * SPACE + 56;

function drawSeries() {
  const { facts, series, band } = bench.shown;
  const { series: line, anomaly, page, label, vote, channel, score, threshold } = colours();
  const room = byId("series").offsetWidth;
  const names = laneNames().map((name) => shortened(name.replaceAll("_", " "), room < NARROW ? 14 : 30));
  const left = Math.max(80, roomFor(names));
  const width = Math.max(120, room - left - 16);
  const first = Math.max(0, lowerBound(series.time, bench.from) - 1);
  const stop = Math.max(Math.min(series.steps, lowerBound(series.time, bench.to + 1) + 1), first + 1);
  const hot = marksOf(series.time, (i) => series.anomalous.is(0, i), first, stop, width);
  const at = (places) => ({ x: places.map((i) => series.time[i]), y: places.map((i) => series.value[i]) });
  const paged = [...series.pages].filter((ms) => ms >= bench.from && ms <= bench.to);
  const loud = envelope(series.time, series.score, first, stop, width);
  const most = Math.max(1.5, loud.reduce((top, i) => Math.max(top, series.score[i]), 0) * 1.08);
  const total = VALUES + SCORE + LANE * names.length + 2 * SPACE;
  const share = (pixels) => Math.max(0, pixels / total);
  const lanes = share(LANE * names.length);
  return {
    data: [
      ...bandTraces(series, band, first, stop, width),
      { ...brokenLine(series.time, series.value, envelope(series.time, series.value, first, stop, width), bench.shown.step), mode: stop - first < width / 12 ? "lines+markers" : "lines", line: { color: line, width: 1.4 }, marker: { size: 5 }, hovertemplate: "%{x|%Y-%m-%d %H:%M:%S}<br>%{y}<extra></extra>" },
      { ...at(hot), mode: "markers", marker: { color: anomaly, size: 7, line: { color: colours().card, width: 1 } }, hovertemplate: "anomalous<br>%{x|%Y-%m-%d %H:%M:%S}<br>%{y}<extra></extra>" },
      { x: paged, y: paged.map(() => 1), yaxis: "y4", mode: "markers", cliponaxis: false, marker: { color: page, symbol: "triangle-down", size: 12 }, hovertemplate: "paged %{x|%Y-%m-%d %H:%M:%S}<extra></extra>" },
      { ...brokenLine(series.time, series.score, loud, bench.shown.step), yaxis: "y2", mode: "lines", line: { color: score, width: 1.2 }, hovertemplate: "score %{y:.2f}<extra></extra>" },
      laneTrace(series, series.votes, 0, first, stop, width, vote),
      laneTrace(series, series.channels, series.votes.names.length, first, stop, width, channel),
    ],
    layout: {
      margin: { l: left, r: 16, t: 16, b: 40 }, dragmode: "zoom", hovermode: "closest",
      xaxis: { type: "date", range: [bench.from, bench.to], fixedrange: false, anchor: "y3", tickangle: 0, nticks: Math.max(3, Math.floor(width / 80)), showspikes: true, spikemode: "across", spikethickness: 1, spikedash: "dot", spikecolor: colours().soft, spikesnap: "cursor" },
      yaxis: { domain: [1 - share(VALUES), 1], title: { text: "value", standoff: 6 } },
      yaxis2: { domain: [lanes + share(SPACE), lanes + share(SPACE) + share(SCORE)], range: [0, most], title: { text: "score", standoff: 6 }, nticks: 4 },
      yaxis3: { domain: [0, lanes], range: [names.length - 0.5, -0.5], tickmode: "array", tickvals: names.map((_, lane) => lane), ticktext: names.map(plain), zeroline: false, tickfont: { size: 11.5 } },
      yaxis4: { overlaying: "y", range: [0, 1], visible: false },
      shapes: [
        ...facts.labels.map(([start, end]) => ({ type: "rect", xref: "x", yref: "paper", x0: start * 1000, x1: Math.max(end * 1000, start * 1000 + 2 * (bench.to - bench.from) / width), y0: 0, y1: 1, fillcolor: label, line: { width: 0 }, layer: "below" })),
        { type: "line", xref: "paper", yref: "y2", x0: 0, x1: 1, y0: 1, y1: 1, line: { color: threshold, width: 1.2, dash: "dash" } },
      ],
    },
  };
}

/** Draw the metric in the present span of time, and say in words what can be seen. */
function refreshSeries() {
  if (!bench.shown) return;
  const { facts, series, incidents } = bench.shown;
  const own = figures.find((one) => one.plot.id === "series");
  const before = own.drawn;
  redraw(own);
  if (!before && own.drawn) {
    own.plot.on("plotly_relayout", onRelayout);
    own.plot.on("plotly_doubleclick", () => { showAll(); return false; });
  }
  const seen = incidents.filter((one) => one.end >= bench.from && one.start <= bench.to).length;
  byId("told").textContent = `Shown: ${instant(Math.max(bench.from, series.time[0]))} to ${instant(Math.min(bench.to, series.time[series.steps - 1]))} UTC, ${many(lowerBound(series.time, bench.to + 1) - lowerBound(series.time, bench.from), "step")}, ${many(seen, "incident")}.`;
  byId("which").textContent = incidents.length ? (bench.incident < 0 ? many(incidents.length, "incident") : `incident ${bench.incident + 1} of ${incidents.length}`) : "no incident";
  own.plot.setAttribute("aria-label", `${facts.name}: values, score and votes. ${byId("told").textContent}`);
  for (const id of ["earlier", "later"]) byId(id).disabled = !incidents.length;
  const c = colours();
  byId("metric-key").replaceChildren(keyOf([
    ["line", c.series, "value"], ["", c.band, bench.shown.walked ? "expected by the walk over this metric" : `mean ± 3 standard deviations of the ${duration(summary.facts.window * 1000)} before, without the newest 3 points`],
    ["dot", c.anomaly, "anomalous"], ...(series.pages.length ? [["mark", c.page, "page"]] : []), ...(facts.labels.length ? [["", c.label, "labelled"]] : []),
    ["line", c.score, "score in force: above 1 is anomalous"], ["", c.vote, "vote"], ...(series.channels.names.length ? [["", c.channel, "channel above 1"]] : []),
  ]));
}

function onRelayout(change) {
  if (!("xaxis.range[0]" in change)) return;
  const at = (edge) => { const told = change[`xaxis.range[${edge}]`]; return typeof told === "number" ? told : Date.parse(`${String(told).replace(" ", "T")}Z`); };
  if (at(0) !== bench.from || at(1) !== bench.to) view(at(0), at(1));
}

/** Show a span of time, no shorter than two steps and not beyond the series. */
function view(from, to) {
  const { series, step: least } = bench.shown;
  const [first, last] = [series.time[0], series.time[series.steps - 1]];
  const margin = Math.max((last - first) * 0.01, least);
  const length = Math.min(Math.max(to - from, 2 * least), last - first + 2 * margin);
  const centre = (from + to) / 2;
  bench.from = Math.min(Math.max(centre - length / 2, first - margin), last + margin - length);
  bench.to = bench.from + length;
  refreshSeries();
}

function showAll() {
  if (bench.shown) view(-8.64e15, 8.64e15);
}

function zoom(factor) {
  if (!bench.shown) return;
  const centre = (bench.from + bench.to) / 2;
  const half = ((bench.to - bench.from) / 2) * factor;
  view(centre - half, centre + half);
}

function pan(share) {
  if (!bench.shown) return;
  const by = (bench.to - bench.from) * share;
  view(bench.from + by, bench.to + by);
}

function stepIncident(by) {
  const total = bench.shown?.incidents.length;
  if (total) goToIncident(bench.incident < 0 ? (by > 0 ? 0 : total - 1) : (bench.incident + by + total) % total);
}

function goToIncident(at) {
  const { incidents, step: least } = bench.shown;
  const one = incidents[at];
  const around = AROUND * Math.max(one.end - one.start, 10 * least);
  bench.incident = at;
  view(one.start - around, one.end + around);
  say(`Incident ${at + 1} of ${incidents.length}: ${instant(one.start)} to ${instant(one.end)}, peak ${short(one.value)}, ${many(one.votes, "vote")}.`);
}

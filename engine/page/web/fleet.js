const HEAT_ROW = 19;

function buildFleet(panel) {
  const { facts } = summary;
  const days = (facts.last - facts.first) / 86400;
  byId("span").textContent = facts.steps
    ? `${count(facts.metrics)} metrics, ${instant(facts.first * 1000)} to ${instant(facts.last * 1000)} (${duration((facts.last - facts.first) * 1000)})`
    : "no step was judged";
  const labelled = summary.metrics.reduce((sum, one) => sum + one.labels.length, 0);
  panel.append(tiles([
    ["Metrics", count(facts.metrics), `${count(summary.metrics.length)} in full in this page`],
    ["Steps judged", count(facts.steps), Object.entries(facts.outcomes).map(([name, of]) => `${percent(of / facts.steps, 0)} ${name.replaceAll("_", " ")}`).join(", ")],
    ["Anomalous steps", count(facts.anomalous), facts.steps ? `one in ${facts.anomalous ? count(Math.round(facts.steps / facts.anomalous)) : "none"}` : ""],
    ["Incidents", count(facts.incidents), "runs of anomalous steps"],
    summary.paging.rules.length
      ? ["Pages a day", facts.pages_per_day === null ? "n/a" : short(facts.pages_per_day, 3), `${many(facts.pages, "page")} in ${many(summary.paging.messages, "message")}, ${short(days, 3)} days`]
      : ["Pages a day", "none", "no [[alert]] is configured"],
    ["Rule", facts.rule, facts.rule === "consensus" ? `${facts.consensus} of ${summary.agreement.algorithms.length} algorithms agree` : "walks over each metric"],
    ...(labelled ? [["Labelled windows", count(summary.curves?.windows ?? labelled), "shaded where metrics are drawn"]] : []),
  ]));
  if (facts.unreadable) panel.append(emptyState("Parts of the dataset could not be read", `${many(facts.unreadable, "file or row group", "files or row groups")} of the backtest are missing here; manifest.json names them.`));
  if (!facts.incidents) {
    panel.append(emptyState("No incident in this backtest", "Not one step of any metric was anomalous under the settings of this backtest. A lower consensus or a longer window finds more: compare them with ridgeline tune."));
  } else panel.append(heatFigure());
  panel.append(metricTable());
}

function heatFigure() {
  const { heat } = summary;
  let of = "metrics";
  const rows = () => heat[of];
  const choose = el("select", { id: "heat-rows", onchange: (event) => { of = event.target.value; refresh(); } },
    el("option", { value: "metrics" }, "by metric"), el("option", { value: "groups" }, "by group"));
  const table = el("div");
  const figure = figureOf({
    title: "When incidents were open",
    about: [
      "Each row is a metric, or a group of metrics whose names begin alike; each cell the number of incidents open in ", el("strong", {}, duration(heat.width * 1000)),
      ". A column full of colour means that much went wrong at once, a row full of colour that one metric is noisy. A click on a row opens that metric.",
    ],
    alt: `Heat map of ${many(summary.facts.incidents, "incident")} of ${many(heat.metrics.of, "metric")} over time; the table under it has its numbers.`,
    height: () => 70 + HEAT_ROW * Math.max(rows().names.length, 4),
    draw: () => {
      const { names, counts } = rows();
      const most = Math.max(1, ...counts.flat());
      const x = Array.from({ length: heat.columns + 1 }, (_, column) => (heat.start + column * heat.width) * 1000);
      return {
        data: [{
          type: "heatmap", z: counts, x, y: names.map((_, row) => row), xgap: 1, ygap: 1, zmin: 0, zmax: most,
          colorscale: colours().heat, text: names.map((name) => counts[0].map(() => plain(name))),
          hovertemplate: "%{text}<br>%{x|%Y-%m-%d %H:%M}: %{z} open<extra></extra>",
          colorbar: { thickness: 11, outlinewidth: 0, title: { text: "open", side: "top" }, tickformat: "d", tick0: 0, dtick: Math.ceil(most / 5), len: 1, tickcolor: colours().line },
        }],
        layout: {
          margin: { l: roomFor(names.map((name) => shortened(name, 44))), r: 64, t: 8, b: 40 },
          xaxis: { type: "date", showgrid: false },
          yaxis: { autorange: "reversed", tickmode: "array", tickvals: names.map((_, row) => row), ticktext: names.map((name) => plain(shortened(name, 44))), showgrid: false, zeroline: false, ticks: "" },
        },
      };
    },
    after: table,
    clicked: (event) => openMetric(rows().places?.[event.points[0].y] ?? null),
  });
  const own = figures[figures.length - 1];
  const refresh = () => {
    const { names, incidents, counts } = rows();
    const busiest = (row) => counts[row].reduce((best, number, column) => (number > counts[row][best] ? column : best), 0);
    table.replaceChildren(
      heat[of].of > names.length ? el("p", { class: "hint" }, `The ${names.length} noisiest of ${count(heat[of].of)} ${of} with incidents are shown.`) : "",
      folded("Table of this figure", tableOf(
        [[of === "metrics" ? "Metric" : "Group", ""], ["Incidents", "number"], ["Busiest time begins", ""], ["Open then", "number"]],
        names.map((name, row) => [metricLink(name, rows().places?.[row] ?? null), count(incidents[row]), instant((heat.start + busiest(row) * heat.width) * 1000), count(counts[row][busiest(row)])]),
        "Incidents by row of the heat map")));
    redraw(own);
  };
  figure.querySelector("figcaption").append(el("div", { class: "tools" }, el("label", { for: "heat-rows" }, "Rows"), choose));
  refresh();
  return figure;
}

/** The name of a metric as a button that opens it, where the page holds it in full: at `place`, else null. */
const metricLink = (name, place) => (place === null ? name : el("button", { type: "button", class: "link", onclick: () => openMetric(place) }, name));

function metricTable() {
  const columns = [
    ["Metric", "", (one) => one.name], ["Steps", "number", (one) => one.steps], ["Anomalous", "number", (one) => one.anomalous],
    ["Share", "number", (one) => one.anomalous / one.steps, (share) => percent(share, 2)], ["Incidents", "number", (one) => one.incident_count], ["Labels", "number", (one) => one.labels.length],
  ];
  let by = 2;
  let falling = true;
  const card = el("section", { class: "card" }, el("h2", {}, "Metrics in this page"));
  const left = summary.facts.metrics - summary.metrics.length;
  card.append(el("p", { class: "about" }, `The noisiest and the labelled come first. A name opens the metric; a heading sorts.`,
    left ? ` ${many(left, "more metric is", "more metrics are")} counted above but not held in full: --metrics N holds more.` : ""));
  const holder = el("div");
  const sorted = () => [...summary.metrics.keys()].sort((a, b) => {
    const [one, other] = [a, b].map((place) => columns[by][2](summary.metrics[place]));
    const order = typeof one === "string" ? one.localeCompare(other) : one - other;
    return falling ? -order : order;
  });
  const fill = (focused) => {
    holder.replaceChildren(tableOf(columns.map(([title, kind]) => [title, kind]), sorted().map((place) =>
      columns.map(([, , value, show], at) => (at ? (show ?? count)(value(summary.metrics[place])) : metricLink(summary.metrics[place].name, place)))), "Metrics in this page"));
    holder.querySelectorAll("thead th").forEach((head, at) => {
      head.setAttribute("aria-sort", at === by ? (falling ? "descending" : "ascending") : "none");
      head.replaceChildren(el("button", { type: "button", onclick: () => { falling = at === by ? !falling : at > 0; by = at; fill(true); } }, columns[at][0], at === by ? (falling ? " ↓" : " ↑") : ""));
    });
    if (focused) holder.querySelectorAll("thead button")[by].focus();
  };
  fill(false);
  card.append(holder);
  return card;
}

const isNumber = (value) => typeof value === "number" && isFinite(value);

/** Settings as words: `rule = pages, window = 86400`. */
function settingsOf(point) {
  const told = new Set(["pages_per_day", "false_alarms_per_metric_week", "precision", "recall", "f1", "score", "nab"]);
  const words = [];
  for (const [key, value] of Object.entries(point ?? {})) {
    if (told.has(key) || value === null || isNumber(value) && /mean|sd|optimism|gain/.test(key)) continue;
    if (typeof value === "object" && !Array.isArray(value)) words.push(...settingsOf(value));
    else words.push(`${key.replaceAll("_", " ")} ${Array.isArray(value) ? JSON.stringify(value) : value}`);
  }
  return words;
}

function buildTuning(panel) {
  const { tuning } = summary;
  const frontier = (tuning?.frontier ?? []).filter((point) => isNumber(point.pages_per_day) && isNumber(point.recall));
  if (!tuning) {
    panel.append(emptyState("This backtest was not tuned", "ridgeline tune DIR --labels labels.csv tries thousands of settings on the stored scores and writes tune.json beside them; made anew, this report then shows what each would find and cost."));
    return;
  }
  const of = (point, key) => (isNumber(point?.[key]) ? short(point[key]) : "n/a");
  panel.append(tiles([
    ["Settings tried", isNumber(tuning.settings) ? count(tuning.settings) : "n/a", isNumber(tuning.folds) ? `on ${many(tuning.folds, "held-out half", "held-out halves")}` : ""],
    ["Recommended", tuning.recommended ? "yes" : "no", tuning.recommended ? "the gain holds on data it was not chosen on" : "no gain is proven: today's settings stay"],
    ["Chosen: F1", of(tuning.chosen, "f1"), `today ${of(tuning.today, "f1")}`],
    ["Chosen: pages a day", of(tuning.chosen, "pages_per_day"), `today ${of(tuning.today, "pages_per_day")}`],
    ...(isNumber(tuning.optimism) ? [["Optimism", short(tuning.optimism), "what training promised beyond what held out"]] : []),
  ]));
  if (!frontier.length) {
    panel.append(emptyState("The frontier is empty", "No setting of this tuning has both pages a day and recall to draw."));
    return;
  }
  const sorted = [...frontier].sort((a, b) => a.pages_per_day - b.pages_per_day);
  const marks = [["today", tuning.today, "diamond-open", () => colours().soft], ["chosen", tuning.chosen, "star", () => colours().anomaly]].filter(([, point]) => isNumber(point?.pages_per_day) && isNumber(point?.recall));
  panel.append(figureOf({
    title: "What each setting finds, and what it costs",
    about: ["Each point is a setting that no other beats in both: to the left fewer pages, up more labelled windows found. Read off what one more page a day would buy. ", ...(marks.length ? ["The ", el("strong", {}, "marks"), " are today's setting and the chosen one."] : [])],
    alt: `Recall against pages a day of ${many(sorted.length, "setting")}; the table under the figure has the numbers.`,
    height: 400,
    draw: () => ({
      data: [
        { x: sorted.map((p) => p.pages_per_day), y: sorted.map((p) => p.recall), mode: "lines+markers", line: { color: colours().series, width: 2, shape: "hv" }, marker: { size: 7 },
          text: sorted.map((p) => plain(settingsOf(p).join("; "))), hovertemplate: "%{x:.3g} pages a day, recall %{y:.1%}<br>%{text}<extra></extra>" },
        ...marks.map(([name, point, symbol, colour]) => ({ x: [point.pages_per_day], y: [point.recall], mode: "markers+text", text: [name], textposition: "top center", textfont: { color: colour() }, marker: { size: 15, symbol, color: colour(), line: { width: 2 } }, hovertemplate: `${name}: %{x:.3g} pages a day, recall %{y:.1%}<extra></extra>` })),
      ],
      layout: { margin: { l: 60, r: 24, t: 24, b: 50 }, xaxis: { title: { text: "pages a day" }, rangemode: "tozero" }, yaxis: { title: { text: "recall" }, tickformat: ".0%", range: [-0.03, 1.08] } },
    }),
    after: folded("Table of this figure", tableOf(
      [["Pages a day", "number"], ["Recall", "number"], ["Precision", "number"], ["F1", "number"], ["False a metric-week", "number"], ["Setting", ""]],
      sorted.map((p) => [of(p, "pages_per_day"), percent(p.recall), isNumber(p.precision) ? percent(p.precision) : "n/a", of(p, "f1"), of(p, "false_alarms_per_metric_week"), settingsOf(p).join("; ")]),
      "The frontier")),
  }));
}

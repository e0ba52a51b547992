const OBJECTIVES = { events: "F1", nab: "NAB score", pages: "pages a day" };

/** A setting of tune.json in words. */
function wordsOf(setting) {
  if (!setting) return "";
  const words = [setting.consensus ? `${setting.rule} ${setting.consensus}` : String(setting.rule), `threshold ${short(setting.rule_threshold)}`];
  for (const [name, cutoff] of Object.entries(setting.cutoffs ?? {})) words.push(isNumber(cutoff) ? `${name} / ${short(cutoff)}` : `without ${name}`);
  if (setting.m_of_n && setting.m_of_n.join() !== "1,1") words.push(setting.m_of_n.join(" of "));
  if (isNumber(setting.expiration)) words.push(`expiration ${duration(setting.expiration * 1000)}`);
  return words.join(", ");
}

const measured = (point, key, digits) => (isNumber(point?.[key]) ? point[key].toFixed(digits) : "n/a");
const MEASURES = [["Pages a day", (p) => measured(p, "pages_per_day", 2)], ["False a metric-week", (p) => measured(p, "false_alarms_per_metric_week", 3)],
  ["Precision", (p) => percent(p.precision ?? null)], ["Recall", (p) => percent(p.recall ?? null)], ["F1", (p) => measured(p, "f1", 3)]];

/** A table of settings and what they come to: rows [words, point]. */
const settingTable = (title, rows, first, more = []) => tableOf([[first, ""], ...[...MEASURES, ...more].map(([name]) => [name, "number"])],
  rows.map(([words, point]) => [words, ...[...MEASURES, ...more].map(([, show]) => show(point))]), title);

function buildTuning(panel) {
  const { tuning } = summary;
  if (!tuning) {
    panel.append(emptyState("This backtest was not tuned", "ridgeline tune DIR --labels labels.csv tries thousands of settings on the stored scores and writes tune.json beside them; made anew, this report then shows what each would find and cost."));
    return;
  }
  const { held_out: held, gain, today, chosen } = tuning;
  const goal = OBJECTIVES[tuning.objective] ?? tuning.objective;
  panel.append(tiles([
    ["Settings tried", isNumber(tuning.settings) ? count(tuning.settings) : "n/a", isNumber(tuning.folds) ? `on ${many(tuning.folds, "half", "halves")} that nothing was picked on` : ""],
    ["Recommended", tuning.recommended ? "the chosen" : "today's", tuning.recommended ? "its gain holds where it was not chosen" : "no gain is proven"],
    ...(held ? [["Held out", `${measured(held, "mean", 3)} ± ${measured(held, "sd", 3)}`, `${goal}; today's settings there ${measured(held, "today", 3)}`]] : []),
    ...(isNumber(tuning.optimism) ? [["Optimism", tuning.optimism.toFixed(3), "what training promised beyond what held out"]] : []),
    ...(gain ? [["Gain", measured(gain, "mean", 3), `nine halves in ten gain at least ${measured(gain, "p10", 3)}`]] : []),
  ]));
  panel.append(el("section", { class: "card" }, el("h2", {}, "Today's setting and the chosen one"),
    el("p", { class: "about" }, "Both on everything that the backtest holds. What was chosen on the same data that it is told on flatters itself: the tiles above have what held out."),
    settingTable("Today and chosen", [[`today: ${wordsOf(today?.setting)}`, today], [`chosen: ${wordsOf(chosen?.setting)}`, chosen]].filter(([, point]) => point), "Setting")));
  const frontier = (Array.isArray(tuning.frontier) ? tuning.frontier : []).filter((point) => isNumber(point?.pages_per_day));
  if (frontier.some((point) => isNumber(point.recall))) panel.append(frontierFigure(frontier, today, chosen));
  else panel.append(frontier.length ? el("section", { class: "card" }, el("h2", {}, "What each setting costs"), el("p", { class: "about" }, "Without labels nobody knows what a setting finds: only how often it pages."),
    settingTable("Settings", frontier.map((point) => [wordsOf(point.setting), point]), "Setting")) : emptyState("The frontier is empty", "No setting kept the budget that tune was given."));
  if (tuning.ablation?.length && frontier.some((point) => isNumber(point.recall))) {
    panel.append(el("section", { class: "card" }, el("h2", {}, "What each part is worth"), el("p", { class: "about" }, "Today's setting with one thing changed: without each algorithm, and by other rules. Where nothing changes, the part is not missed."),
      settingTable("Ablation", tuning.ablation.map((row) => [String(row.what).replaceAll("_", " "), row]), "Changed")));
  }
}

function frontierFigure(frontier, today, chosen) {
  const points = frontier.filter((point) => isNumber(point.recall)).sort((a, b) => a.pages_per_day - b.pages_per_day);
  const held = points.filter((point) => isNumber(point.held_out_recall));
  const marks = [["today", today, "diamond-open", () => colours().soft], ["chosen", chosen, "star", () => colours().anomaly]].filter(([, point]) => isNumber(point?.pages_per_day) && isNumber(point?.recall));
  const curve = (of, key, colour, dash, name) => ({
    x: of.map((p) => p.pages_per_day), y: of.map((p) => p[key]), mode: "lines+markers", line: { color: colour, width: 2, shape: "hv", dash }, marker: { size: 7, color: colour },
    text: of.map((p) => plain(wordsOf(p.setting))), hovertemplate: `${name}<br>%{x:.3g} pages a day, recall %{y:.1%}<br>%{text}<extra></extra>`,
  });
  const key = el("div");
  themed.push(() => key.replaceChildren(keyOf([["line", colours().lines[0], "on everything"], ...(held.length ? [["line", colours().lines[2], "held out: picked on one half for as many pages, told of the other", "dash"]] : [])])));
  return figureOf({
    title: "What each setting finds, and what it costs",
    about: ["Each point is a setting that no other beats in both: to the left fewer pages, up more labelled windows found. Read off what one more page a day would buy.", ...(marks.length ? [" The ", el("strong", {}, "marks"), " are today's setting and the chosen one."] : []), ...(held.length ? [" The dashed line is what to count on."] : [])],
    alt: `Recall against pages a day of ${many(points.length, "setting")}; the table under the figure has the numbers.`,
    height: 400,
    draw: () => ({
      data: [
        curve(points, "recall", colours().lines[0], "solid", "on everything"),
        ...(held.length ? [curve(held, "held_out_recall", colours().lines[2], "dash", "held out")] : []),
        ...marks.map(([name, point, symbol, colour]) => ({ x: [point.pages_per_day], y: [point.recall], mode: "markers+text", text: [name], textposition: "top center", textfont: { color: colour() }, marker: { size: 15, symbol, color: colour(), line: { width: 2 } }, hovertemplate: `${name}: %{x:.3g} pages a day, recall %{y:.1%}<extra></extra>` })),
      ],
      layout: { margin: { l: 64, r: 24, t: 24, b: 50 }, xaxis: { title: { text: "pages a day" }, rangemode: "tozero" }, yaxis: { title: { text: "recall" }, tickformat: ".0%", range: [-0.03, 1.08] } },
    }),
    after: el("div", {}, key, folded("Table of this figure", settingTable("The frontier", points.map((point) => [wordsOf(point.setting), point]), "Setting", [["Recall held out", (p) => percent(p.held_out_recall ?? null)]]))),
  });
}

const SCORES = { rule_score: "the rule in force", consensus_score: "consensus score", mean_score: "mean score", pages_score: "pages score", ridgeline_score: "ridgeline score" };

function buildCurves(panel) {
  const { curves } = summary;
  if (!curves) {
    panel.append(emptyState("No labels were given", "With labels this part shows precision and recall over all thresholds, and the windows are shaded in every metric: ridgeline report DIR --labels labels.csv (metric,start,end, NAB's JSON, or points)."));
    return;
  }
  const names = Object.keys(curves.scores);
  const own = curves.scores[summary.facts.score];
  const today = own.find((point) => point.threshold === 1);
  const best = own.reduce((most, point) => ((point.f1 ?? -1) > (most.f1 ?? -1) ? point : most), today);
  panel.append(tiles([
    ["Windows found", `${count(today.found)} of ${count(curves.windows)}`, `recall ${percent(today.recall)}`],
    ["Alarms", count(today.alarms), `${count(today.true_alarms)} touch a window: precision ${percent(today.precision)}`],
    ["F1 at threshold 1", short(today.f1), `best on these labels: ${short(best.f1)} at ${short(best.threshold)}`],
    ["False alarms", short(today.false_alarms_per_metric_week), "a metric and week"],
  ]));
  if (curves.without_scores) panel.append(emptyState("Some labelled metrics are not in this backtest", `${many(curves.without_scores, "labelled metric has", "labelled metrics have")} no scores; their windows count as missed.`));
  const colour = (at) => colours().lines[at % colours().lines.length];
  const dash = (at) => ["solid", "dash", "dot", "dashdot"][at % 4];
  const key = () => keyOf(names.map((name, at) => ["line", colour(at), SCORES[name] ?? name, dash(at)]));
  panel.append(el("div", { class: "two" },
    figureOf({
      title: "Precision and recall",
      about: ["Each point is one threshold of a stored score: to the right more labelled windows are found, up fewer alarms are false. Best is the upper right corner. The ring is ", el("strong", {}, "threshold 1"), ", above which a step is anomalous today. An alarm is a run of steps above the threshold."],
      alt: `Precision against recall. At threshold 1 precision is ${percent(today.precision)}, recall ${percent(today.recall)}; the best F1 on these labels is ${short(best.f1)} at threshold ${short(best.threshold)}.`,
      height: 380,
      draw: () => ({
        data: names.flatMap((name, at) => {
          const points = curves.scores[name].filter((point) => point.precision !== null);
          const ring = points.filter((point) => point.threshold === 1);
          const text = (of) => of.map((point) => `threshold ${short(point.threshold)}`);
          return [
            { x: points.map((p) => p.recall), y: points.map((p) => p.precision), text: text(points), mode: "lines+markers", line: { color: colour(at), width: 2.2, dash: dash(at) }, marker: { size: 4.5, color: colour(at) }, hovertemplate: `${plain(SCORES[name] ?? name)}<br>%{text}<br>recall %{x:.1%}, precision %{y:.1%}<extra></extra>` },
            { x: ring.map((p) => p.recall), y: ring.map((p) => p.precision), mode: "markers", marker: { size: 14, symbol: "circle-open", line: { width: 2.5 }, color: colour(at) }, hoverinfo: "skip" },
          ];
        }),
        layout: {
          margin: { l: 64, r: 16, t: 22, b: 46 },
          xaxis: { title: { text: "recall: labelled windows found" }, range: [-0.02, 1.02], tickformat: ".0%" },
          yaxis: { title: { text: "precision: alarms that are true" }, range: [-0.02, 1.04], tickformat: ".0%" },
        },
      }),
      after: el("div", {}, el("div", { class: "themed-key" }), folded("Table of this figure", tableOf(
        [["Score", ""], ["Threshold", "number"], ["Recall", "number"], ["Precision", "number"]],
        names.flatMap((name) => curves.scores[name].map((p) => [SCORES[name] ?? name, short(p.threshold), percent(p.recall), percent(p.precision)])),
        "Precision and recall by score and threshold"))),
    }),
    figureOf({
      title: "What a threshold does",
      about: ["F1, the balance of precision and recall, of the score in force (", SCORES[summary.facts.score] ?? summary.facts.score, ") at each threshold. A flat top is a robust choice, a narrow peak is luck. Chosen on labels that it is then told on, the best looks better than it will be: ", el("strong", {}, "ridgeline tune"), " judges on halves that were held out."],
      alt: `F1, precision and recall by threshold; the table under the figure has the numbers.`,
      height: 380,
      draw: () => {
        const line = (value, title, at) => ({ x: own.map((p) => p.threshold), y: own.map(value), mode: "lines", line: { color: colour(at), width: at ? 1.8 : 3, dash: dash(at) }, hovertemplate: `${title} %{y:.3f} at %{x:.3g}<extra></extra>` });
        return {
          data: [line((p) => p.f1, "F1", 0), line((p) => p.precision, "precision", 1), line((p) => p.recall, "recall", 2)],
          layout: {
            margin: { l: 56, r: 16, t: 22, b: 46 },
            xaxis: { type: "log", title: { text: "threshold" }, tickvals: [0.125, 0.25, 0.5, 1, 2, 4, 8] },
            yaxis: { range: [-0.02, 1.04] },
            shapes: [{ type: "line", x0: 1, x1: 1, y0: 0, y1: 1, yref: "paper", line: { color: colours().soft, dash: "dot", width: 1.5 } }],
            annotations: [{ x: 0, y: 1, yref: "paper", yanchor: "bottom", xanchor: "left", text: "today", showarrow: false, font: { size: 11, color: colours().soft } }],
          },
        };
      },
      after: el("div", {}, el("div", { class: "themed-key-metrics" }), folded("Table of this figure", tableOf(
        [["Threshold", ""], ["Alarms", "number"], ["True", "number"], ["Windows found", "number"], ["Precision", "number"], ["Recall", "number"], ["F1", "number"], ["False a metric-week", "number"]],
        own.map((p) => [short(p.threshold), count(p.alarms), count(p.true_alarms), count(p.found), percent(p.precision), percent(p.recall), p.f1 === null ? "n/a" : p.f1.toFixed(3), short(p.false_alarms_per_metric_week)]),
        "Alarms and windows by threshold"))),
    })));
  themed.push(() => {
    panel.querySelector(".themed-key").replaceChildren(key());
    panel.querySelector(".themed-key-metrics").replaceChildren(keyOf(["F1", "precision", "recall"].map((name, at) => ["line", colour(at), name, dash(at)])));
  });
}

function buildAgreement(panel) {
  const { algorithms, together, alone, hits, by_votes: byVotes, anomalous } = summary.agreement;
  const votes = algorithms.map((_, at) => together[at][at]);
  const name = (at) => algorithms[at].replaceAll("_", " ");
  if (!votes.some(Boolean)) {
    panel.append(emptyState("No algorithm voted", "Not one algorithm called any step of this backtest anomalous, so there is no agreement to show."));
    return;
  }
  const share = (a, b) => (votes[a] ? together[a][b] / votes[a] : null);
  panel.append(figureOf({
    title: "Which algorithms agree",
    about: ["Each cell: of the steps at which the algorithm of the ", el("strong", {}, "row"), " voted, the share at which that of the ", el("strong", {}, "column"),
      " voted too. A row of high numbers hears little that others do not; a row of low ones speaks alone. Two algorithms high both ways are nearly one. A dash: it never voted."],
    alt: `Matrix of the agreement of ${algorithms.length} algorithms; the table under it has the numbers.`,
    height: 120 + 40 * algorithms.length,
    draw: () => ({
      data: [{
        type: "heatmap", z: algorithms.map((_, a) => algorithms.map((__, b) => share(a, b) ?? 0)), x: algorithms.map((_, at) => at), y: algorithms.map((_, at) => at),
        zmin: 0, zmax: 1, xgap: 2, ygap: 2, colorscale: colours().heat, showscale: false, texttemplate: "%{text}",
        text: algorithms.map((_, a) => algorithms.map((__, b) => (share(a, b) === null ? "–" : (100 * share(a, b)).toFixed(share(a, b) < 0.1 && share(a, b) > 0 ? 1 : 0)))),
        customdata: algorithms.map((_, a) => algorithms.map((__, b) => `of ${count(votes[a])} votes of ${plain(name(a))}, ${plain(name(b))} joined in ${count(together[a][b])}`)),
        hovertemplate: "%{customdata}<extra></extra>",
      }],
      layout: {
        margin: { l: roomFor(algorithms.map((_, at) => shortened(name(at), 30))), r: 10, t: 10, b: 118 },
        xaxis: { tickvals: algorithms.map((_, at) => at), ticktext: algorithms.map((_, at) => plain(shortened(name(at), 26))), tickangle: -32, showgrid: false, zeroline: false, ticks: "" },
        yaxis: { tickvals: algorithms.map((_, at) => at), ticktext: algorithms.map((_, at) => plain(shortened(name(at), 30))), autorange: "reversed", showgrid: false, zeroline: false, ticks: "" },
      },
    }),
    after: folded("Table of this figure", tableOf(
      [["Votes also by (%)", ""], ...algorithms.map((_, at) => [name(at), "number"])],
      algorithms.map((_, a) => [name(a), ...algorithms.map((__, b) => percent(share(a, b)))]), "Share of the row's votes that the column joined in")),
  }));
  const { consensus, rule } = summary.facts;
  const powers = Array.from({ length: 16 }, (_, power) => 10 ** power);
  const least = (k) => byVotes.slice(k).reduce((sum, number) => sum + number, 0);
  panel.append(el("div", { class: "two" },
    figureOf({
      title: "How many vote at a step",
      about: ["Steps by their number of votes, on a scale of tenfolds. ", ...(rule === "consensus"
        ? [el("strong", {}, `${many(least(consensus), "step has", "steps have")} ${consensus} votes or more`), `, the consensus of this backtest; with one vote fewer it would be ${count(least(Math.max(consensus - 1, 1)))}.`]
        : ["The rule in force does not count them."])],
      alt: `Steps by votes: ${byVotes.map((number, at) => `${at} votes ${number}`).join(", ")}.`,
      height: 330,
      after: folded("Table of this figure", tableOf([["Votes", ""], ["Steps", "number"]], byVotes.map((number, at) => [String(at), count(number)]), "Steps by votes")),
      draw: () => ({
        data: [{
          type: "bar", x: byVotes.map((_, at) => at), y: byVotes.map((number) => number || null), cliponaxis: false,
          marker: { color: byVotes.map((_, at) => (rule === "consensus" && at >= consensus ? colours().anomaly : colours().series)) },
          text: byVotes.map(count), textposition: "outside", constraintext: "none", textfont: { size: 11 }, hovertemplate: "%{x} votes: %{y:,} steps<extra></extra>",
        }],
        layout: {
          margin: { l: 90, r: 10, t: 26, b: 46 },
          xaxis: { title: { text: "votes" }, dtick: 1, showgrid: false, zeroline: false },
          yaxis: { type: "log", title: { text: "steps", standoff: 14 }, tickvals: powers, ticktext: powers.map(count), range: [-0.15, Math.log10(Math.max(...byVotes)) + 0.4] },
        },
      }),
    }),
    el("section", { class: "card" }, el("h2", {}, "Each algorithm"),
      el("p", { class: "about" }, `Alone: votes that no other algorithm joined. Of the ${many(anomalous, "anomalous step")}: how often it voted there; a low share means that the others find them without it.`),
      tableOf([["Algorithm", ""], ["Votes", "number"], ["Of steps", "number"], ["Alone", "number"], ["Of anomalous", "number"]],
        algorithms.map((_, at) => [name(at), count(votes[at]), percent(votes[at] / summary.facts.steps, 2), count(alone[at]), anomalous ? percent(hits[at] / anomalous) : "n/a"]),
        "Votes of each algorithm"))));
}

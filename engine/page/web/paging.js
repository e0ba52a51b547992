function buildPaging(panel) {
  const { paging, facts } = summary;
  const days = Math.max((facts.last - facts.first) / 86400, 1e-9);
  panel.append(tiles([
    ["Pages", count(paging.total), "alerts that the rules let through"],
    ...(facts.messages === null || facts.messages === undefined ? [] : [["Messages", count(facts.messages), "what leaves once alerts are grouped"]]),
    ["Pages a day", facts.pages_per_day === null ? "n/a" : short(facts.pages_per_day), `over ${short(days)} days`],
    ...delayTiles(paging.delay),
  ]));
  if (!paging.total) {
    panel.append(emptyState("Nobody would have been paged", "No incident of this backtest passed its alert rules."));
    return;
  }
  if (paging.days) panel.append(dayFigure(paging));
  else panel.append(emptyState("This backtest did not replay its alert rules", "Pages by day and rule need pages.parquet, which a new backtest writes; the counts below are those of its manifest."));
  const list = (title, about, rows, kind) => el("section", { class: "card" }, el("h2", {}, title), el("p", { class: "about" }, about),
    tableOf([[kind, ""], ["Pages", "number"], ["Share", "number"]], rows.map(([name, pages]) => [kind === "Metric" ? metricLink(name) : name, count(pages), percent(pages / paging.total)]), title));
  panel.append(el("div", { class: "two" },
    list("The noisiest metrics", `The ${paging.metric.length} metrics with the most pages. What pages most and is never acted on is worth an override, a longer expiration, or m of n.`, paging.metric, "Metric"),
    paging.rule ? el("div", {},
      list("By alert rule", "Each rule is an [[alert]] of the configuration, told by its match.", paging.rule, "Rule"),
      list("By strategy", "How those pages would have gone out.", paging.strategy, "Strategy")) : null));
}

/** Tiles of what a delay holds: numbers of seconds. */
function delayTiles(delay) {
  if (!delay) return [];
  const known = [["median", "Median delay"], ["p90", "Slowest tenth"]].filter(([key]) => typeof delay[key] === "number");
  return known.map(([key, title]) => [title, duration(delay[key] * 1000), "from an incident's start to its first page"]);
}

function dayFigure(paging) {
  const x = paging.days.map((_, day) => (paging.first_day + day * 86400) * 1000);
  const busiest = paging.days.indexOf(Math.max(...paging.days));
  return figureOf({
    title: "Pages by day",
    about: ["Each bar is a day in UTC. The busiest is ", el("strong", {}, `${instant(x[busiest]).slice(0, 10)} with ${many(paging.days[busiest], "page")}`), ". A level of pages that nobody can answer is the surest way to have none answered."],
    alt: `Pages by day from ${instant(x[0]).slice(0, 10)}; the busiest day has ${paging.days[busiest]}.`,
    height: 300,
    draw: () => ({
      data: [{ type: "bar", x, y: paging.days, width: 864e5 * 0.86, offset: 864e5 * 0.07, marker: { color: colours().page }, hovertemplate: "%{x|%Y-%m-%d}: %{y} pages<extra></extra>" }],
      layout: { xaxis: { type: "date", showgrid: false, range: [x[0], x[x.length - 1] + 864e5] }, yaxis: { title: { text: "pages" }, rangemode: "tozero", tickformat: "d" } },
    }),
    after: folded("Table of this figure", tableOf([["Day", ""], ["Pages", "number"]], paging.days.map((pages, day) => [instant(x[day]).slice(0, 10), count(pages)]), "Pages by day")),
  });
}

function buildPaging(panel) {
  const { paging, facts } = summary;
  const days = (facts.last - facts.first) / 86400;
  const held = [["suppressed", "by expiration, m of n or second order"], ["muted", "by quiet hours"], ["unmatched", "without any rule"]].filter(([key]) => paging[key]);
  panel.append(tiles([
    ["Pages", count(paging.pages), "alerts that the rules let through"],
    ["Messages", count(paging.messages), "what leaves once alerts are grouped, that something is over included"],
    ["Pages a day", facts.pages_per_day === null ? "n/a" : short(facts.pages_per_day, 3), `over ${short(days)} days`],
    ...[["median", "Median delay"], ["p90", "Slowest tenth"]].filter(([key]) => isNumber(paging.delay?.[key]))
      .map(([key, title]) => [title, paging.delay[key] ? duration(paging.delay[key] * 1000) : "at once", "from an incident's start to its first page"]),
    ...(held.length ? [["Held back", count(held.reduce((sum, [key]) => sum + paging[key], 0)), held.map(([key, words]) => `${count(paging[key])} ${words}`).join(", ")]] : []),
  ]));
  if (!paging.pages) {
    panel.append(paging.rules.length
      ? emptyState("Nobody would have been paged", "No incident of this backtest passed its alert rules.")
      : emptyState("No alert rule is configured", "A backtest with [[alert]] rows, as ridgeline run has them (ridgeline backtest -c ridgeline.toml), shows here who would have been paged, when, and by which rule."));
    return;
  }
  panel.append(dayFigure(paging.days));
  const list = (title, about, rows, kind) => el("section", { class: "card" }, el("h2", {}, title), el("p", { class: "about" }, about),
    tableOf([[kind, ""], ["Pages", "number"], ["Share", "number"]], rows.map(([name, pages, place]) => [metricLink(name, place ?? null), count(pages), percent(pages / paging.pages)]), title));
  panel.append(el("div", { class: "two" },
    list("The noisiest metrics", "Those with the most pages. What pages most and is never acted on is worth an override, a longer expiration, or m of n.", paging.metrics, "Metric"),
    el("div", {},
      list("By alert rule", "Each rule is an [[alert]] of the configuration, told by its match. One without pages never spoke.", paging.rules, "Rule"),
      list("By strategy", "How those pages would have gone out.", paging.strategies, "Strategy"))));
}

function dayFigure(days) {
  const x = days.map(([day]) => Date.parse(`${day}T00:00:00Z`));
  const [day, most] = days.reduce((best, one) => (one[1] > best[1] ? one : best));
  return figureOf({
    title: "Pages by day",
    about: ["Each bar is a day in UTC. The busiest is ", el("strong", {}, `${day} with ${many(most, "page")}`), ". A level of pages that nobody can answer is the surest way to have none answered."],
    alt: `Pages by day from ${days[0][0]} to ${days[days.length - 1][0]}; the busiest day, ${day}, has ${most}.`,
    height: 300,
    draw: () => ({
      data: [{ type: "bar", x, y: days.map(([, pages]) => pages), width: 864e5 * 0.86, offset: 864e5 * 0.07, marker: { color: colours().page }, hovertemplate: "%{x|%Y-%m-%d}: %{y} pages<extra></extra>" }],
      layout: { xaxis: { type: "date", showgrid: false, range: [x[0], x[x.length - 1] + 864e5] }, yaxis: { title: { text: "pages" }, rangemode: "tozero", tickformat: "d" } },
    }),
    after: folded("Table of this figure", tableOf([["Day", ""], ["Pages", "number"]], days.map(([one, pages]) => [one, count(pages)]), "Pages by day")),
  });
}

/** Whether a row of bits holds one from step `first` to `last`. */
function anyOf(rows, row, first, last) {
  for (let i = first; i <= last; i++) if (rows.is(row, i)) return true;
  return false;
}

/** Incidents of a series: runs of anomalous steps, each with its peak (most votes, the earliest of equals) and who spoke. */
function incidentsOf(series) {
  const spoke = (rows, step) => rows.names.reduce((sum, _, row) => sum + rows.is(row, step), 0);
  return runsOf((i) => series.anomalous.is(0, i), 0, series.steps).map(([first, last]) => {
    let peak = first;
    let most = -1;
    const spoken = [series.votes, series.channels].flatMap((rows) => rows.names.filter((_, row) => anyOf(rows, row, first, last)));
    for (let i = first; i <= last; i++) {
      const votes = spoke(series.votes, i);
      if (votes > most) [most, peak] = [votes, i];
    }
    return { first, last, peak, votes: most, who: spoken, start: series.time[first], end: series.time[last], value: series.value[peak] };
  });
}

const inside = (incident, labels) => labels.some(([start, end]) => incident.start <= end * 1000 && incident.end >= start * 1000);

function incidentTable(shown, go) {
  const { incidents, series, facts } = shown;
  if (!incidents.length) return el("p", { class: "hint" }, "This metric has no incident.");
  const columns = [["Start", "short"], ["Length", "short"], ["Peak value", "number"], ["Votes", "number"], ["Who spoke", "wide"], ...(series.pages.length ? [["Paged", ""]] : []), ...(facts.labels.length ? [["In a label", ""]] : [])];
  return tableOf(columns, incidents.map((one, at) => [
    el("button", { type: "button", class: "link", onclick: () => go(at) }, instant(one.start)),
    duration(one.end - one.start || stepOf(series.time)), short(one.value), String(one.votes), one.who.map((name) => name.replaceAll("_", " ")).join(", "),
    ...(series.pages.length ? [series.pages.some((page) => page >= one.start && page <= one.end) ? "yes" : "no"] : []),
    ...(facts.labels.length ? [inside(one, facts.labels) ? "yes" : "no"] : []),
  ]), "Incidents of this metric");
}

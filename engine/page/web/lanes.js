/** Lines for the steps at which each of `rows` spoke, lane below lane from `lane` on: one trace with breaks. */
function laneTrace(series, rows, lane, first, stop, columns, colour) {
  const x = [];
  const y = [];
  const least = (series.time[stop - 1] - series.time[first]) / columns;
  rows.names.forEach((_, row) => {
    let end = -Infinity;
    for (const [from, to] of runsOf((i) => rows.is(row, i), first, stop)) {
      if (series.time[to] <= end) continue; // would lie under the one before
      const begin = Math.max(series.time[from], end);
      end = Math.max(series.time[to], begin + 2 * least);
      x.push(begin, end, null);
      y.push(lane + row, lane + row, null);
    }
  });
  return { x, y, type: "scatter", mode: "lines", line: { color: colour, width: 9 }, xaxis: "x", yaxis: "y3", hoverinfo: "skip" };
}

/** Lines of a band's edges over [first, stop): the widest of each column of pixels. */
function bandTraces(series, band, first, stop, columns) {
  const x = [];
  const low = [];
  const high = [];
  eachColumn(series.time, first, stop, columns, (start, end) => {
    let least = Infinity;
    let most = -Infinity;
    for (let i = start; i < end; i++) {
      if (band.low[i] < least) least = band.low[i];
      if (band.high[i] > most) most = band.high[i];
    }
    x.push(series.time[start]);
    low.push(isFinite(least) ? least : null);
    high.push(isFinite(most) ? most : null);
  });
  const line = { color: colours().bandEdge, width: 1 };
  return [
    { x, y: low, mode: "lines", line, hoverinfo: "skip", connectgaps: false },
    { x, y: high, mode: "lines", line, fill: "tonexty", fillcolor: colours().band, hoverinfo: "skip", connectgaps: false },
  ];
}

/** Of places that are marked, the first of each column of pixels. */
function marksOf(time, is, first, stop, columns) {
  const kept = [];
  eachColumn(time, first, stop, columns, (start, end) => {
    for (let i = start; i < end; i++) {
      if (is(i)) {
        kept.push(i);
        break;
      }
    }
  });
  return kept;
}

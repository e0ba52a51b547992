const GAP = 10; // times the median step: a line across a longer silence would claim what nobody measured
const NEWEST = 3; // points that are judged, not compared with
const SIGMAS = 3;
const LEAST = 2; // points that have a spread

/** First place whose instant is not before `at`. */
function lowerBound(time, at) {
  let low = 0;
  let high = time.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (time[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Median distance between steps, in ms. */
function stepOf(time) {
  const steps = Array.from({ length: Math.min(time.length - 1, 2001) }, (_, i) => time[i + 1] - time[i]).sort((a, b) => a - b);
  return steps.length ? steps[steps.length >> 1] : 60000;
}

/** Places [first, stop) cut into at most `columns` equal spans of time: calls `each(start, stop)` for those with any. */
function eachColumn(time, first, stop, columns, each) {
  const begin = time[first];
  const width = (time[stop - 1] - begin) / columns || 1;
  for (let at = first; at < stop; ) {
    const column = Math.floor((time[at] - begin) / width);
    let end = at + 1;
    while (end < stop && Math.floor((time[end] - begin) / width) === column) end++;
    each(at, end);
    at = end;
  }
}

/** The few places that a line through [first, stop) consists of: first, lowest, highest, last of each column of pixels. */
function envelope(time, value, first, stop, columns) {
  const kept = [];
  if (stop - first <= 4 * columns) {
    for (let i = first; i < stop; i++) kept.push(i);
    return kept;
  }
  eachColumn(time, first, stop, columns, (start, end) => {
    let least = start;
    let most = start;
    for (let i = start; i < end; i++) {
      if (value[i] < value[least]) least = i;
      if (value[i] > value[most]) most = i;
    }
    for (const i of [...new Set([start, least, most, end - 1])].sort((a, b) => a - b)) kept.push(i);
  });
  return kept;
}

/** A line through these places, broken where nothing came for long. */
function brokenLine(time, value, kept, step) {
  const x = [];
  const y = [];
  for (let k = 0; k < kept.length; k++) {
    const i = kept[k];
    if (k && kept[k - 1] === i - 1 && time[i] - time[i - 1] > GAP * step) {
      x.push(time[i - 1] + step);
      y.push(null);
    }
    x.push(time[i]);
    y.push(value[i]);
  }
  return { x, y };
}

/** Mean +- 3 s (n - 1) of the window in ms that ends at each step, without its newest three points; NaN below two. */
function rollingBand(time, value, window) {
  const steps = time.length;
  const low = new Float64Array(steps).fill(NaN);
  const high = new Float64Array(steps).fill(NaN);
  const largest = value.reduce((most, one) => Math.max(most, Math.abs(one)), 0) || 1; // so that no square overflows
  const centre = value[0] / largest;
  let sum = 0;
  let squares = 0;
  let from = 0;
  for (let i = NEWEST; i < steps; i++) {
    const entered = value[i - NEWEST] / largest - centre;
    sum += entered;
    squares += entered * entered;
    while (from <= i - NEWEST && time[from] <= time[i] - window) {
      const left = value[from++] / largest - centre;
      sum -= left;
      squares -= left * left;
    }
    const count = i - NEWEST - from + 1;
    if (count < LEAST) continue;
    const mean = sum / count;
    const spread = SIGMAS * Math.sqrt(Math.max(0, squares - count * mean * mean) / (count - 1));
    low[i] = (centre + mean - spread) * largest;
    high[i] = (centre + mean + spread) * largest;
  }
  return { low, high };
}

/** Runs of steps at which `is(step)`: [first, last] places. */
function runsOf(is, first, stop) {
  const runs = [];
  for (let i = first; i < stop; i++) {
    if (!is(i)) continue;
    const start = i;
    while (i + 1 < stop && is(i + 1)) i++;
    runs.push([start, i]);
  }
  return runs;
}

const byId = (id) => document.getElementById(id);
const summary = JSON.parse(byId("summary").textContent);
const ARRAYS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f32: Float32Array };
const NO_BOUND = 0xffff;

/** The bytes of an element that holds base64 of gzip. */
async function inflated(id) {
  const text = atob(byId(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Sections of packed columns by name; the bytes of each lie sorted by place. */
function unpacked(bytes, sections) {
  const found = {};
  let at = 0;
  for (const section of sections) {
    const width = Number(section.type.slice(1)) / 8;
    const rows = section.length;
    const joined = new Uint8Array(rows * width);
    for (let place = 0; place < width; place++) {
      const start = at + place * rows;
      for (let row = 0; row < rows; row++) joined[row * width + place] = bytes[start + row];
    }
    at += rows * width;
    found[section.name] = { ...section, data: new ARRAYS[section.type](joined.buffer) };
  }
  return found;
}

/** Rows of bits, one for each name: `is(row, step)`. */
function bitRows(section, steps) {
  const stride = Math.ceil(steps / 8);
  return {
    names: section ? section.names : [],
    is: (row, step) => ((section.data[row * stride + (step >> 3)] >> (step & 7)) & 1) === 1,
  };
}

/** One metric in full: instants in ms, values, scores, votes, channels, bounds. */
function seriesOf(bytes, facts) {
  const columns = unpacked(bytes, facts.sections);
  const steps = columns.delta.length;
  const time = new Float64Array(steps);
  let second = columns.delta.base;
  for (let i = 0; i < steps; i++) time[i] = (second += columns.delta.data[i]) * 1000;
  const { base, scale, data } = columns.value;
  const value = Float64Array.from(data, (part) => base + scale * part);
  const bound = ({ data: parts, base: least, scale: unit }) =>
    Float64Array.from(parts, (part) => (part === NO_BOUND ? NaN : least + unit * part));
  return {
    steps, time, value,
    score: Float64Array.from(columns.score.data, (part) => part / 1000),
    outcome: columns.outcome.data,
    anomalous: bitRows(columns.anomalous, steps),
    votes: bitRows(columns.votes, steps),
    channels: bitRows(columns.channels, steps),
    band: columns.low ? { low: bound(columns.low), high: bound(columns.high) } : null,
    pages: Float64Array.from(columns.pages.data, (at) => at * 1000),
  };
}

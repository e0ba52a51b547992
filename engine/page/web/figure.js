const CONFIG = { displayModeBar: false, responsive: false, showTips: false, doubleClick: false };
const figures = [];

/** The layout that all figures share, in the colours of the theme. */
function layoutOf(more) {
  const { ink, soft, line } = colours();
  const axis = { color: soft, gridcolor: line, linecolor: line, zerolinecolor: line, tickcolor: line, fixedrange: true };
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12.5, color: ink },
    margin: { l: 56, r: 16, t: 10, b: 40 }, showlegend: false, dragmode: false,
    hoverlabel: { bgcolor: colours().card, bordercolor: soft, font: { color: ink } },
    ...more,
  };
  for (const name of Object.keys(layout)) {
    if (/^[xy]axis\d*$/.test(name)) layout[name] = { ...axis, ...layout[name] };
  }
  return layout;
}

/** Room in pixels for these labels beside an axis: plotly's own search for it costs most of a drawing. */
function roomFor(labels) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `12.5px ${getComputedStyle(document.body).fontFamily}`;
  return 14 + Math.ceil(Math.max(0, ...labels.map((label) => pen.measureText(label).width)));
}

/** A figure: title, words on how to read it, a plot of `height` pixels that `draw()` gives, and its numbers as a table. */
function figureOf({ title, about, alt, height, draw, after, clicked }) {
  const id = `title-${figures.length}`;
  const plot = el("div", { class: "plot", role: "img", "aria-label": alt });
  const own = { plot, height, draw, clicked, drawn: false };
  figures.push(own);
  return el("figure", { class: "card", "aria-labelledby": id },
    el("figcaption", {}, el("h2", { id }, title), el("p", { class: "about" }, ...about)), plot, after ?? null);
}

/** Draw a figure anew, if it can be seen: in its present width and the present colours. */
function redraw(own) {
  if (!own.plot.offsetWidth || typeof Plotly === "undefined") return;
  const { data, layout } = own.draw();
  const height = typeof own.height === "function" ? own.height() : own.height;
  Plotly.react(own.plot, data, layoutOf({ ...layout, width: own.plot.offsetWidth, height }), CONFIG);
  if (!own.drawn && own.clicked) own.plot.on("plotly_click", own.clicked);
  own.drawn = true;
}

const redrawAll = () => figures.forEach(redraw);

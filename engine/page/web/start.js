const BUILDERS = { fleet: buildFleet, metric: buildMetric, agreement: buildAgreement, curves: buildCurves, paging: buildPaging, tuning: buildTuning };
const themed = []; // what must be coloured anew with the theme, beside figures
const tabs = [...document.querySelectorAll('[role="tab"]')];

/** Tell screen readers. */
function say(words) {
  byId("status").textContent = words;
}

function selectTab(name) {
  for (const tab of tabs) {
    const own = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", String(own));
    tab.tabIndex = own ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !own;
  }
  if (!(name === "metric" && location.hash.startsWith("#metric="))) history.replaceState(null, "", `#part=${name}`);
  if (name === "metric" && summary.metrics.length && !bench.shown) showMetric(bench.at);
  drawEverything();
}

function drawEverything() {
  figures.filter((one) => one.plot.id !== "series").forEach(redraw);
  if (bench.shown) refreshSeries();
}

function setTheme(theme) {
  root.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  byId("theme").setAttribute("aria-label", `Switch to ${theme === "dark" ? "light" : "dark"} colours`);
  themed.forEach((colour) => colour());
  drawEverything();
}

function onTabKey(event) {
  const at = tabs.indexOf(event.target);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const tab = tabs[(to + tabs.length) % tabs.length];
  selectTab(tab.getAttribute("aria-controls"));
  tab.focus();
}

/** Show and draw all parts on paper, in light colours; afterwards the page is as it was. */
function onPaper() {
  const before = { theme: root.dataset.theme, tab: tabs.find((tab) => tab.getAttribute("aria-selected") === "true").getAttribute("aria-controls") };
  for (const name of Object.keys(BUILDERS)) byId(name).hidden = name === "metric" && !bench.shown;
  setTheme("light");
  addEventListener("afterprint", () => { setTheme(before.theme); selectTab(before.tab); }, { once: true });
}

/** Open what the address asks for: #metric=NAME, or #part=PART; a plain #PART would move the focus. */
function openAsked() {
  const asked = location.hash.slice(1);
  const place = asked.startsWith("metric=") ? summary.metrics.findIndex((one) => encodeURIComponent(one.name) === asked.slice(7)) : -1;
  if (place >= 0) {
    bench.at = place;
    selectTab("metric");
  } else selectTab(asked.startsWith("part=") && asked.slice(5) in BUILDERS ? asked.slice(5) : "fleet");
}

/** Build a part; one that cannot be built says so, and keeps no other from being read. */
function built(panel, build) {
  try {
    build(panel);
  } catch (error) {
    panel.replaceChildren(emptyState("This part cannot be drawn", `What is stored for it is not as expected (${error.message}): make it anew.`));
  }
}

async function start() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = dark.matches ? "dark" : "light";
  for (const [name, build] of Object.entries(BUILDERS)) built(byId(name), build);
  if (summary.metrics.length) listNames();
  tabs.forEach((tab) => { tab.addEventListener("click", () => selectTab(tab.getAttribute("aria-controls"))); tab.addEventListener("keydown", onTabKey); });
  byId("theme").addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));
  byId("print").addEventListener("click", () => print());
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  addEventListener("beforeprint", onPaper);
  let waiting = 0;
  addEventListener("resize", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(drawEverything); });
  setTheme(root.dataset.theme);
  openAsked();
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await inflated("library"));
  document.head.append(script);
  drawEverything();
  root.dataset.ready = String(Math.round(performance.now()));
}

start().catch((error) => {
  byId("problem").hidden = false;
  byId("problem").textContent = `The report cannot be drawn in this browser: ${error.message}. A browser of 2023 or later is needed.`;
  console.error(error);
});

"""The page of `ridgeline report` in a real browser: clicks, keys alone, light and dark, paper, and how soon it opens."""

import json
import os
import shutil
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import ridgeline
from ridgeline.engine.demo.fleet import build_fleet

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, to drive a browser")
CHROMIUM = shutil.which("chromium")
END = 1_767_225_600
HOSTILE = "</script><img src=x onerror=window.broken=1><b>\u202e"
WAIT = 60_000  # ms, against hanging
SETTING = {
    "rule": "<img src=x>",
    "consensus": 5,
    "rule_threshold": 1.1,
    "cutoffs": {},
    "m_of_n": [2, 3],
    "expiration": 3600,
}
POINT = {"pages_per_day": 1.0, "precision": 0.5, "recall": 0.6, "f1": 0.55, "setting": SETTING, "held_out_recall": 0.5}
TUNED = {
    "objective": "events", "settings": 100, "folds": 50, "recommended": True, "today": POINT, "chosen": POINT, "optimism": 0.1,
    "gain": {"mean": 0.2, "p10": 0.05}, "held_out": {"mean": 0.5, "sd": 0.1, "today": 0.3},
    "frontier": [POINT, {**POINT, "pages_per_day": 4.0, "recall": 0.9}], "ablation": [{"what": "without grubbs", **POINT}],
}  # fmt: skip
PARTS = ("fleet", "metric", "agreement", "curves", "paging", "tuning")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs chromium from the system's packages: make test-report installs it")
    with playwright.sync_playwright() as driver:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]  # it refuses to be root inside of one
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A page of 30 metrics with labels, a tuning; one has a hostile name."""
    folder = tmp_path_factory.mktemp("report")
    fleet = build_fleet(30, points=2000, end=END, incidents=12, seed=4, scattered=True)
    table = fleet.table()
    hostile = fleet.incidents[0].metric
    metric = [HOSTILE if name == hostile else name for name in table["metric"].to_pylist()]
    pq.write_table(table.set_column(0, "metric", pa.array(metric)), folder / "history.parquet")
    (folder / "ridgeline.toml").write_text(
        '[source]\nkind = "parquet"\npath = "history.parquet"\n[[alert]]\nmatch = "."\nstrategy = "console"\nexpiration = 3600\n'
    )
    result = ridgeline.backtest(folder / "history.parquet", folder / "out", config=folder / "ridgeline.toml")
    (folder / "out" / "tune.json").write_text(json.dumps(TUNED))
    labels = {}
    for one in fleet.incidents:
        labels.setdefault(HOSTILE if one.metric == hostile else one.metric, []).append([one.start, one.end])
    return ridgeline.report(result, labels)


def until(page, asked, told=None):
    """Wait until what is asked holds. The library's own waiting evaluates text within the page, which the page's policy forbids."""
    end = time.monotonic() + WAIT / 1000
    while not page.evaluate(asked, told):
        assert time.monotonic() < end, asked
        page.wait_for_timeout(20)


@pytest.fixture
def open_page(browser):
    """Opens a page; at the end of the test it has said nothing on its console and asked for nothing but itself."""
    contexts, trouble = [], []

    def open_it(path, scheme="light", part="", **options):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1300, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:///") or trouble.append(request.url))
        page.goto(f"file://{path}{part}")
        until(page, "document.documentElement.dataset.ready")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert trouble == []


def span(page):
    return page.evaluate("document.querySelector('#series').layout.xaxis.range.map(Number)")


def settle(page):
    until(page, "document.querySelector('#series')?.data && document.querySelector('#told').textContent")


def chosen(page):
    return page.text_content("#metric-name")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_opens_by_a_click_and_draws(open_page, report, scheme):
    page = open_page(report, scheme)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    for part in PARTS:
        page.click(f"#tab-{part}")
        assert [name for name in PARTS if page.is_visible(f"#{name}")] == [part]
        page.wait_for_selector(f"#{part} .plot .main-svg")
    assert page.evaluate("window.broken") is None
    page.click("#theme")
    other = {"light": "dark", "dark": "light"}[scheme]
    assert page.evaluate("document.documentElement.dataset.theme") == other
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in {"rgb(245, 247, 249)", "rgb(15, 21, 27)"}


def test_a_row_of_the_heat_map_and_a_name_open_the_metric(open_page, report):
    page = open_page(report)
    name = page.text_content("#fleet table button.link")
    page.click("#fleet section.card table button.link")
    settle(page)
    assert page.is_visible("#metric")
    assert chosen(page)
    page.click("#tab-fleet")
    page.locator("#fleet .plot .nsewdrag").first.click(position={"x": 20, "y": 6})
    page.wait_for_selector("#metric:not([hidden])")
    assert name


def test_by_keyboard_alone(open_page, report):
    """From the top: to the tabs, to Metrics, search, choose, incidents, zoom, and back."""
    page = open_page(report)
    press = page.keyboard.press
    press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(3):
        press("Tab")
    assert page.evaluate("document.activeElement.id") == "tab-fleet"
    press("ArrowRight")
    settle(page)
    assert page.is_visible("#metric")
    press("Tab")
    press("Tab")
    page.keyboard.press("/") if page.evaluate("document.activeElement.id") != "search" else None
    page.keyboard.type("nginx req")
    options = page.locator("#names [role=option]").count()
    assert 0 < options < 30
    press("ArrowDown")
    active = page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).firstChild.data"
    )
    press("Enter")
    until(page, "name => document.querySelector('#metric-name').textContent === name", active)
    press("Tab")
    while page.evaluate("document.activeElement.id") != "series":
        press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    whole = span(page)
    press("+")
    zoomed = span(page)
    assert zoomed[1] - zoomed[0] == pytest.approx((whole[1] - whole[0]) / 2)
    press("ArrowRight")
    assert span(page)[0] > zoomed[0]
    press("0")
    assert span(page) == pytest.approx(whole)
    press("j")
    until(page, "name => document.querySelector('#metric-name').textContent !== name", active)
    press("k")
    until(page, "name => document.querySelector('#metric-name').textContent === name", active)


def test_incidents_are_stepped_through_and_told(open_page, report):
    page = open_page(report)
    page.click("#tab-metric")
    settle(page)
    total = page.locator("#incidents tbody tr").count()
    assert total
    for at in range(1, total + 1):
        page.click("#later")
        assert page.text_content("#which") == f"incident {at} of {total}"
        assert page.text_content("#status").startswith(f"Incident {at} of {total}")
    page.locator("#incidents tbody button").first.click()
    start = page.locator("#incidents tbody button").first.text_content()
    begin = np.datetime64(start.replace(" ", "T"), "ms").astype(int)
    assert span(page)[0] < begin < span(page)[1]


def test_zoomed_in_every_stored_point_is_drawn(open_page, report):
    page = open_page(report)
    page.click("#tab-metric")
    settle(page)
    page.focus("#series")
    page.keyboard.press("n")
    name = page.text_content("#metric-name")
    drawn = page.evaluate("(({x, y}) => [[...x], [...y]])(document.querySelector('#series').data[2])")
    stored = pa.concat_tables([pq.read_table(path) for path in sorted((report.parent / "scores").glob("*.parquet"))])
    rows = stored.filter(pc.equal(stored["metric"], name.replace("\\u202e", "\u202e")))
    begin, end = span(page)
    inside = [
        (stamp * 1000, value)
        for stamp, value in zip(rows["timestamp"].to_pylist(), rows["value"].to_pylist(), strict=True)
        if begin <= stamp * 1000 <= end
    ]
    shown = [(x, y) for x, y in zip(*drawn, strict=True) if begin <= x <= end]
    assert len(inside) > 20
    assert [x for x, _ in shown] == [x for x, _ in inside]
    assert [y for _, y in shown] == pytest.approx([y for _, y in inside], rel=1e-5)


def test_the_band_is_the_mean_and_three_deviations_of_the_window_before(open_page, report):
    page = open_page(report)
    page.click("#tab-metric")
    settle(page)
    name = page.text_content("#metric-name")
    page.focus("#series")
    page.keyboard.press("n")
    low, high = page.evaluate(
        "[0, 1].map((k) => { const t = document.querySelector('#series').data[k]; return [[...t.x], [...t.y]]; })"
    )
    stored = pa.concat_tables([pq.read_table(path) for path in sorted((report.parent / "scores").glob("*.parquet"))])
    rows = stored.filter(pc.equal(stored["metric"], name.replace("\\u202e", "\u202e")))
    stamps, values = rows["timestamp"].to_numpy(), rows["value"].to_numpy()
    for k in range(5, len(low[0]), 17):
        at = int(np.searchsorted(stamps, low[0][k] // 1000))
        window = values[: at + 1][stamps[: at + 1] > stamps[at] - 86400][:-3]
        mean, spread = window.mean(), 3 * window.std(ddof=1)
        assert low[1][k] == pytest.approx(mean - spread, rel=1e-4, abs=1e-4 * abs(mean))
        assert high[1][k] == pytest.approx(mean + spread, rel=1e-4)


def test_hostile_names_are_shown_as_they_are(open_page, report):
    page = open_page(report)
    page.click("#tab-metric")
    page.fill("#search", "onerror")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#metric-name').textContent.includes('onerror')")
    settle(page)
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.evaluate("window.broken") is None
    assert "\\u202e" in chosen(page)


def test_an_address_opens_its_part(open_page, report):
    page = open_page(report, part="#part=curves")
    assert page.is_visible("#curves")
    name = page.evaluate("JSON.parse(document.querySelector('#summary').textContent).metrics[5].name")
    page = open_page(report, part=f"#metric={name}")
    until(page, "name => document.querySelector('#metric-name').textContent === name", name)


def test_on_paper_every_part_is_there(open_page, report):
    page = open_page(report, "dark", part="#part=metric")
    settle(page)
    content = page.pdf()
    assert content.startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert all(page.is_visible(f"#{part}") for part in PARTS)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert [part for part in PARTS if page.is_visible(f"#{part}")] == ["metric"]


def test_on_a_narrow_screen_nothing_is_cut_off(open_page, report):
    page = open_page(report)
    page.set_viewport_size({"width": 420, "height": 800})
    for part in PARTS:
        page.click(f"#tab-{part}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), part


def test_every_figure_and_field_has_a_name(open_page, report):
    page = open_page(report)
    for part in PARTS:
        page.click(f"#tab-{part}")
    nameless = page.evaluate(
        """[...document.querySelectorAll('figure, [role=img], [role=group], button, input, select, section[role=tabpanel]')]
        .filter((node) => !node.closest('.main-svg') && !(node.getAttribute('aria-label') || node.getAttribute('aria-labelledby')
            || node.textContent.trim() || node.labels?.length)).map((node) => node.outerHTML.slice(0, 90))"""
    )
    assert nameless == []


def test_empty_states_are_words(open_page, tmp_path):
    table = pa.table({"metric": ["still"] * 200, "timestamp": END - 60 * np.arange(200)[::-1], "value": [5.0] * 200})
    pq.write_table(table, tmp_path / "history.parquet")
    page = open_page(ridgeline.report(ridgeline.backtest(tmp_path / "history.parquet", tmp_path / "out")))
    for part in PARTS:
        page.click(f"#tab-{part}")
        if part != "metric":
            assert page.is_visible(f"#{part} .empty")
    page.click("#tab-metric")
    settle(page)
    assert page.text_content("#which") == "no incident"


def test_a_tuning_that_makes_no_sense_spoils_its_own_part_alone(open_page, report, tmp_path):
    folder = shutil.copytree(report.parent, tmp_path / "out")
    (folder / "tune.json").write_text('{"frontier": [1], "today": {"setting": {"m_of_n": 7}}, "chosen": 5}')
    page = open_page(ridgeline.report(folder), part="#part=tuning")
    assert "cannot be drawn" in page.text_content("#tuning .empty")
    page.click("#tab-fleet")
    page.wait_for_selector("#fleet .plot .main-svg")


def test_two_million_steps_open_soon_and_fit(open_page, tmp_path):
    fleet = build_fleet(200, points=10_000, end=END, incidents=100, seed=2, scattered=True)
    pq.write_table(fleet.table(), tmp_path / "history.parquet")
    result = ridgeline.backtest(tmp_path / "history.parquet", tmp_path / "out")
    path = ridgeline.report(result, fleet.labels())
    size = path.stat().st_size
    page = open_page(path)
    opened = int(page.evaluate("document.documentElement.dataset.ready"))
    page.click("#tab-metric")
    settle(page)
    print(
        f"\n200 metrics x 10,000 points: {size / 1e6:.1f} MB, drawn {opened / 1000:.2f} s after the page was asked for"
    )
    assert size < 30e6
    assert page.locator("#names [role=option]").count() == 200

"""The page of `ridgeline report`: what it holds is what is stored, whatever metrics are called; it is whole in itself."""

import json
import re
import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins.page import Page

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.events import score_events
from ridgeline.engine.evaluate.labels import Labels
from ridgeline.engine.page import chosen, subjects
from ridgeline.engine.page.blocks import Block
from ridgeline.engine.page.curves import THRESHOLDS, Sweep
from ridgeline.engine.page.gather import whole_metrics
from ridgeline.engine.page.heat import Spell, grid, grouped
from ridgeline.engine.page.library import plotting_script
from ridgeline.engine.page.packed import Packer
from ridgeline.io.text import escape

plotly = pytest.importorskip("plotly", reason="needs ridgeline[report], to write pages")

END = 1_700_000_000
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "a\u2028b\u202ec\x00d",
    "\"'&amp;`${1}",
    "<b>x</b><a href='https://evil.example/'>y</a>",
    "x" * 300,
)


@pytest.fixture(scope="module")
def fleet():
    return build_fleet(12, points=600, end=END, incidents=5, seed=3)


@pytest.fixture(scope="module")
def backtest(fleet, tmp_path_factory):
    """A backtest of which some metrics bear hostile names."""
    table = fleet.table()
    names = dict(zip(fleet.metrics, HOSTILE, strict=False))
    metric = [names.get(name, name) for name in table["metric"].to_pylist()]
    output = tmp_path_factory.mktemp("page") / "out"
    source = output.parent / "history.parquet"
    pq.write_table(table.set_column(0, "metric", pa.array(metric)), source, row_group_size=1000)
    (output.parent / "ridgeline.toml").write_text(
        '[source]\nkind = "parquet"\npath = "history.parquet"\n[[alert]]\nmatch = "."\nstrategy = "console"\nexpiration = 3600\n'
    )
    ridgeline.backtest(source, output, config=output.parent / "ridgeline.toml")
    return output


@pytest.fixture(scope="module")
def labels(fleet):
    """A window about each incident, under the names of the backtest, and one of a metric that has no scores."""
    names = dict(zip(fleet.metrics, HOSTILE, strict=False))
    windows = {names.get(one.metric, one.metric): [[one.start, one.end]] for one in fleet.incidents}
    return windows | {"nobody's": [[END - 60, END]]}


@pytest.fixture(scope="module")
def page(backtest, labels, tmp_path_factory):
    return Page(ridgeline.report(backtest, labels, output=tmp_path_factory.mktemp("made") / "page.html"))


@pytest.fixture
def copied(backtest, tmp_path):
    """A copy of the backtest, to change."""
    return shutil.copytree(backtest, tmp_path / "out")


def steps(folder):
    return pa.concat_tables([pq.read_table(path) for path in sorted((folder / "scores").glob("*.parquet"))])


def of_metric(table, name):
    return table.filter(pa.compute.equal(table["metric"], name))


def change(folder, edit):
    """Replace each file of scores by what `edit` makes of its table."""
    for path in (folder / "scores").glob("*.parquet"):
        pq.write_table(edit(pq.read_table(path)), path, store_schema=False)


def check_columns(found, rows, score="consensus_score"):
    values = rows["value"].to_numpy()
    assert found["timestamp"].tolist() == rows["timestamp"].to_pylist()
    assert np.abs(found["value"] - values).max() <= 1e-6 * (np.ptp(values) or 1.0)
    assert found["outcome"] == rows["outcome"].to_pylist()
    assert found["anomalous"].tolist() == [bool(one) for one in rows["anomalous"].to_pylist()]
    told = rows[score].fill_null(0).to_numpy().astype(float)
    assert ((found["score"] > 1) == (told > 1)).all()
    assert np.abs(found["score"] - np.clip(told, 0, 65)).max() <= 0.0011
    for name, votes in found["votes"].items():
        assert votes.tolist() == (rows[f"{name}_score"].fill_null(0).to_numpy() > 1).tolist()


def test_the_page_holds_the_stored_columns_of_every_metric(page, backtest):
    table = steps(backtest)
    names = set(table["metric"].to_pylist())
    assert sorted(page.names) == sorted(map(escape, names))
    for name in names:
        check_columns(page.metric(escape(name)), of_metric(table, name))
    assert len(next(iter(page.metric(page.names[0])["votes"]))) > 0


def test_its_counts_are_those_of_the_manifest(page, backtest):
    manifest = json.loads((backtest / "manifest.json").read_text())
    facts = page.summary["facts"]
    for key in ("metrics", "steps", "anomalous", "incidents", "pages"):
        assert facts[key] == manifest[key]
    assert sum(one["incident_count"] for one in page.summary["metrics"]) == manifest["incidents"]
    assert facts["first"] == min(steps(backtest)["timestamp"].to_pylist())


def test_agreement_is_counted_as_plain_loops_count_it(page, backtest):
    told, table = page.summary["agreement"], steps(backtest)
    fired = [[(row or 0) > 1 for row in table[f"{name}_score"].to_pylist()] for name in told["algorithms"]]
    each = list(zip(*fired, strict=True))
    for a, row in enumerate(told["together"]):
        assert row == [sum(step[a] and step[b] for step in each) for b in range(len(fired))]
        assert told["alone"][a] == sum(step[a] and sum(step) == 1 for step in each)
    assert told["by_votes"] == [sum(sum(step) == votes for step in each) for votes in range(len(fired) + 1)]
    assert sum(told["by_votes"][6:]) == told["anomalous"] > 0


def test_no_name_leaves_the_place_that_it_was_given(page):
    own = [attributes.get("id", "") for tag, attributes in page.elements if tag == "script"]
    assert own == ["summary", "library", *(f"columns-{place}" for place in range(12)), ""]
    assert "evil.example" not in re.sub(r"<script type.*?</script>", "", page.text, flags=re.DOTALL)
    assert "\u2028" not in page.text
    assert "<!--" not in page.scripts["summary"]
    assert {"a", "b"} & {tag for tag, attributes in page.elements if "evil" in str(attributes)} == set()


def test_a_hostile_folder_is_a_harmless_title(copied, tmp_path):
    folder = copied.rename(tmp_path / "<img src=x onerror=alert(1)>$summary")
    found = Page(ridgeline.report(folder))
    assert not [tag for tag, _ in found.elements if tag == "img"]
    assert found.text.count('id="summary"') == 1


def test_nothing_is_loaded_from_anywhere(page):
    for tag, attributes in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert not {"src", "srcset", "action", "ping", "background"} & attributes.keys()
        assert attributes.get("href", "#").startswith("#")
    style = page.text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert page.library().lstrip().startswith("/**\n* plotly.js")


def test_the_same_backtest_gives_the_same_page(backtest, labels, tmp_path):
    made = [ridgeline.report(backtest, labels, output=tmp_path / name).read_bytes() for name in ("a", "b")]
    assert made[0] == made[1]


def test_labels_are_shaded_and_judged_as_evaluate_judges_them(page, backtest, labels):
    curves = page.summary["curves"]
    today = next(point for point in curves["scores"]["consensus_score"] if point["threshold"] == 1)
    scored = ridgeline.evaluate(backtest, labels, metric="events", expiry=1)
    assert (today["alarms"], today["true_alarms"], today["found"]) == (scored.alarms, scored.true_alarms, scored.found)
    assert (today["precision"], today["recall"], today["f1"]) == (scored.precision, scored.recall, scored.f1)
    assert today["false_alarms_per_metric_week"] == pytest.approx(scored.false_alarms_per_metric_week)
    assert scored.found >= 4
    assert curves["without_scores"] == 1
    shown = {one["name"]: one["labels"] for one in page.summary["metrics"] if one["labels"]}
    assert shown == {escape(name): windows for name, windows in labels.items() if name != "nobody's"}


@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(0, 9, width=32) | st.just(float("nan")), max_size=30),
            st.lists(st.tuples(st.integers(-3, 33), st.integers(0, 8)), max_size=3),
        ),
        max_size=3,
    )
)
def test_the_sweep_is_evaluate_at_every_threshold(metrics):
    windows = {f"m{k}": [(a, a + b) for a, b in spans] for k, (_, spans) in enumerate(metrics) if spans}
    labels = Labels({name: tuple(sorted(spans)) for name, spans in {**windows, "other": [(0, 1)]}.items()})
    detections = [
        Detections(f"m{k}", np.arange(len(scores)), np.nan_to_num(np.array(scores, float)))
        for k, (scores, _) in enumerate(metrics)
    ]
    sweep = Sweep(labels)
    some = [(k, scores) for k, (scores, _) in enumerate(metrics) if scores]  # a block has no metric without rows
    stamps = np.concatenate([np.arange(len(scores)) for _, scores in some] or [np.empty(0, int)])
    bounds = np.cumsum([0, *(len(scores) for _, scores in some)])
    block = Block(tuple(f"m{k}" for k, _ in some), bounds, pa.table({"timestamp": stamps}))
    sweep.add(block, np.array([score for _, scores in some for score in scores], float))
    for point in sweep.as_json():
        scored = score_events(detections, labels, float(np.nextafter(point["threshold"], np.inf)))
        for key in ("alarms", "true_alarms", "found", "precision", "recall", "f1"):
            assert point[key] == pytest.approx(getattr(scored, key)), (key, point["threshold"])
    assert THRESHOLDS.count(1.0) == 1


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), min_size=1, max_size=4), max_size=5))
def test_a_metric_in_several_row_groups_is_put_together(groups):
    """Blocks of runs of names, as row groups cut them; neighbours of one name are one metric."""
    rows, given = [], []
    for group in groups:
        names = [name for name, length in group for _ in range(length)]
        table = pa.table({"row": range(len(rows), len(rows) + len(names))})
        edges = [k for k, name in enumerate(names) if k == 0 or names[k - 1] != name]
        given.append(Block(tuple(names[k] for k in edges), np.array([*edges, len(names)]), table))
        rows += names
    made = [
        (name, block.table["row"].to_pylist()[start:stop])
        for block in whole_metrics(given)
        for name, start, stop in zip(block.names, block.bounds, block.bounds[1:], strict=False)
    ]
    edges = [k for k, name in enumerate(rows) if k == 0 or rows[k - 1] != name]
    assert made == [(rows[k], list(range(k, end))) for k, end in zip(edges, [*edges, len(rows)][1:], strict=True)]


def test_one_metric_without_labels_and_without_an_incident(tmp_path):
    stamps = END - 60 * np.arange(300)[::-1]
    table = pa.table({"metric": ["still"] * 300, "timestamp": stamps, "value": [5.0] * 300})
    ridgeline.backtest(table_file(table, tmp_path), tmp_path / "out")
    found = Page(ridgeline.report(tmp_path / "out"))
    assert found.names == ["still"]
    assert found.summary["curves"] is None
    assert found.summary["tuning"] is None
    assert found.summary["heat"]["metrics"]["names"] == []
    assert found.metric("still")["value"].tolist() == [5.0] * 300


def table_file(table, folder):
    pq.write_table(table, folder / "history.parquet")
    return folder / "history.parquet"


def test_a_single_step_and_extreme_values(tmp_path):
    values = [0.0, 1.7e308, -1.7e308, 5e-324, 1e-300, 12.25]
    table = pa.table(
        {"metric": ["one"] + ["far"] * 6, "timestamp": [END, *range(END, END + 360, 60)], "value": [3.5, *values]}
    )
    ridgeline.backtest(table_file(table, tmp_path), tmp_path / "out")
    found = Page(ridgeline.report(tmp_path / "out"))
    assert found.metric("one")["value"].tolist() == [3.5]
    with np.errstate(over="ignore"):
        assert np.abs(found.metric("far")["value"] - values).max() <= 1e-6 * 1.7e308


def test_a_large_level_keeps_its_small_changes():
    packer = Packer()
    packer.values(1e15 + np.arange(8.0))
    (section,) = packer.layout
    parts = np.frombuffer(packer.parts[0], np.uint8).reshape(4, 8).T.copy().view("<f4").reshape(-1)
    assert np.allclose(
        section["base"] + section["scale"] * parts.astype(float), 1e15 + np.arange(8.0), atol=1e-5, rtol=0
    )


def test_what_a_rule_with_walks_stores_is_drawn(copied, tmp_path):
    def walked(table):
        rows = table.num_rows
        scores = table["consensus_score"].fill_null(0).to_numpy() * np.float32(1.25)
        channels = [["outage", "pattern"] if k % 5 == 0 else ["tail"] if k % 7 == 0 else [] for k in range(rows)]
        low = [None if k % 3 == 0 else float(k) for k in range(rows)]
        for name, column in {
            "rule_score": pa.array(scores),
            "channels": pa.array(channels, pa.list_(pa.string())),
            "expected_low": pa.array(low, pa.float32()),
            "expected_high": pa.array([None if one is None else one + 2 for one in low], pa.float32()),
        }.items():
            table = table.append_column(name, column)
        return table

    change(copied, walked)
    found, table = Page(ridgeline.report(copied)), steps(copied)
    assert found.summary["facts"]["score"] == "rule_score"
    for name in {*table["metric"].to_pylist()}:
        rows, told = of_metric(table, name), found.metric(escape(name))
        assert ((told["score"] > 1) == (rows["rule_score"].to_numpy() > 1)).all()
        spoken = rows["channels"].to_pylist()
        for channel in ("outage", "pattern", "tail"):
            assert told["channels"][channel].tolist() == [channel in here for here in spoken]
        for bound, key in zip(told["band"], ("expected_low", "expected_high"), strict=True):
            stored_ = np.array([np.nan if one is None else one for one in rows[key].to_pylist()])
            assert (np.isnan(bound) == np.isnan(stored_)).all()
            assert np.nanmax(np.abs(bound - stored_)) < 0.1


def test_a_backtest_by_the_rule_pages_is_drawn(tmp_path):
    """Its own columns, as a backtest writes them: a flat line that ends, long after what a walk has to learn."""
    stamps = np.arange(END - 9 * 86400, END, 300)
    values = np.random.default_rng(1).normal(100, 2, len(stamps))
    values[-40:] = 0
    table = pa.table({"metric": ["traffic"] * len(stamps), "timestamp": stamps, "value": values})
    config = tmp_path / "ridgeline.toml"
    config.write_text('[source]\nkind = "parquet"\npath = "history.parquet"\n[analysis]\nrule = "pages"\n')
    ridgeline.backtest(table_file(table, tmp_path), tmp_path / "out", config=config)
    found, rows = Page(ridgeline.report(tmp_path / "out")), steps(tmp_path / "out")
    told = found.metric("traffic")
    assert (found.summary["facts"]["rule"], found.summary["facts"]["score"]) == ("pages", "rule_score")
    assert "pages" not in found.summary["agreement"]["algorithms"]
    check_columns(told, rows, "rule_score")
    assert told["anomalous"].any()
    spoken = rows["channels"].to_pylist()
    assert {name for here in spoken for name in here} == told["channels"].keys()
    assert {name: told["channels"][name].tolist() for name in told["channels"]} == {
        name: [name in here for here in spoken] for name in told["channels"]
    }
    low = np.array([np.nan if one is None else one for one in rows["expected_low"].to_pylist()])
    assert (np.isnan(told["band"][0]) == np.isnan(low)).all()


def test_who_is_paged_is_what_the_policy_came_to(page, backtest):
    pages = pq.read_table(backtest / "pages.parquet")
    manifest = json.loads((backtest / "manifest.json").read_text())
    paging = page.summary["paging"]
    assert (paging["pages"], paging["messages"]) == (pages.num_rows, manifest["messages"])
    assert paging["pages"] == sum(count for _, count in paging["days"]) > 0
    for name, count, place in paging["metrics"]:
        assert page.names[place] == name
        told = page.metric(name)["pages"].tolist()
        assert len(told) == count
        assert set(told) <= set(page.metric(name)["timestamp"].tolist())
    for name in {*pages["metric"].to_pylist()}:
        assert page.metric(escape(name))["pages"].tolist() == sorted(of_metric(pages, name)["timestamp"].to_pylist())


def test_a_tuning_is_shown_as_it_is_stored(copied):
    tuned = {
        "frontier": [{"pages_per_day": 1.0, "recall": 0.5, "setting": {"rule": "</script>"}}],
        "recommended": False,
    }
    (copied / "tune.json").write_text(json.dumps(tuned | {"optimism": float("nan")}))
    found = Page(ridgeline.report(copied))
    assert found.summary["tuning"] == tuned | {"optimism": None}
    assert "</script>" not in found.scripts["summary"]


def test_names_that_look_alike_stay_apart(tmp_path):
    """One has a reversing character, the other its escape written out."""
    names = ["cpu\u202e", "cpu\\u202e"]
    stamps = list(range(END - 59 * 300, END + 1, 60))
    values = [np.random.default_rng(1).normal(5, 1, len(stamps)), np.random.default_rng(2).normal(7, 1, len(stamps))]
    values[1][-4:] += 60
    table = pa.table(
        {
            "metric": [name for name in names for _ in stamps],
            "timestamp": stamps * 2,
            "value": np.concatenate(values),
        }
    )
    ridgeline.backtest(table_file(table, tmp_path), tmp_path / "out")
    found = Page(ridgeline.report(tmp_path / "out"))
    assert found.names == [escape(names[1]), escape(names[0])]
    assert found.names[0] == found.names[1]
    assert [one["incident_count"] for one in found.summary["metrics"]] == [1, 0]
    assert found.summary["heat"]["metrics"]["places"] == [0]


def test_windows_without_an_end_are_cut_to_what_is_drawn(backtest, fleet, tmp_path):
    name = fleet.metrics[-1]
    page = Page(
        ridgeline.report(backtest, {name: [[None, END - 600], [END + 10, None]]}, output=tmp_path / "page.html")
    )
    (one,) = [one for one in page.summary["metrics"] if one["name"] == name]
    assert one["labels"] == [[END - 599 * 60, END - 600]]


def test_only_so_many_metrics_are_held_the_telling_ones_first(backtest, labels, tmp_path, monkeypatch):
    few = Page(ridgeline.report(backtest, labels, output=tmp_path / "few.html", metrics=6))
    assert len(few.names) == 6
    assert {escape(name) for name in labels} - {"nobody's"} <= set(few.names)
    assert few.summary["facts"]["metrics"] == 12
    assert chosen.choose({"a": 5, "b": 5, "c": 5}, {"c": 2}, frozenset("b"), 2) == ["c", "b"]
    monkeypatch.setattr(chosen, "POINTS", 1500)
    assert len(Page(ridgeline.report(backtest, output=tmp_path / "small.html")).names) == 2


def test_of_a_very_long_metric_the_newest_steps_are_held(backtest, tmp_path, monkeypatch):
    monkeypatch.setattr(subjects, "POINTS", 250)
    found = Page(ridgeline.report(backtest, output=tmp_path / "page.html", metrics=1))
    (facts,) = found.summary["metrics"]
    assert facts["left_out"] == 350
    assert found.metric(facts["name"])["timestamp"].tolist() == list(range(END - 249 * 60, END + 1, 60))


def test_two_million_steps_fit_into_thirty_megabytes(page, backtest):
    """Noise of every kind, bounds that are stored: what a step takes, times what a page must be able to hold."""
    random = np.random.default_rng(1)
    packer = Packer()
    packer.add("delta", np.full(20_000, 60, np.uint32))
    packer.values(random.normal(1e6, 1e3, 20_000))
    packer.score(random.exponential(0.4, 20_000))
    packer.add("outcome", np.zeros(20_000, np.uint8))
    packer.bits("votes", random.random((20_000, 9)) < 0.02, [str(k) for k in range(9)])
    packer.bounds(*np.cumsum(random.normal(0, 1, (2, 20_000)), axis=1))
    library = len(page.scripts["library"])
    assert len(packer.text()) * 100 + library < 30e6


def test_the_heat_of_incidents_is_counted_as_plain_loops_count_it():
    random = np.random.default_rng(5)
    starts = random.integers(END, END + 90 * 86400, 60).tolist()
    spells = [Spell(f"a.{k % 7}.x", at, at + int(random.integers(0, 5 * 86400))) for k, at in enumerate(starts)]
    groups = grouped({spell.metric for spell in spells} | {"b.0.x"})
    told = grid(spells, groups, END, END + 90 * 86400)
    assert groups["a.1.x"] == "a"
    for kind, name_of in (("metrics", lambda spell: spell.metric), ("groups", lambda spell: groups[spell.metric])):
        for name, counts in zip(told[kind]["names"], told[kind]["counts"], strict=True):
            for column, counted in enumerate(counts):
                begin = told["start"] + column * told["width"]
                last = column == told["columns"] - 1
                here = [
                    spell
                    for spell in spells
                    if name_of(spell) == name and spell.end >= begin and (last or spell.start < begin + told["width"])
                ]
                assert counted == len(
                    here if not last else [s for s in here if s.start < begin + told["width"] or last]
                )
    assert told["columns"] <= 120


def sentence(capsys, *arguments):
    code = main(["report", *map(str, arguments)])
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.strip().splitlines()) == 1
    return code, told.err


def test_the_command_says_what_it_wrote(copied, capsys):
    assert main(["report", str(copied)]) == 0
    assert "report.html" in capsys.readouterr().out
    assert (copied / "report.html").is_file()
    assert main(["report", str(copied), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_what_cannot_be_reported_is_one_sentence(copied, tmp_path, capsys, monkeypatch):
    assert sentence(capsys, tmp_path)[0] == 2
    (copied / "tune.json").write_text("[1")
    assert "tune.json" in sentence(capsys, copied)[1]
    (copied / "tune.json").unlink()
    assert sentence(capsys, copied, "--labels", tmp_path / "none.csv")[0] == 2
    assert sentence(capsys, copied, "--output", tmp_path / "no" / "page.html")[0] == 74
    (tmp_path / "there").mkdir()
    assert sentence(capsys, copied, "--output", tmp_path / "there")[0] == 2
    plotting_script.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    code, told = sentence(capsys, copied)
    assert (code, "pip install 'ridgeline[report]'" in told) == (2, True)
    assert not (copied / "report.html").exists()


def test_the_page_replaces_nothing_that_it_is_made_of(copied, tmp_path, capsys):
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"m": []}))
    for target in (
        "manifest.json",
        "anomalies.parquet",
        "pages.parquet",
        "scores/part-00000.parquet",
        "scores/new.html",
    ):
        before = (copied / target).read_bytes() if (copied / target).exists() else None
        assert sentence(capsys, copied, "--output", copied / target)[0] == 2
        assert ((copied / target).read_bytes() if (copied / target).exists() else None) == before
    assert sentence(capsys, copied, "--labels", labels, "--output", labels)[0] == 2
    assert "no window" in sentence(capsys, copied, "--labels", labels)[1]


def test_files_of_another_kind_are_named(copied, capsys):
    (copied / "manifest.json").write_text("{}")
    assert "manifest.json" in sentence(capsys, copied)[1]


def test_scores_of_another_kind_are_named(copied, capsys):
    change(copied, lambda table: table.drop_columns(["outcome"]))
    code, told = sentence(capsys, copied)
    assert (code, "part-00000.parquet lacks outcome" in told) == (2, True)


def test_a_backtest_without_scores_is_one_sentence(copied, capsys):
    shutil.rmtree(copied / "scores")
    code, told = sentence(capsys, copied)
    assert code == 2
    assert "--no-scores" in told


@pytest.mark.parametrize("name", ["manifest.json", "anomalies.parquet", "pages.parquet", "scores/part-00000.parquet"])
def test_a_damaged_file_is_named_and_no_page_is_left(copied, capsys, name):
    (copied / name).write_bytes((copied / name).read_bytes()[:-30])
    code, told = sentence(capsys, copied)
    assert code == 2
    assert name in told
    assert not list(copied.glob("*.html"))

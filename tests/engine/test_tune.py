"""Tuning: every count against plain loops and `evaluate`, the protocol, and what it refuses."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from twins.tuning import alerted, detections, steps_of

import ridgeline
import ridgeline.engine.tune.setting as setting_
from ridgeline.engine.backtest.manifest import checksum
from ridgeline.engine.evaluate.events import score_events
from ridgeline.engine.evaluate.labels import Labels
from ridgeline.engine.evaluate.nab import score_corpus
from ridgeline.engine.rules.overrides import Override
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.engine.tune.configured import Configured
from ridgeline.engine.tune.history import History
from ridgeline.engine.tune.lots import MOST, halves, lots_of
from ridgeline.engine.tune.measures import known_of, measures
from ridgeline.engine.tune.nested import Aim
from ridgeline.engine.tune.paged import page, page_today
from ridgeline.engine.tune.ranks import Ranks
from ridgeline.engine.tune.setting import Column, Setting, grid_of
from ridgeline.engine.tune.sweep import Bench, View, clock, sweep, today
from ridgeline.engine.tune.toml import text, tuned
from ridgeline.engine.tune.tuning import Tuning, own_of
from ridgeline.io.errors import InputError

T0 = 1_700_000_000 // 300 * 300
STEP = 300
POINTS = 600  # two days
METRICS = tuple(f"{service}.m{at}" for service in ("api", "db", "web", "queue") for at in range(3))


ALERTS = """
[source]
kind = "redis"
url = "redis://127.0.0.1:6379/0"
[analysis]
consensus = 4
m_of_n = [1, 2]
[[override]]
match = "db."
m_of_n = [2, 3]
[[alert]]
match = "api."
strategy = "console|syslog"
expiration = "30m"
[[alert]]
match = "web."
strategy = "console"
expiration = "2h"
m_of_n = [3, 4]
[[alert]]
match = "db."
strategy = "syslog"
"""


def history(seed=3):
    """Noise with bursts, most of which are labelled; some labels overlap, one is before anything is judged."""
    generator = np.random.default_rng(seed)
    rows, windows = [], {}
    stamps = T0 + STEP * np.arange(POINTS)
    for metric in METRICS:
        values = generator.normal(100.0, 1.0, POINTS)
        for _ in range(4):
            at = int(generator.integers(120, POINTS - 20))
            values[at : at + int(generator.integers(1, 8))] += generator.choice([4.0, 8.0, 30.0])
            if generator.random() < 0.7:
                windows.setdefault(metric, []).append((int(stamps[at - 3]), int(stamps[at + 9])))
        rows.append(pa.table({"metric": [metric] * POINTS, "timestamp": stamps, "value": values}))
    first = windows[METRICS[0]][0]
    windows[METRICS[0]] += [(first[0] + 300, first[1] + 900), (int(stamps[2]), int(stamps[5]))]
    return pa.concat_tables(rows), Labels({metric: tuple(sorted(some)) for metric, some in windows.items()})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tune")
    table, labels = history()
    pq.write_table(table, folder / "history.parquet")
    ridgeline.backtest(folder / "history.parquet", folder / "out", threads=1)
    return folder, labels


@pytest.fixture
def out(made, tmp_path):
    """A backtest's folder of one's own."""
    shutil.copytree(made[0] / "out", tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """A grid of a few hundred settings: what is asked here does not depend on how many there are."""
    monkeypatch.setattr(setting_, "CUTOFFS", (0.7, 1.5))
    monkeypatch.setattr(setting_, "EXPIRATIONS", (3600, 8 * 3600))
    monkeypatch.setattr(setting_, "THRESHOLDS", setting_.THRESHOLDS[::4])
    monkeypatch.setattr(setting_, "CUTOFF_THRESHOLDS", (1.0,))


def swept(folder, labels):
    view = View(opened := History.open(folder), Configured.of(opened))
    metrics, span = opened.metrics()
    lots = lots_of(metrics, labels.windows, span, 0)
    bench = Bench(labels.windows, lots, 1)
    grid = grid_of([(opened.algorithms, opened.walks)], own_of(view))
    return view, bench, grid, sweep([view], grid, bench, lambda _: None), known_of(opened, labels.windows, lots)


def tuning(folders, labels, **changes):
    asked = {
        "folders": [Path(folder) for folder in folders],
        "labels": labels,
        "aim": Aim("events"),
        "folds": 20,
        "seed": 1,
        "purpose": "run",
        "threads": 1,
        "say": lambda _: None,
    } | changes
    return Tuning(**asked).run()


def test_every_count_is_that_of_plain_loops(made):
    folder, labels = made
    _, bench, grid, tallies, known = swept(folder / "out", labels)
    names = algorithm_names()
    stored = steps_of(folder / "out", [f"{name}_score" for name in names])
    whole = measures(tallies, known, np.ones((1, len(bench.lots)), bool))
    generator = np.random.default_rng(0)
    kinds = generator.choice(len(grid), 40, replace=False)
    for at in [*kinds, len(grid) - 1]:
        setting = grid[int(at)]
        found = detections(folder / "out", setting, names)
        scored = score_events(found, labels, 0.5)
        assert whole.pages[at, 0] == sum(one.scores.sum() for one in found), setting
        assert whole.precision[at, 0] == pytest.approx(scored.precision or 0.0), setting
        assert whole.recall[at, 0] == pytest.approx(scored.recall or 0.0), setting
        assert whole.f1[at, 0] == pytest.approx(scored.f1 or 0.0), setting
        rate = scored.false_alarms_per_metric_week
        assert whole.false_alarms_per_metric_week[at, 0] == pytest.approx(rate), setting
        assert whole.nab[at, 0] == pytest.approx(score_corpus(found, labels, 0.5)["standard"].score), setting
    assert sum(alerted(stored[METRICS[0]], grid[0], names)) > 0


def test_the_lots_of_a_half_come_to_what_their_metrics_alone_do(made):
    folder, labels = made
    _, bench, grid, tallies, known = swept(folder / "out", labels)
    mask = halves(bench.lots.together, known.labelled, 1, 5)
    assert 0 < mask.sum() < len(bench.lots)
    half = measures(tallies, known, mask)
    inside = {metric for metric, lot in bench.lots.first.items() if mask[0, lot]}
    assert {metric.split(".")[0] for metric in inside}.isdisjoint(
        {metric.split(".")[0] for metric in set(METRICS) - inside}
    )
    own = Labels({metric: some for metric, some in labels.windows.items() if metric in inside})
    for at in range(0, len(grid), len(grid) // 7):
        found = [one for one in detections(folder / "out", grid[at], algorithm_names()) if one.metric in inside]
        assert half.f1[at, 0] == pytest.approx(score_events(found, own, 0.5).f1 or 0.0)
        assert half.nab[at, 0] == pytest.approx(score_corpus(found, own, 0.5)["standard"].score)


def test_today_is_what_evaluate_says_of_the_backtest(made, tmp_path):
    folder, labels = made
    overrides = [{"match": "db.", "consensus": 4}, {"match": "web.m1", "algorithms": ["grubbs"], "consensus": 1}]
    result = ridgeline.backtest(folder / "history.parquet", tmp_path / "out", overrides=overrides, threads=1)
    view, bench, _, _, known = swept(tmp_path / "out", labels)
    found = measures(today(view, bench)[None], known, np.ones((1, len(bench.lots)), bool))
    scored = ridgeline.evaluate(result, dict(labels.windows), metric="events", expiry="1h")
    assert (found.precision[0, 0], found.recall[0, 0]) == pytest.approx((scored.precision, scored.recall))
    assert found.pages[0, 0] == page_today(view).pages > 0


def test_ranks_are_the_stored_graded_score(made, tmp_path):
    folder, _ = made
    overrides = [{"match": "db.", "algorithms": ["grubbs", "least_squares"], "consensus": 2}]
    ridgeline.backtest(folder / "history.parquet", tmp_path / "out", overrides=overrides, consensus=3, threads=1)
    opened = History.open(tmp_path / "out")
    for piece, table in zip(opened.pieces(), map(pq.read_table, opened.parts), strict=True):
        ranks = Ranks(piece, opened.algorithms, Configured.of(opened).policies(list(piece.metrics))).plain()
        stored = table["consensus_score"].to_numpy()
        analysed = ~np.isnan(stored)
        np.testing.assert_array_equal(ranks[2, analysed], stored[analysed])


def test_pages_of_the_sweep_are_those_of_delivery(made, tmp_path):
    """A schedule aside, which the sweep does not know: rules, expirations, m of n, several strategies."""
    folder, labels = made
    (tmp_path / "c.toml").write_text(ALERTS)
    result = ridgeline.backtest(folder / "history.parquet", tmp_path / "out", config=tmp_path / "c.toml", threads=1)
    view, bench, grid, tallies, known = swept(tmp_path / "out", labels)
    everything = np.ones((1, len(bench.lots)), bool)
    assert measures(today(view, bench)[None], known, everything).pages[0, 0] == result.manifest["pages"] > 0
    whole = measures(tallies, known, everything)
    generator = np.random.default_rng(4)
    for at in generator.choice(len(grid), 12, replace=False):
        assert whole.pages[at, 0] == page(view, grid[int(at)], {}, bench.lots).pages, grid[int(at)]


def test_rules_with_walks_count_the_steps_that_they_judge(made, out):
    """A stored rule judges steps that the nine do not, and none while it learns."""
    _, labels = made
    part = next((out / "scores").glob("*.parquet"))
    table = pq.read_table(part)
    generator = np.random.default_rng(2)
    score = generator.gamma(0.5, 0.6, table.num_rows).astype(np.float32)
    stored = pa.array(score, mask=generator.random(table.num_rows) < 0.2)
    pq.write_table(table.append_column("pages_score", stored), part)
    seal(out, part)
    view, bench, grid, tallies, known = swept(out, labels)
    assert view.history.walks == ("pages",)
    whole = measures(tallies, known, np.ones((1, len(bench.lots)), bool))
    here = grid.of_column(Column(0, "pages"))
    for at in generator.choice(np.arange(here.start, here.stop), 10, replace=False):
        found = detections(out, grid[int(at)], algorithm_names())
        assert whole.pages[at, 0] == sum(one.scores.sum() for one in found)
        assert whole.f1[at, 0] == pytest.approx(score_events(found, labels, 0.5).f1 or 0.0)
        assert whole.pages[at, 0] == page(view, grid[int(at)], {}, bench.lots).pages


def seal(out, part):
    """Have the manifest tell of a part as it is now."""
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["checksums"][f"scores/{part.name}"] = checksum(part)
    (out / "manifest.json").write_text(json.dumps(manifest))


def test_a_clock_finds_what_chance_finds(made):
    folder, labels = made
    view, bench, _, _, _ = swept(folder / "out", labels)
    pages = clock(view, bench, 24 * 3600)[:, 0].sum()
    assert pages == 3 * len(METRICS)  # at the first step, and a day and two days later


def test_noise_is_not_recommended(made):
    folder, labels = made
    generator = np.random.default_rng(1)
    shuffled = {
        metric: tuple(
            sorted((start, start + 3600) for start in (T0 + STEP * generator.integers(130, POINTS, 3)).tolist())
        )
        for metric in labels.windows
    }
    found = tuning([folder / "out"], Labels(shuffled))
    assert not found.recommended
    assert found.nested.optimism > 0.05  # it looked better where it was picked
    assert "settings of today" in found.toml()


def test_a_real_gain_is_recommended_and_told_as_it_was_held_out(made):
    folder, labels = made
    found = tuning([folder / "out"], labels)
    assert found.recommended
    assert found.folds == 20
    assert np.percentile(found.gain, 10) > 0
    assert found.chosen["f1"] > found.today["f1"]
    told = found.as_json()
    assert told["held_out"]["mean"] == pytest.approx(np.mean([one["held_out"] for one in told["held_out"]["each"]]))
    assert told["optimism"] == pytest.approx(told["held_out"]["trained"] - told["held_out"]["mean"])


def test_the_same_seed_finds_the_same_on_any_number_of_threads(made):
    folder, labels = made
    one, two = (tuning([folder / "out"], labels, threads=n).as_json() for n in (1, 3))
    one.pop("seconds")
    two.pop("seconds")
    assert json.dumps(one) == json.dumps(two)


def test_budgets_are_kept_where_things_are_picked(made):
    folder, labels = made
    free = tuning([folder / "out"], labels)
    some = tuning([folder / "out"], labels, aim=Aim("events", max_pages=free.chosen["pages_per_day"] / 2))
    assert some.chosen["pages_per_day"] <= free.chosen["pages_per_day"] / 2
    assert 0 < some.chosen["recall"] <= free.chosen["recall"]
    none = tuning([folder / "out"], labels, aim=Aim("events", max_false_alarms=1e-9))
    assert none.chosen["false_alarms_per_metric_week"] == 0.0


def test_without_labels_the_threshold_is_raised_as_far_as_the_budget_asks(made):
    folder, _ = made
    today_pages = tuning([folder / "out"], None, aim=Aim("pages", max_pages=1e9)).today["pages_per_day"]
    found = tuning([folder / "out"], None, aim=Aim("pages", max_pages=today_pages / 2))
    assert found.chosen["pages_per_day"] <= today_pages / 2
    assert found.setting.column == found.own.column
    assert found.setting.threshold > found.own.threshold
    assert found.as_json()["chosen"]["recall"] is None
    calm = tuning([folder / "out"], None, aim=Aim("pages", max_pages=today_pages * 2))
    assert not calm.recommended


def test_a_single_metric_is_dealt_by_time(made, tmp_path):
    folder, labels = made
    table = pq.read_table(folder / "history.parquet", filters=[("metric", "=", METRICS[0])])
    pq.write_table(table, tmp_path / "one.parquet")
    ridgeline.backtest(tmp_path / "one.parquet", tmp_path / "out", threads=1)
    found = tuning([tmp_path / "out"], Labels({METRICS[0]: labels.windows[METRICS[0]]}))
    assert found.lots.kind == "time"
    assert found.folds == 20
    scored = score_events(
        detections(tmp_path / "out", found.setting, algorithm_names()),
        Labels({METRICS[0]: labels.windows[METRICS[0]]}),
        0.5,
    )
    assert found.chosen["f1"] == pytest.approx(scored.f1)


def test_blocks_of_time_never_cut_a_window():
    windows = {"a": [(150, 260), (290, 310)], "b": [(395, 405)]}
    lots = lots_of(["a", "b"], windows, (0, 1000), 0)
    for some in windows.values():
        for start, end in some:
            assert not ((lots.edges > start) & (lots.edges <= end)).any()
    assert lots.of("b", np.array([0, 1000])).tolist() == [len(lots.edges) + 1, 2 * len(lots.edges) + 1]


@pytest.mark.parametrize("prefixes", [2, 6, 400])
def test_every_metric_has_a_lot_and_prefixes_stay_whole(prefixes):
    metrics = [f"p{at % prefixes}.m{at}" for at in range(1000)]
    windows = {metric: [(0, 1)] for metric in metrics[:50]}
    lots = lots_of(metrics, windows, (0, 10), 0)
    assert set(lots.first) == set(metrics)
    assert set(lots.first.values()) == set(range(len(lots)))
    assert len(lots) <= 2 * MOST
    assert lots.kind == ("metric" if prefixes == 2 else "prefix")
    mask = halves(lots.together, None, 1, 3)[0]
    if prefixes > 2:
        sides = {}
        for metric, lot in lots.first.items():
            sides.setdefault(metric.split(".")[0], set()).add(bool(mask[lot]))
        assert all(len(found) == 1 for found in sides.values())


def test_windows_are_chosen_between_and_must_be_of_the_same_steps(made, tmp_path):
    folder, labels = made
    ridgeline.backtest(folder / "history.parquet", tmp_path / "short", window="10h", threads=1)
    found = tuning([tmp_path / "short", folder / "out"], labels)
    assert {point["setting"]["backtest"] for point in found.frontier} <= {0, 1}
    assert found.settings == 2 * (tuning([folder / "out"], labels).settings - 9) + 9
    ridgeline.backtest(folder / "history.parquet", tmp_path / "part", start=T0 + 3600, threads=1)
    with pytest.raises(InputError, match="not of the same steps"):
        tuning([folder / "out", tmp_path / "part"], labels)


def test_what_is_tuned_leaves_overrides_and_all_else_stays():
    parts = _parts()
    configured = Configured(*parts)
    setting = Setting(Column(0, "consensus", 3, ("grubbs", 1.5)), 1.2, (2, 3), 7200)
    found = tuned(configured, setting, {"api": Setting(Column(0, "consensus", 2), 0.9, (2, 3), 7200)})
    assert (found.analysis.consensus, found.analysis.rule_threshold, found.analysis.m_of_n) == (3, 1.2, (2, 3))
    assert dict(found.analysis.cutoffs) == {"grubbs": 1.8}
    assert [one.match for one in found.overrides] == ["few", "slow", "^api\\."]
    assert found.overrides[0].consensus == 2  # all of its algorithms
    assert found.overrides[1].full_duration == 7 * 86400
    assert found.overrides[2].rule_threshold == 0.9
    assert {row.expiration for row in found.alerts} == {7200}
    assert parts[2][1].consensus == 8  # what was given is untouched
    assert 'strategy = "console"' in text(found, [])


def _parts():
    from ridgeline.engine.alerts.delivery import Delivery
    from ridgeline.engine.alerts.rule import AlertRow
    from ridgeline.engine.prepare.plan import UNPREPARED
    from ridgeline.engine.rules.analysis import Analysis
    from ridgeline.engine.rules.policy import Policy

    overrides = (
        Override("few", algorithms=("grubbs", "ks_test"), consensus=1),
        Override("loud", consensus=8),
        Override("slow", full_duration=7 * 86400, rule_threshold=2.0),
    )
    alerts = (AlertRow("db.", ("http",), 60, ("a@example.com",)), AlertRow(".", ("console",), m_of_n=(1, 2)))
    cutoffs = (("grubbs", 1.2),)
    return Analysis(cutoffs=cutoffs), Policy(cutoffs=cutoffs), overrides, alerts, UNPREPARED, {}, Delivery()


class TestRefusals:
    def test_a_folder_without_scores(self, made, tmp_path):
        ridgeline.backtest(made[0] / "history.parquet", tmp_path / "out", keep_scores=False, threads=1)
        with pytest.raises(InputError, match="--no-scores"):
            tuning([tmp_path / "out"], made[1])

    def test_no_backtest_at_all(self, made, tmp_path):
        with pytest.raises(InputError, match="no backtest's folder"):
            tuning([tmp_path], made[1])

    def test_an_unfinished_backtest(self, made, out):
        (out / "manifest.json").unlink()
        (out / ".parts").mkdir()
        with pytest.raises(InputError, match="--resume"):
            tuning([out], made[1])

    @pytest.mark.parametrize("content", [b"{", b"[]", b'{"configuration": {}}', b"\xff"])
    def test_a_manifest_that_is_none(self, made, out, content):
        (out / "manifest.json").write_bytes(content)
        with pytest.raises(InputError, match="damaged, or of another version"):
            tuning([out], made[1])

    def test_a_configuration_of_another_version(self, made, out):
        manifest = json.loads((out / "manifest.json").read_text())
        manifest["configuration"]["policy"]["from_the_future"] = 1
        (out / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(InputError, match="another version"):
            tuning([out], made[1])

    def test_scores_that_are_damaged_or_gone(self, made, out):
        part = next((out / "scores").glob("*.parquet"))
        whole = part.read_bytes()
        part.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match="is damaged"):
            tuning([out], made[1])
        part.write_bytes(whole[:2000] + bytes(4000) + whole[6000:])
        with pytest.raises(InputError, match="is damaged"):
            tuning([out], made[1])
        part.unlink()
        with pytest.raises(InputError, match="is gone"):
            tuning([out], made[1])

    def test_scores_that_are_all_null(self, made, out):
        part = next((out / "scores").glob("*.parquet"))
        table = pq.read_table(part)
        for at, name in enumerate(table.column_names):
            if name not in {"metric", "timestamp", "value", "outcome"}:
                table = table.set_column(at, name, pa.nulls(table.num_rows, table.schema.field(name).type))
        pq.write_table(table, part)
        seal(out, part)
        with pytest.raises(InputError, match=r"no step of .* has a score"):
            tuning([out], made[1])

    def test_labels_outside_the_data(self, made):
        early = Labels({METRICS[0]: ((T0 - 7200, T0 - 3600),)})
        with pytest.raises(InputError, match="no labelled window holds a step"):
            tuning([made[0] / "out"], early)
        with pytest.raises(InputError, match="no window at all"):
            tuning([made[0] / "out"], Labels({METRICS[0]: ()}))

    def test_labels_of_unknown_metrics_are_said_and_missed(self, made):
        folder, labels = made
        said = []
        more = Labels({**labels.windows, "nobody.knows": ((T0, T0 + 60),) * 5})
        found = tuning([folder / "out"], more, say=said.append)
        assert said == ["1 labelled metrics have no scores, their windows count as missed: 'nobody.knows'"]
        scored = score_events(detections(folder / "out", found.setting, algorithm_names()), more, 0.5)
        assert found.chosen["recall"] == pytest.approx(scored.recall)

    def test_one_label_can_be_in_one_half_only(self, made):
        folder, labels = made
        found = tuning([folder / "out"], Labels({METRICS[0]: labels.windows[METRICS[0]][-1:]}))
        assert found.folds == 0
        assert not found.recommended
        assert found.as_json()["held_out"] is None

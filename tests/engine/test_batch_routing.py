"""Which metrics go into `batch`'s queue, and whose watermarks a run keeps itself."""

import ast

import numpy as np
import pyarrow as pa
import pytest
from rigs.ledger import Books
from rigs.parts import Source, matrix, verdicts

from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.run.handoffs.routing import ALIVE, KNOWN, KNOWN_BEFORE, QUEUE, WATERMARKS, Routing, route
from ridgeline.engine.run.scan import Scan
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.entries import Entries
from ridgeline.io.shard import Share

SCORER = Scorer.of(Analysis())
PLAN = SCORER.plan
STAMP = 1_700_000_000  # the newest, and only, point of `rigs.parts.matrix`


class Turning:
    def __init__(self, *, of_the_fleet=True):
        self.entries, self.of_the_fleet, self.share = Entries(), of_the_fleet, Share()
        self.handoffs = type("HandOffs", (), {"counts": {"batch": 0}})


def routed(watermarks, names, *, alive=True):
    routing = Routing("metrics.", PLAN, watermarks, alive=alive)
    return routing, [names[row] for row in routing.divert(matrix(names))[0]]


@pytest.mark.parametrize(
    ("mark", "diverted", "queued"),
    [
        (None, False, False),  # never judged: a run is the first to do it
        (STAMP - 60, True, True),
        (STAMP, True, False),  # nothing new
        (STAMP + 60, False, False),  # a watermark ahead of the data is wrong
    ],
)
def test_a_metric_goes_to_batch_if_it_is_known_how_far_it_was_judged(mark, diverted, queued):
    routing, found = routed({"batch.x": mark}, ["a", "batch.x", "z"])
    assert found == (["batch.x"] if diverted else [])
    assert routing.queue == ([f"['metrics.batch.x', {mark}, None]"] if queued else [])
    assert all(ast.literal_eval(member) for member in routing.queue)


def test_without_batch_alive_a_run_judges_everything():
    assert routed({"batch.x": STAMP - 60}, ["batch.x"], alive=False)[1] == []


def test_rows_without_points_stay():
    empty = MetricMatrix.from_columns(pa.array(["batch.x"]), np.zeros(2, np.int64), np.empty(0, np.int64), np.empty(0))
    assert Routing("metrics.", PLAN, {"batch.x": 1}, alive=True).divert(empty) == ([], None)


def test_watermarks_come_from_the_hash_and_else_from_the_older_keys():
    books = Books({ALIVE: "1", WATERMARKS: {"jobs.a": "5.0", "jobs.b": "garbage"}, "last_timestamp.jobs.c": "7"})
    routing = route(("jobs.",), ["cpu", "jobs.a", "jobs.b", "jobs.c", "jobs.d"], "metrics.", PLAN, books)
    assert routing.watermarks == {"jobs.a": 5, "jobs.b": None, "jobs.c": 7, "jobs.d": None}
    assert (routing.alive, books.turns) == (True, 2)
    assert route(("none",), ["cpu"], "metrics.", PLAN, books).watermarks == {}
    assert not route(("jobs.",), ["jobs.a"], "metrics.", PLAN, Books()).alive


def test_how_far_a_run_judged_is_kept_for_all_but_what_it_skipped():
    routing = Routing("metrics.", PLAN, dict.fromkeys(("a", "b", "c"), None) | {"d": STAMP}, alive=True)
    routing.take(
        None,
        verdicts(
            [
                ("a", "analysed", None, False, (True, False)),
                ("b", "skipped", "batch", None, None),
                ("c", "too_short", None, None, None),
                ("d", "boring", None, None, None),
                ("e", "analysed", None, False, (True, False)),
            ]
        ),
    )
    turn = Turning()
    routing.finish(turn)
    books = Books({KNOWN: {"old"}})
    books.write(turn.entries)
    assert books.keys[WATERMARKS] == {"a": str(STAMP), "c": str(STAMP)}
    assert (books.keys[KNOWN], books.keys[KNOWN_BEFORE]) == ({"a", "b", "c", "d"}, {"old"})


def test_a_run_that_looked_at_some_metrics_publishes_no_list_of_them():
    routing = Routing("metrics.", PLAN, {"a": 1}, alive=True, queue=["x"])
    turn = Turning(of_the_fleet=False)
    routing.finish(turn)
    books = Books({KNOWN: {"old"}})
    books.write(turn.entries)
    assert books.keys == {KNOWN: {"old"}, QUEUE: {"x"}}
    assert turn.handoffs.counts["batch"] == 1


class Keeper:
    wants_series = True
    wants_all = True

    def __init__(self):
        self.seen = {}

    def take(self, series, found):
        read = set() if series is None else set(series.cleaned.metrics.to_pylist())
        rows = zip(
            *(found.column(name).to_pylist() for name in ("metric", "outcome", "reason", "timestamp")), strict=True
        )
        self.seen |= {metric: (*rest, metric in read) for metric, *rest in rows}


@pytest.mark.parametrize("diverted", [[], ["a"], ["c"], ["b"], ["a", "c"], ["a", "b", "c"], ["e"]])
def test_the_scan_judges_the_others_and_tells_sinks_of_all(diverted):
    keeper, report = Keeper(), Report(PLAN.names)
    scan = Scan(Source([["a", "b", "c"], ["d", "e"]]), SCORER, report, [keeper], lambda: 9.0, lambda: 9.0)
    scan.divert = Routing("metrics.", PLAN, dict.fromkeys(diverted, STAMP), alive=True).divert
    scan.run()
    assert sorted(keeper.seen) == ["a", "b", "c", "d", "e"]
    assert {name for name, row in keeper.seen.items() if row[0] == "skipped"} == set(diverted)
    for name, (outcome, reason, stamp, read) in keeper.seen.items():
        assert (outcome, reason) == (("skipped", "batch") if name in diverted else ("too_short", None))
        assert (stamp, read) == (STAMP, name not in diverted)
    assert scan.rows == 5
    assert report.repairs == {"null": 2}

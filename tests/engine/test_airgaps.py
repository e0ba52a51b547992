"""Airgaps as sets of Redis hold them: exact texts, and members that come, stay, leave and are forgotten."""

import ast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.config.model import Config
from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.airgaps import Airgaps
from ridgeline.engine.run import airgaps
from ridgeline.engine.run.airgap_members import Airgap, changes, read_airgap
from ridgeline.engine.run.airgaps import AirgapSink
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix

NOW = 1_700_000_120
PERIOD = 6 * 3600
OLDEST = NOW - PERIOD

GAP = Airgap("app.airgap.filled", 60, 1_699_996_381, 1_699_997_039)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["it's", 'a "b"', 'it\'s "both"', "', 60, 1, 2, 0]", "[]", "a\nb", "\\", "é\u202e", "x, 1, 2, 3, 'y"]
)
gaps = st.builds(
    lambda metric, step, start, length: Airgap(metric, step, start, start + length),
    names | st.sampled_from("abc"),
    st.sampled_from([1, 60, 600]),
    st.integers(OLDEST - 3, OLDEST + 5),
    st.integers(0, 3),
)


# Texts ----------------------------------------------------------------------------------------------------------------


def test_the_text_is_skylines():
    assert GAP.text == "['app.airgap.filled', 60, 1699996381, 1699997039, 0]"


@given(gaps)
def test_a_text_is_read_again_by_us_and_by_python(gap):
    assert read_airgap(gap.text) == gap
    assert ast.literal_eval(gap.text) == [*gap, 0]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "['a', 60, 1, 2", "['a', 60, 1]", "['a', 6.5, 1, 2, 0]", "[a, 60, 1, 2, 0]", "['a', -60, 1, 2, 0]",
     "[b'a', 60, 1, 2, 0]", "['a' * 10**9, 60, 1, 2, 0]", "['\\x', 60, 1, 2, 0]", "[" * 10_000, f"['a', 60, 1, {'9' * 5000}, 0]",
     "['a'.b, 60, 1, 2, 0]", "['" + "(" * 5000 + "', 60, 1, 2, 0"],
)  # fmt: skip
def test_what_is_no_gap_is_none(text):
    assert read_airgap(text) is None


def test_another_mark_at_the_end_is_the_same_gap():
    for text in ("['a', 60, 1, 2, 1]", "['a', 60, 1, 2]", "['a', 60, 1, 2, 0, 1700000000]", '["a", 60, 1, 2, 0]'):
        assert read_airgap(text) == Airgap("a", 60, 1, 2)


# Membership -----------------------------------------------------------------------------------------------------------


def changed(found=(), known=(), filled=(), looked_at=()):
    given_ = changes(found, set(known), set(filled), OLDEST, lambda metrics: set(metrics) & set(looked_at))
    return sorted(given_.add), sorted(given_.remove), sorted(given_.forget)


def test_a_gap_is_added_once():
    assert changed([GAP]) == ([GAP.text], [], [])
    assert changed([GAP], [GAP.text], looked_at=[GAP.metric]) == ([], [], [])


def test_a_gap_that_was_filled_leaves():
    assert changed([], [GAP.text], looked_at=[GAP.metric]) == ([], [GAP.text], [])


def test_a_gap_of_a_series_that_could_not_be_looked_at_stays():
    assert changed([], [GAP.text], looked_at=["another"]) == ([], [], [])


def test_what_a_sibling_marked_as_filled_is_not_told_again():
    assert changed([GAP], filled=[GAP.text]) == ([], [], [])
    assert changed([GAP], filled=[GAP.text.replace(", 0]", ", 1]")]) == ([], [], [])
    assert changed([GAP], [GAP.text], [GAP.text]) == ([], [GAP.text], [])


def test_both_sets_forget_what_begins_before_the_period():
    old, new = Airgap("a", 60, OLDEST - 1, OLDEST + 100), Airgap("a", 60, OLDEST, OLDEST + 100)
    assert changed([], [old.text, new.text], [old.text, new.text]) == ([], sorted([old.text, new.text]), [old.text])
    assert changed([], [old.text, new.text], looked_at=["a"]) == ([], [old.text], [])


def test_nonsense_leaves_our_set_and_stays_in_that_of_siblings():
    assert changed([], ["nonsense"], ["nonsense"]) == ([], ["nonsense"], [])


def test_a_gap_told_with_another_mark_is_not_told_twice():
    theirs = GAP.text.replace(", 0]", ", 1]")
    assert changed([GAP], [theirs], looked_at=[GAP.metric]) == ([], [], [])


def test_a_gap_filled_in_part_is_another_one():
    rest = GAP._replace(start=GAP.start + 60)
    assert changed([rest], [GAP.text], looked_at=[GAP.metric]) == ([rest.text], [GAP.text], [])


@given(
    found=st.lists(gaps, max_size=6, unique=True),
    known=st.lists(gaps.map(lambda gap: gap.text) | st.text(max_size=5), max_size=6),
    filled=st.lists(gaps.map(lambda gap: gap.text) | st.text(max_size=5), max_size=6),
    looked_at=st.sets(st.sampled_from("abc")),
)
def test_the_set_is_exact_afterwards_and_a_second_run_changes_nothing(found, known, filled, looked_at):
    found = [gap for gap in found if gap.start > OLDEST]
    add, remove, forget = changed(found, known, filled, looked_at)
    assert not set(add) & set(known)
    assert set(remove) <= set(known)
    assert set(forget) <= set(filled)
    after, still = (set(known) | set(add)) - set(remove), set(filled) - set(forget)
    members = {read_airgap(text) for text in after}
    done = {read_airgap(text) for text in filled}
    assert set(found) - done <= members
    assert not members & done
    assert None not in members
    for gap in members - set(found):
        assert gap.start == OLDEST or (gap.start > OLDEST and gap.metric not in looked_at)
    assert changed([gap for gap in found if gap not in done], after, still, looked_at) == ([], [], [])


# The sink -------------------------------------------------------------------------------------------------------------


def minutes(*parts):
    return [NOW - 60 * age for first, last in parts for age in range(first, last - 1, -1)]


SERIES = {
    "app.whole": minutes((300, 1)),
    "app.closed": minutes((300, 100), (80, 1)),
    "app.open": minutes((300, 20)),
    "app.twice": minutes((300, 200), (150, 100), (50, 1)),
    "app.mixed": [*minutes((200, 1)), NOW - 90],
    "other.closed": minutes((300, 100), (80, 1)),
}


def sink_of(report=None, filling=(), **settings):
    config = Config()
    scorer = Scorer.of(config.analysis, as_of=NOW)
    return AirgapSink(Airgaps(True, **settings), scorer.plan, report or Report(()), filling)


def matrix_of(series=None):
    series = SERIES if series is None else series
    offsets = np.concatenate(([0], np.cumsum([len(stamps) for stamps in series.values()]))).astype(np.int64)
    stamps = np.array([t for row in series.values() for t in row], np.int64)
    return MetricMatrix.from_columns(pa.array(list(series)), offsets, stamps, np.ones(len(stamps)))


def taken(sink, *matrices):
    for matrix in matrices:
        sink.take(Series(matrix, matrix), pa.record_batch({"metric": matrix.metrics}))
    return sink


class Turned:
    """As much of a run's turn as the sink asks for, without a ledger."""

    def __init__(self):
        self.ledger, self.said = None, []

    def warn(self, text):
        self.said.append(text)


def counts(sink):
    turn = Turned()
    sink.finish(turn)
    return sink.report.airgaps, turn.said


def test_what_a_run_tells_of_its_series():
    sink = taken(sink_of(), matrix_of())
    assert counts(sink) == ({"open": 1, "closed": 4, "unordered": 1}, [])
    assert sink.unordered == ["app.mixed"]
    closed = (NOW - 100 * 60 + 1, NOW - 80 * 60 - 1)
    assert [(gap.metric, gap.step) for gap in sink.gaps] == [
        ("app.closed", 60), ("app.twice", 60), ("app.twice", 60), ("other.closed", 60),
    ]  # fmt: skip
    assert sink.gaps[0][2:] == sink.gaps[3][2:] == closed


def test_rows_are_found_whatever_the_blocks():
    whole = taken(sink_of(), matrix_of())
    single = taken(sink_of(), *(matrix_of({name: stamps}) for name, stamps in SERIES.items()))
    sliced = taken(sink_of(), matrix_of().slice(0, 2), matrix_of().slice(2, 6))
    assert whole.gaps == single.gaps == sliced.gaps
    assert counts(whole) == counts(single) == counts(sliced)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"check": ("app.",)}, {"open": 1, "closed": 3, "unordered": 1}),
        ({"check": ("other.", "mixed")}, {"open": 0, "closed": 1, "unordered": 1}),
        ({"skip": ("app.",)}, {"open": 0, "closed": 1, "unordered": 0}),
        ({"check": ("app.",), "skip": ("twice", r".*open$")}, {"open": 0, "closed": 1, "unordered": 1}),
        ({"check": ("none",)}, {"open": 0, "closed": 0, "unordered": 0}),
    ],
)
def test_only_the_metrics_asked_for(settings, found):
    assert counts(taken(sink_of(**settings), matrix_of())) == (found, [])


def test_what_is_missing_of_a_filled_metric_is_no_gap_and_its_disorder_is_told():
    sink = taken(sink_of(filling=("app.open", "twice", "mixed")), matrix_of())
    assert counts(sink)[0] == {"open": 0, "closed": 2, "unordered": 1}


def test_how_far_back():
    assert counts(taken(sink_of(max_period=90 * 60), matrix_of()))[0] == {"open": 1, "closed": 0, "unordered": 1}
    assert counts(taken(sink_of(max_period=120 * 60), matrix_of()))[0]["closed"] == 3


def test_what_does_not_fit_is_said(monkeypatch):
    monkeypatch.setattr(airgaps, "MOST_OF_ALL", 3)
    sink = taken(sink_of(), matrix_of())
    found, said = counts(sink)
    assert (found["closed"], len(sink.gaps)) == (4, 3)
    assert said == ["of 4 airgaps 1 are not told to siblings: at most the newest 100 of a metric are, and 3 of all"]


def test_a_block_without_series_is_passed_over():
    sink = sink_of()
    sink.take(None, pa.record_batch({"metric": ["a"]}))
    assert counts(sink) == ({"open": 0, "closed": 0, "unordered": 0}, [])

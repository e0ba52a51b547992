"""Anomalous steps folded into incidents and pages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.backtest.incidents import SCHEMA, Steps, fold, to_table

NAMES = ("a", "b")


def steps(anomalous, votes=None, fired=None):
    n = len(anomalous)
    return Steps(
        "m",
        60 * np.arange(n),
        10.0 * np.arange(n),
        np.array(anomalous, bool),
        np.array(votes if votes is not None else np.full(n, 6), np.int8),
        np.array(fired if fired is not None else np.zeros((n, 2)), bool).reshape(n, 2),
    )


def test_incidents_by_hand():
    hit = [1, 1, 0, 1, 1, 1]
    found = fold(steps(hit, [6, 7, 0, 6, 8, 8], [[1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]]), NAMES)
    assert [(i.start, i.end, i.peak_timestamp, i.peak_value, i.points, i.algorithms) for i in found] == [
        (0, 60, 60, 10.0, 2, ("a",)),
        (180, 300, 240, 40.0, 3, ("b",)),
    ]


@given(st.lists(st.booleans(), max_size=40))
def test_incidents_cover_the_anomalous_steps_exactly(hit):
    found = fold(steps(hit), NAMES)
    covered = [t for i in found for t in range(i.start, i.end + 60, 60)]
    assert covered == [60 * k for k, h in enumerate(hit) if h]
    assert sum(i.points for i in found) == sum(hit)


def test_an_empty_list_keeps_the_schema():
    assert to_table([]).schema == SCHEMA
    assert to_table(fold(steps([1]), NAMES)).num_rows == 1


def test_the_picture_is_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    from ridgeline.engine.backtest.plot import draw_backtest

    target = tmp_path / "m.png"
    draw_backtest(steps([0, 1, 1, 0]), NAMES, [(0, 60)], target)
    assert target.read_bytes().startswith(b"\x89PNG")

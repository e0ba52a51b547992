"""Points after the instant that a row is judged as of: left out, and counted."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.score.future import leads, points_after
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix

BASE = 1_700_000_000


def matrix_of(rows):
    offsets = np.cumsum([0, *map(len, rows)])
    stamps = BASE + np.array([stamp for row in rows for stamp in sorted(row)], np.int64)
    return MetricMatrix.from_columns(
        pa.array([f"m{n}" for n in range(len(rows))]), offsets, stamps, np.ones(len(stamps))
    )


@given(st.lists(st.lists(st.integers(0, 20), max_size=6), min_size=1, max_size=8), st.integers(-2, 22), st.data())
def test_both_are_what_counting_one_by_one_says(rows, as_of, data):
    own = [data.draw(st.sampled_from([BASE + as_of, NO_AS_OF, BASE + 7])) for _ in rows]
    matrix, instants = matrix_of(rows), np.array(own, np.int64)
    after = sum(BASE + t > now for row, now in zip(rows, own, strict=True) if now != NO_AS_OF for t in row)
    assert points_after(matrix, instants) == after
    lead = [0 if now == NO_AS_OF else BASE + max(row) - now for row, now in zip(rows, own, strict=True) if row]
    assert leads(matrix, instants).tolist() == lead
    assert points_after(matrix.slice(1, len(rows)), instants[1:]) == after - points_after(
        matrix.slice(0, 1), instants[:1]
    )


@pytest.mark.parametrize(("profile", "counted"), [("native", {"after_as_of": 3}), ("earthgecko", {})])
def test_scoring_counts_what_its_profile_leaves_out(profile, counted):
    rows = [range(120), range(117)]
    scored = Scorer.of(Analysis(profile=profile), as_of=BASE + 116).judge(matrix_of(rows))
    assert scored.repairs == counted
    assert scored.leads.tolist() == [3, 0]
    assert scored.verdicts.column("outcome").to_pylist() == ["boring", "boring"]

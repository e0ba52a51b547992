"""The range that an anomaly is told against: of the points that were judged, without the newest three."""

import statistics
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from rigs.parts import NAMES, verdicts

from ridgeline.engine.prepare.series import Prepared
from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override
from ridgeline.engine.run.expected import ExpectedSink
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.considered import considered
from ridgeline.engine.score.expected import expected
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix

END = 1_700_000_000


def test_mean_and_three_standard_deviations_without_the_newest_three():
    values = [4.0, 8.0, 6.0, 5.0, 3.0, 100.0, 200.0, 300.0]
    low, high = expected(np.array(values))
    mean, spread = statistics.mean(values[:5]), 3 * statistics.stdev(values[:5])
    assert (low, high) == pytest.approx((mean - spread, mean + spread))
    assert expected(np.array([1.0, 3.0, 9.0, 9.0, 9.0])) == pytest.approx((2 - 3 * 2**0.5, 2 + 3 * 2**0.5))
    assert expected(np.array([1.0, 9.0, 9.0, 9.0])) is None
    assert expected(np.array([])) is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("exponent", [-1060, -700, 0, 700, 1010])
def test_values_of_any_size(exponent):
    values = np.array([4.0, 8.0, 6.0, 5.0, 3.0, 100.0, 200.0, 300.0])
    usual = expected(values)
    assert expected(np.ldexp(values, exponent)) == pytest.approx(np.ldexp(usual, exponent), rel=1e-3)
    assert expected(np.ldexp(values, 1015)) is not None
    assert expected(np.array([1.7e308, -1.7e308] * 4)) is None, "beyond every number"
    assert expected(np.full(9, 1.7e308)) == pytest.approx((1.7e308, 1.7e308))
    assert expected(np.zeros(9)) == (0.0, 0.0)


def matrix_of(stamps, values):
    count = len(stamps)
    names = pa.array(["a", "b"])
    return MetricMatrix.from_columns(names, np.array([0, count, 2 * count]), np.tile(stamps, 2), np.tile(values, 2))


def test_the_points_that_the_profile_considers():
    stamps = np.array([END - 7200, END - 3600, END - 1800, END - 60, END - 60, END, END + 60])
    matrix = matrix_of(stamps, np.arange(7.0))
    scorer = Scorer.of(Analysis(full_duration=3600), [Override("b", consensus=7)], as_of=END)
    assert [column.tolist() for column in considered(matrix, 1, scorer)] == [
        [END - 1800, END - 60, END],
        [2.0, 4.0, 5.0],
    ]
    earthgecko = Scorer.of(Analysis(full_duration=3600, profile="earthgecko"), as_of=END)
    assert considered(matrix, 1, earthgecko)[1].tolist() == np.arange(7.0).tolist()
    own = Scorer.of(Analysis(full_duration=3600), as_of="last")
    assert considered(matrix, 0, own)[1].tolist() == [2.0, 4.0, 5.0, 6.0]


def test_only_anomalies_are_described():
    matrix = matrix_of(END - 60 * np.arange(9, -1, -1), np.array([-1.0, 1.0] * 5))
    report, scorer = Report(NAMES), Scorer.of(Analysis(), as_of=END)
    batch = verdicts([("a", "analysed", None, False, (True, True)), ("b", "analysed", None, True, (True, True))])
    report.add(batch)
    sink = ExpectedSink(report, scorer)
    sink.take(None, batch)  # rows that were not read whole
    assert report.anomalies[0].expected is None
    judged = SimpleNamespace(anomalous=np.array([False, True]))
    sink.take(Series(matrix, Prepared(matrix), judged), batch)
    (found,) = report.anomalies
    assert found.metric == "b"
    assert found.expected == pytest.approx(expected(np.array([-1.0, 1.0] * 5)))

"""Preparation of series: applied once, between cleaning and scoring, by whatever judges a matrix."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from rigs.parts import matrix as matrix_of

from ridgeline.engine.prepare.series import UNPREPARED, Preparation, prepare
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix

NOISE = np.random.default_rng(3).normal(50, 1, 400)


def fleet(*, spike=True):
    """Two metrics of 400 minutes; the first one ends in three points far out, unless their sign is turned."""
    stamps = np.tile(1_700_000_000 + 60 * np.arange(400), 2)
    values = np.tile(NOISE, 2)
    if spike:
        values[397:400] = -900.0
    return MetricMatrix.from_columns(pa.array(["spiky", "calm"]), np.array([0, 400, 800]), stamps, values)


@dataclass(frozen=True)
class Mended:
    """A step that puts the noise back in the place of what lies far out, in rows that have some."""

    name: str = "mended"

    def apply(self, matrix):
        values = np.where(matrix.values < 0, np.resize(NOISE, len(matrix.values)), matrix.values)
        changed = np.add.reduceat(matrix.values < 0, matrix.offsets[:-1]) > 0
        return MetricMatrix.from_columns(matrix.metrics, matrix.offsets, matrix.timestamps, values), changed


@dataclass(frozen=True)
class Doubled:
    name: str = "doubled"

    def apply(self, matrix):
        doubled = MetricMatrix.from_columns(matrix.metrics, matrix.offsets, matrix.timestamps, 2 * matrix.values)
        return doubled, np.ones(len(matrix), bool)


def test_nothing_asked_for_is_the_matrix_itself():
    matrix = matrix_of(["a", "b"])
    found = prepare(matrix, UNPREPARED)
    assert found.matrix is matrix
    assert found.labels is None


def test_steps_in_order_and_the_last_to_change_a_row_names_it():
    found = prepare(fleet(), Preparation((Mended(),)))
    assert found.labels.tolist() == ["mended", None]
    found = prepare(fleet(), Preparation((Doubled(), Mended())))
    assert found.labels.tolist() == ["mended", "doubled"]
    assert found.matrix.values[397] == NOISE[397]
    assert found.matrix.values[400] == 2 * NOISE[0]
    assert Preparation((Doubled(), Mended())).describe() == ["doubled", "mended"]


def test_scoring_judges_what_was_prepared():
    scorer = Scorer.of(Analysis(), as_of="last")
    prepared = replace(scorer, plan=replace(scorer.plan, preparation=Preparation((Mended(),))))
    assert scorer.score(fleet()).column("anomalous").to_pylist() == [True, False]
    found = prepared.judge(fleet())
    assert found.verdicts.column("anomalous").to_pylist() == [False, False]
    assert found.prepared.labels.tolist() == ["mended", None]
    assert prepared.score(fleet()).equals(scorer.score(fleet(spike=False)))


def test_replay_judges_what_was_prepared():
    plan = ReplayPlan(preparation=Preparation((Mended(),)))
    assert plan.describe()["preparation"] == ["mended"]
    assert replay_matrix(fleet(), plan).equals(replay_matrix(fleet(spike=False), ReplayPlan()))
    assert not replay_matrix(fleet(), ReplayPlan()).equals(replay_matrix(fleet(), plan))

"""The file of scores of a part: the table that `replay_matrix` makes, whatever it was written from."""

import hashlib
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ridgeline.engine.backtest.scores import write_scores
from ridgeline.engine.backtest.stored import read_metric
from ridgeline.engine.replay import steps as steps_module
from ridgeline.engine.replay.matrix import replay_matrix, replay_rows
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.steps import step_schema, table_of
from ridgeline.io.errors import OutputError
from ridgeline.io.matrix import MetricMatrix

NAMES = ["a", "é.b", "c" * 300, "empty"]


@pytest.fixture(scope="module")
def matrix():
    random = np.random.default_rng(5)
    lengths = [700, 30, 900, 0]
    values = random.normal(0, 1, sum(lengths))
    values[200:400] = 7.0  # boring
    values[650] = 90.0
    stamps = np.concatenate([1_600_000_000 + 60 * np.arange(length) for length in lengths])
    return MetricMatrix.from_columns(pa.array(NAMES), np.cumsum([0, *lengths]), stamps, values)


def tables_of(matrix, *cuts):
    bounds = [0, *cuts, len(matrix)]
    for first, end in pairwise(bounds):
        part = matrix.slice(first, end)
        yield table_of(part.metrics, replay_rows(part, ReplayPlan()).steps, encoded=True)


def test_what_is_read_back_is_what_replay_gives(tmp_path, matrix):
    path = tmp_path / "scores" / "part-00000.parquet"
    path.parent.mkdir()
    seal = write_scores(list(tables_of(matrix)), path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == seal
    found, wanted = pq.read_table(path), replay_matrix(matrix, ReplayPlan())
    assert found.schema == step_schema()
    assert found.combine_chunks().equals(wanted.combine_chunks())
    assert set(wanted["outcome"].to_pylist()) == {"analysed", "too_short", "boring"}
    assert wanted["anomalous"].to_pylist().count(True)
    one, _ = read_metric(tmp_path, NAMES[2])
    assert len(one.timestamps) == 900


def test_its_bytes_do_not_depend_on_how_steps_were_cut(tmp_path, matrix):
    seals = {write_scores(list(tables_of(matrix, *cuts)), tmp_path / "x") for cuts in ((), (1,), (1, 2, 3), (3,))}
    assert len(seals) == 1


def test_readers_that_look_for_a_metric_or_a_time_can_pass_over_it(tmp_path, matrix):
    write_scores(list(tables_of(matrix)), tmp_path / "x")
    group = pq.ParquetFile(tmp_path / "x").metadata.row_group(0)
    known = {group.column(k).path_in_schema: group.column(k).statistics for k in range(group.num_columns)}
    assert known["metric"].min == "a"
    assert known["timestamp"].max == 1_600_000_000 + 60 * 899
    assert pq.read_table(tmp_path / "x", filters=[("metric", "=", "zz")]).num_rows == 0


def test_a_part_without_a_step_has_a_file_too(tmp_path, matrix):
    write_scores(list(tables_of(matrix.slice(3, 4))), tmp_path / "x")
    assert pq.read_table(tmp_path / "x").equals(step_schema().empty_table())


def test_a_folder_that_is_gone_is_one_sentence(tmp_path, matrix):
    with pytest.raises(OutputError, match="cannot write"):
        write_scores(list(tables_of(matrix)), tmp_path / "gone" / "x")


def test_long_names_are_cut_into_chunks_that_arrow_can_hold(monkeypatch, matrix):
    whole = replay_matrix(matrix, ReplayPlan())
    monkeypatch.setattr(steps_module, "CHUNK_BYTES", 300 * 100)
    cut = replay_matrix(matrix, ReplayPlan())
    assert max(len(chunk) for chunk in cut["metric"].chunks) == 100
    cut.validate(full=True)
    assert cut.combine_chunks().equals(whole.combine_chunks())

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
from ridgeline.engine.replay.pages import Pages
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.steps import step_schema, table_of
from ridgeline.io.errors import InputError, OutputError
from ridgeline.io.matrix import MetricMatrix

SCHEMA = step_schema(encoded=True)
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
    seal = write_scores([list(tables_of(matrix))], SCHEMA, path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == seal
    found, wanted = pq.read_table(path), replay_matrix(matrix, ReplayPlan())
    assert found.schema == step_schema()
    assert found.combine_chunks().equals(wanted.combine_chunks())
    assert set(wanted["outcome"].to_pylist()) == {"analysed", "too_short", "boring"}
    assert wanted["anomalous"].to_pylist().count(True)
    one, _ = read_metric(tmp_path, NAMES[2])
    assert len(one.timestamps) == 900


def test_its_bytes_do_not_depend_on_how_steps_were_cut(tmp_path, matrix):
    seals = {
        write_scores([list(tables_of(matrix, *cuts))], SCHEMA, tmp_path / "x") for cuts in ((), (1,), (1, 2, 3), (3,))
    }
    assert len(seals) == 1


def test_readers_that_look_for_a_metric_or_a_time_can_pass_over_it(tmp_path, matrix):
    write_scores([list(tables_of(matrix))], SCHEMA, tmp_path / "x")
    group = pq.ParquetFile(tmp_path / "x").metadata.row_group(0)
    known = {group.column(k).path_in_schema: group.column(k).statistics for k in range(group.num_columns)}
    assert known["metric"].min == "a"
    assert known["timestamp"].max == 1_600_000_000 + 60 * 899
    assert pq.read_table(tmp_path / "x", filters=[("metric", "=", "zz")]).num_rows == 0


def test_a_part_without_a_step_has_a_file_too(tmp_path, matrix):
    write_scores([[], list(tables_of(matrix.slice(3, 4)))], SCHEMA, tmp_path / "x")
    assert pq.read_table(tmp_path / "x").equals(step_schema().empty_table())


def test_a_folder_that_is_gone_is_one_sentence(tmp_path, matrix):
    with pytest.raises(OutputError, match="cannot write"):
        write_scores([list(tables_of(matrix))], SCHEMA, tmp_path / "gone" / "x")


def test_long_names_are_cut_into_chunks_that_arrow_can_hold(monkeypatch, matrix):
    whole = replay_matrix(matrix, ReplayPlan())
    monkeypatch.setattr(steps_module, "CHUNK_BYTES", 300 * 100)
    cut = replay_matrix(matrix, ReplayPlan())
    assert max(len(chunk) for chunk in cut["metric"].chunks) == 100
    cut.validate(full=True)
    assert cut.combine_chunks().equals(whole.combine_chunks())


def test_row_groups_are_written_as_they_come(tmp_path, matrix):
    groups = [list(tables_of(matrix.slice(first, end))) for first, end in ((0, 1), (1, 2), (2, 4))]
    seal = write_scores(iter(groups), SCHEMA, tmp_path / "x")
    assert hashlib.sha256((tmp_path / "x").read_bytes()).hexdigest() == seal
    file = pq.ParquetFile(tmp_path / "x")
    assert [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)] == [700, 30, 900]
    assert file.schema_arrow == step_schema()
    assert file.read().combine_chunks().equals(replay_matrix(matrix, ReplayPlan()).combine_chunks())


def test_every_column_is_encoded_as_documented_and_comes_back_as_text_for_other_readers(tmp_path, matrix):
    polars = pytest.importorskip("polars", reason="needs ridgeline[polars]")
    write_scores([list(tables_of(matrix))], SCHEMA, tmp_path / "x")
    group = pq.ParquetFile(tmp_path / "x").metadata.row_group(0)
    encoded = {group.column(k).path_in_schema: group.column(k) for k in range(group.num_columns)}
    assert [name for name, column in encoded.items() if column.has_dictionary_page] == ["metric", "outcome"]
    assert "DELTA_BINARY_PACKED" in encoded["timestamp"].encodings
    assert {column.compression for column in encoded.values()} == {"SNAPPY"}
    frame = polars.read_parquet(tmp_path / "x")
    assert frame.schema["metric"] == frame.schema["outcome"] == polars.String
    wanted = replay_matrix(matrix, ReplayPlan())
    assert frame["outcome"].to_list() == wanted["outcome"].to_pylist()
    assert frame["grubbs_score"].to_list() == wanted["grubbs_score"].to_pylist()


@pytest.mark.parametrize("long", [1, 200, 400])
def test_long_runs_of_analysed_steps_stand_apart_and_change_nothing(tmp_path, monkeypatch, matrix, long):
    write_scores([list(tables_of(matrix))], SCHEMA, tmp_path / "whole")
    monkeypatch.setattr(steps_module, "LONG", long)
    (table,) = tables_of(matrix)
    analysed = [chunk for chunk in table["votes"].chunks if not chunk.null_count]
    assert analysed
    assert all(chunk.buffers()[0] is None for chunk in analysed)
    assert all(len(chunk) >= long for chunk in analysed)
    assert (
        table.unify_dictionaries()
        .combine_chunks()
        .cast(step_schema())
        .equals(replay_matrix(matrix, ReplayPlan()).combine_chunks())
    )
    write_scores([[table]], SCHEMA, tmp_path / "cut")
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("error", [InputError("no such thing"), OSError("the dataset is gone"), KeyError("a bug")])
def test_what_goes_wrong_before_anything_is_written_is_no_error_of_the_file(tmp_path, matrix, error):
    def groups():
        yield list(tables_of(matrix))
        raise error

    with pytest.raises(type(error)) as raised:
        write_scores(groups(), SCHEMA, tmp_path / "x")
    assert raised.value is error
    assert list(tmp_path.iterdir()) == []


def test_pages_are_used_again_unless_they_were_given_away():
    pages = Pages()
    first = pages.empty("a", (2, 3), np.float32)
    first[:] = 7
    again = pages.empty("a", (3,), np.int32)
    assert np.shares_memory(first, again)
    assert not np.shares_memory(first, pages.empty("b", (2, 3), np.float32))
    again[:] = 5
    pages.give_away()
    other = pages.empty("a", (3,), np.int32)
    other[:] = 1
    assert again.tolist() == [5, 5, 5]
    larger = pages.empty("a", (1000,), np.int64)
    assert larger.shape == (1000,)
    assert pages.empty("a", (0, 4), np.float32).shape == (0, 4)
    pages.spare()
    assert np.shares_memory(larger, pages.empty("a", (1000,), np.int64))

"""Anomalies as taken from verdicts, and the three files that list them."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.delivery import anomaly

from ridgeline.engine.report.files import JSON, JSONP, PARQUET, jsonp, listing, write_outputs
from ridgeline.engine.score.anomaly import Anomaly, anomalies_of
from ridgeline.io.errors import OutputError

VERDICTS = pa.table(
    {
        "metric": ["b", "a", "c", "d"],
        "outcome": ["analysed", "analysed", "analysed", "stale"],
        "reason": pa.array([None] * 4, pa.string()),
        "anomalous": [True, True, False, None],
        "datapoint": [2.5, 1e300, 1.0, None],
        "timestamp": [20, 10, 30, None],
        "votes": pa.array([2, 1, 0, None], pa.int8()),
        "grubbs": [True, True, False, None],
        "grubbs_score": [2.0, 2.0, 0.0, None],
        "ks_test": [True, None, False, None],
        "failed": [[], ["ks_test"], [], []],
        "negatives": [True, False, True, None],
    }
)


def test_anomalies_are_taken_from_verdicts():
    expected = [
        Anomaly("b", 2.5, 20, 2, ("grubbs", "ks_test"), ("grubbs", "ks_test"), negatives=True),
        Anomaly("a", 1e300, 10, 1, ("grubbs",), ("grubbs",), negatives=False),
    ]
    assert anomalies_of(VERDICTS) == expected
    assert anomalies_of(VERDICTS.to_batches()[0]) == expected
    assert anomalies_of(VERDICTS.slice(1)) == expected[1:]
    assert anomalies_of(VERDICTS.slice(1).to_batches()[0]) == expected[1:]
    assert anomalies_of(VERDICTS.slice(2)) == anomalies_of(VERDICTS.slice(4)) == []


def read_jsonp(text):
    assert text.startswith("handle_data(")
    assert text.endswith(")")
    return json.loads(text.removeprefix("handle_data(").removesuffix(")"))


@pytest.mark.parametrize("found", [anomalies_of(VERDICTS), []], ids=["some", "none"])
def test_the_three_files_say_the_same(tmp_path, found):
    write_outputs(tmp_path, [anomaly("old")])
    write_outputs(tmp_path, found)
    table = pq.read_table(tmp_path / PARQUET)
    assert {field.name: str(field.type) for field in table.schema} == {
        "metric": "string",
        "value": "double",
        "timestamp": "int64",
        "votes": "int8",
        "algorithms": "list<element: string>",
        "first_seen": "int64",
        "ongoing": "bool",
        "negatives": "bool",
        "expected": "list<element: double>",
        "channels": "list<element: string>",
        "rule_score": "double",
    }
    assert table.to_pylist() == json.loads((tmp_path / JSON).read_text()) == listing(found)
    rows = read_jsonp((tmp_path / JSONP).read_text())
    assert rows == sorted(([a.value, a.metric, a.timestamp] for a in found), key=lambda row: row[1])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([PARQUET, JSON, JSONP])


@given(names=st.lists(st.text(st.characters(), max_size=30), max_size=8))
def test_the_dump_is_valid_json_for_any_name(names):
    text = jsonp([anomaly(name) for name in names])
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert sorted(row[1] for row in read_jsonp(text)) == [
        row["metric"] for row in sorted(listing(map(anomaly, names)), key=lambda r: r["metric"])
    ]


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="cannot write") as caught:
        write_outputs(tmp_path / "absent", [])
    assert caught.value.exit_code == 74
    assert os.listdir(tmp_path) == []  # noqa: PTH208

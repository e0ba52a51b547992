"""Series of one name: labels become part of the name, or merging is refused with the columns and folders named."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.io.arrow.labelled import labelled
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet import source as parquet_source
from ridgeline.io.parquet.source import ParquetSource

T0 = 1_700_000_000


def points(metric, count, **labels):
    columns = {"metric": [metric] * count, "timestamp": T0 + 60 * np.arange(count), "value": np.arange(count) + 0.5}
    return pa.table({**columns, **{key: pa.array([value] * count, pa.string()) for key, value in labels.items()}})


def two_hosts():
    return pa.concat_tables(
        [points("cpu", 5, host="web1"), points("cpu", 4, host="web2"), points("mem", 3, host="web1")]
    )


def mixed(table):
    return table.take(pa.array(np.random.default_rng(2).permutation(len(table))))


def series(source):
    return {row["metric"]: len(row["value"]) for matrix in source.chunks() for row in matrix.batch.to_pylist()}


def write(path, table, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **options)
    return path


NAMED = {'cpu{host="web1"}': 5, 'cpu{host="web2"}': 4, 'mem{host="web1"}': 3}


@pytest.mark.parametrize("arrange", [lambda t: t, mixed], ids=["clustered", "scattered"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_label_columns_are_refused_or_named(tmp_path, arrange, kind):
    table = arrange(two_hosts())
    table = table.set_column(3, "host", table["host"].cast(kind))
    path = write(tmp_path / "in.parquet", table, row_group_size=4)
    with pytest.raises(
        InputError, match=r"cpu has points of host=web\d and of host=web\d, which would merge.*--labels-from host"
    ) as caught:
        series(ParquetSource(path))
    assert str(path) in str(caught.value)
    with pytest.raises(InputError, match="the table: cpu has points of host=web"):
        MetricMatrix.from_table(table)
    assert series(ParquetSource(path, labels_from=["host"])) == NAMED
    matrix = MetricMatrix.from_table(table, ["host"])
    assert dict(zip(matrix.metrics.to_pylist(), np.diff(matrix.offsets).tolist(), strict=True)) == NAMED
    assert set(series(ParquetSource(path, labels_from=()))) == {"cpu", "mem"}
    assert set(MetricMatrix.from_table(table, ()).metrics.to_pylist()) == {"cpu", "mem"}


def test_columns_are_read_again_where_runs_are_too_many_to_remember(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_source, "REMEMBERED", 0)
    path = write(tmp_path / "in.parquet", mixed(pa.concat_tables([two_hosts()] * 3)), row_group_size=4)
    assert series(ParquetSource(path, labels_from=["host"])) == {name: 3 * n for name, n in NAMED.items()}


def test_hive_folders(tmp_path):
    for host, count in (("web1", 5), ("web%2F2", 4)):
        write(tmp_path / f"host={host}" / "day=2024-01-31" / "0.parquet", points("cpu", count))
    with pytest.raises(InputError, match=r"its folders host=web/2 and host=web1 tell series of one name apart"):
        ParquetSource(tmp_path)
    with pytest.raises(InputError, match="host=web1"):
        ParquetSource(f"{tmp_path}/*/*/*.parquet")
    assert series(ParquetSource(tmp_path, labels_from=["host"])) == {'cpu{host="web1"}': 5, 'cpu{host="web/2"}': 4}
    assert series(ParquetSource(f"{tmp_path}/host=*/*/*.parquet", labels_from=["host"])).keys() == {
        'cpu{host="web1"}', 'cpu{host="web/2"}',
    }  # fmt: skip
    chosen = tmp_path / "host=web1"
    assert series(ParquetSource(chosen)) == series(ParquetSource(f"{chosen}/*/*.parquet")) == {"cpu": 5}
    assert series(ParquetSource(tmp_path, labels_from=())) == {"cpu": 9}


def test_days_are_passed_over_and_other_keys_are_not(tmp_path):
    write(tmp_path / "day=2024-01-31" / "0.parquet", points("cpu", 2))
    assert series(ParquetSource(tmp_path)) == {"cpu": 2}
    write(tmp_path / "day=monday" / "0.parquet", points("cpu", 2))
    with pytest.raises(InputError, match="day=monday"):
        ParquetSource(tmp_path)


def test_metric_in_the_folder_beside_a_label_in_a_column(tmp_path):
    for name in ("cpu", "mem%2Fused"):
        write(tmp_path / f"metric={name}" / "data_0.parquet", two_hosts().slice(0, 9).drop_columns("metric"))
    assert series(ParquetSource(tmp_path, labels_from=["host"])) == {
        f'{name}{{host="web{i}"}}': n for name in ("cpu", "mem/used") for i, n in ((1, 5), (2, 4))
    }


def test_one_value_per_metric_is_no_label(tmp_path):
    table = pa.concat_tables([points("cpu", 5, unit="percent"), points("mem", 4, unit="bytes")])
    assert series(ParquetSource(write(tmp_path / "in.parquet", table))) == {"cpu": 5, "mem": 4}
    write(tmp_path / "two" / "1.parquet", table)
    write(tmp_path / "two" / "2.parquet", points("cpu", 3))  # from before the column was added
    assert series(ParquetSource(tmp_path / "two")) == {"cpu": 8, "mem": 4}
    numbers = points("cpu", 4).append_column("quality", pa.array([1, 2, 1, 2]))
    assert len(MetricMatrix.from_table(numbers)) == 1


def test_values_over_batches_and_files_are_compared(tmp_path):
    for number, host in enumerate(["web1", "web1", "web2"]):
        write(tmp_path / f"{number}.parquet", points("cpu", 50, host=host), row_group_size=10)
    source = ParquetSource(tmp_path)
    source.reader.batch = 10
    with pytest.raises(InputError, match="host=web1 and of host=web2"):
        series(source)
    with pytest.raises(InputError, match="host=web1 and of host=nothing"):
        MetricMatrix.from_table(pa.concat_tables([points("cpu", 1, host="web1"), points("cpu", 1, host=None)]))


def test_absent_labels_are_left_out_and_keys_are_sorted():
    table = pa.concat_tables([points("cpu", 2, job="x", host=None), points("cpu", 3, job="x", host="web1")])
    names = MetricMatrix.from_table(table, ["job", "host"]).metrics.to_pylist()
    assert names == ['cpu{job="x"}', 'cpu{host="web1",job="x"}']
    numbers = points("cpu", 3).append_column("core", pa.array([0, 1, 0]))
    assert MetricMatrix.from_table(numbers, ["core"]).metrics.to_pylist() == ['cpu{core="0"}', 'cpu{core="1"}']


def test_list_layout():
    table = pa.table(
        {"metric": ["cpu", "cpu"], "timestamp": [[T0], [T0, T0 + 1]], "value": [[1.0], [2.0, 3.0]], "host": ["a", "b"]}
    )
    with pytest.raises(InputError, match="host=a and of host=b"):
        MetricMatrix.from_table(table)
    matrix = MetricMatrix.from_table(table, ["host"])
    assert [(row["metric"], row["value"]) for row in matrix.batch.to_pylist()] == [
        ('cpu{host="a"}', [1.0]), ('cpu{host="b"}', [2.0, 3.0]),
    ]  # fmt: skip


def test_points_without_a_name_get_none():
    table = two_hosts()
    names = pa.array([None if i % 3 == 0 else name for i, name in enumerate(table["metric"].to_pylist())])
    matrix = MetricMatrix.from_table(table.set_column(0, "metric", names), ["host"])
    assert matrix.repairs["null"] == 4
    assert set(matrix.metrics.to_pylist()) == set(NAMED)


NESTED = {
    "struct": pa.array([{"host": "a"}] * 3),
    "map": pa.array([[("host", "a")]] * 3, pa.map_(pa.string(), pa.string())),
    "list": pa.array([["host:a"]] * 3),
}


@pytest.mark.parametrize("kind", NESTED)
def test_text_within_other_types_is_refused_unless_passed_over(kind):
    table = points("cpu", 3).append_column("tags", NESTED[kind])
    with pytest.raises(InputError, match=r"column tags holds .* may tell series of one name apart"):
        MetricMatrix.from_table(table)
    if kind == "list":
        with pytest.raises(InputError, match="a label must be a plain value, a struct or a map"):
            MetricMatrix.from_table(table, ["tags"])
    else:
        assert MetricMatrix.from_table(table, ["tags"]).metrics.to_pylist() == ['cpu{host="a"}']
    assert len(MetricMatrix.from_table(table, ())) == 1


def test_labels_that_are_not_there(tmp_path):
    path = write(tmp_path / "in.parquet", two_hosts())
    for labels, message in ((["rack"], "no column or folder is called rack"), (["value"], "value cannot be a label")):
        with pytest.raises(InputError, match=message):
            ParquetSource(path, labels_from=labels)
        with pytest.raises(InputError, match=message):
            MetricMatrix.from_table(two_hosts(), labels)


def test_commands_and_functions_alike(tmp_path, capsys):
    path = write(tmp_path / "in.parquet", two_hosts())
    out, folder = tmp_path / "out.parquet", tmp_path / "out"
    assert main(["score", str(path), str(out)]) == main(["backtest", str(path), "--output", str(folder)]) == 2
    assert capsys.readouterr().err.count("host=web1 and of host=web2, which would merge") == 2
    assert main(["score", str(path), str(out), "--labels-from", "host"]) == 0
    assert pq.read_table(out)["metric"].to_pylist() == list(NAMED)
    assert main(["backtest", str(path), "--output", str(folder), "--labels-from", "host", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == 3
    assert main(["backtest", str(path), "--output", str(folder), "--resume", "--labels-from", ""]) == 2
    assert "configuration changed" in capsys.readouterr().err
    assert ridgeline.score(path, labels_from=["host"]).equals(ridgeline.score(two_hosts(), labels_from=["host"]))
    config = tmp_path / "ridgeline.toml"
    config.write_text(f'[source]\nkind = "parquet"\npath = "{path}"\nlabels_from = ["host"]\n')
    assert ridgeline.run(config, dry_run=True, as_of=T0 + 300).metrics == 3


labels = st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=6) | st.none(), max_size=3)


@given(labels, labels)
def test_different_labels_are_different_names(one, other):
    bare = [{key: value for key, value in found.items() if value is not None} for found in (one, other)]
    assert (labelled("cpu", one) == labelled("cpu", other)) == (bare[0] == bare[1])
    assert "\n" not in labelled("cpu", one)


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y", None]), st.sampled_from(["p", "q"])),
        min_size=1,
        max_size=30,
    )
)
def test_names_are_those_of_each_row(rows):
    metric, host, job = zip(*rows, strict=True)
    table = pa.table(
        [
            pa.array(metric, pa.string()),
            np.full(len(rows), T0) + np.arange(len(rows)),
            np.arange(float(len(rows))),
            pa.array(host, pa.string()),
            pa.array(job),
        ],
        names=["metric", "timestamp", "value", "host", "job"],
    )
    matrix = MetricMatrix.from_table(table, ["host", "job"])
    expected = {}
    for i, (name, h, j) in enumerate(rows):
        if name is not None:
            expected.setdefault(labelled(name, {"host": h, "job": j}), []).append(float(i))
    assert {row["metric"]: row["value"] for row in matrix.batch.to_pylist()} == expected
    assert matrix.metrics.to_pylist() == list(expected)

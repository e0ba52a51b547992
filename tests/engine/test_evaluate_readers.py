"""Scores and labels however people write them: any unit and type of time, any order, repeats, names that look like numbers."""

import datetime as dt
import json
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.evaluate.detections import read_detections
from ridgeline.engine.evaluate.events import score_events
from ridgeline.engine.evaluate.labels import Labels, read_labels
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.io.epochs import EVER_AFTER, EVER_BEFORE
from ridgeline.io.errors import InputError

T0 = 1_700_000_000
STAMPS = T0 + 60 * np.arange(400)
SCORES = (np.arange(400) % 97 == 0).astype(float)
WINDOWS = [(T0 + 90 * 60, T0 + 110 * 60), (T0 + 300 * 60, T0 + 320 * 60)]


def seconds(stamps):
    return pa.array(stamps, pa.int64())


TIMES = {
    "s": seconds,
    "int32": lambda stamps: pa.array(stamps, pa.int32()),
    "float": lambda stamps: pa.array(np.asarray(stamps, float)),
    "ms": lambda stamps: pa.array(np.asarray(stamps) * 1000, pa.int64()),
    "us": lambda stamps: pa.array(np.asarray(stamps) * 10**6, pa.int64()),
    "ns": lambda stamps: pa.array(np.asarray(stamps) * 10**9, pa.int64()),
    "timestamp[s]": lambda stamps: seconds(stamps).cast(pa.timestamp("s")),
    "timestamp[ms]": lambda stamps: seconds(stamps).cast(pa.timestamp("s")).cast(pa.timestamp("ms")),
    "timestamp[us]": lambda stamps: seconds(stamps).cast(pa.timestamp("s")).cast(pa.timestamp("us")),
    "timestamp[ns, Madrid]": lambda stamps: pa.array(np.asarray(stamps) * 10**9).cast(
        pa.timestamp("ns", "Europe/Madrid")
    ),
    "ISO": lambda stamps: pa.array(
        [dt.datetime.fromtimestamp(t, dt.UTC).isoformat() for t in np.asarray(stamps).tolist()]
    ),
    "ISO without zone": lambda stamps: pa.array(
        [dt.datetime.fromtimestamp(t, dt.UTC).replace(tzinfo=None).isoformat(" ") for t in np.asarray(stamps).tolist()]
    ),
    "text": lambda stamps: pa.array([str(t) for t in np.asarray(stamps).tolist()]),
}


def scores(kind="s", metric="m"):
    return pa.table({"metric": [metric] * len(STAMPS), "timestamp": TIMES[kind](STAMPS), "score": SCORES})


def labels(kind="s", metric="m"):
    starts, ends = zip(*WINDOWS, strict=True)
    return pa.table({"metric": [metric] * len(WINDOWS), "start": TIMES[kind](starts), "end": TIMES[kind](ends)})


TRUTH = ridgeline.evaluate(scores(), labels(), metric="events")


@pytest.mark.parametrize("kind", TIMES)
def test_the_unit_of_times_changes_nothing(tmp_path, kind):
    assert TRUTH.precision is not None
    assert 0 < TRUTH.precision < 1
    assert ridgeline.evaluate(scores(kind), labels(), metric="events") == TRUTH
    assert ridgeline.evaluate(scores(), labels(kind), metric="events") == TRUTH
    pq.write_table(scores(kind), tmp_path / "s.parquet")
    pq.write_table(labels(kind), tmp_path / "l.parquet")
    assert ridgeline.evaluate(tmp_path / "s.parquet", tmp_path / "l.parquet", metric="events") == TRUTH
    assert ridgeline.evaluate(tmp_path / "s.parquet", tmp_path / "l.parquet") == ridgeline.evaluate(scores(), labels())


def test_a_pandas_frame_and_a_mapping():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"metric": "m", "timestamp": pd.to_datetime(STAMPS, unit="s"), "score": SCORES})
    assert ridgeline.evaluate(frame, {"m": WINDOWS}, metric="events") == TRUTH
    assert (
        ridgeline.evaluate(
            dict(zip(("metric", "timestamp", "score"), scores().columns, strict=True)), labels(), metric="events"
        )
        == TRUTH
    )


@given(st.integers(0, 2**32), st.integers(0, 50))
def test_order_and_repeats_of_rows_change_nothing(seed, repeats):
    rng = random.Random(seed)
    rows = list(range(len(STAMPS)))
    rows += rng.choices(rows, k=repeats)
    rng.shuffle(rows)
    assert ridgeline.evaluate(scores().take(rows), labels().take([1, 0]), metric="events") == TRUTH


def test_of_one_moment_the_highest_score_counts():
    table = pa.table({"metric": ["m"] * 4, "timestamp": [T0, T0, T0, T0 + 1], "score": [0.2, 0.9, None, None]})
    (found,) = read_detections(table, consensus=None, expiry=0)
    assert found.timestamps.tolist() == [T0, T0 + 1]
    assert found.scores.tolist() == [0.9, float("-inf")]


def test_names_keep_their_zeros_and_their_types(tmp_path):
    path = tmp_path / "l.csv"
    path.write_text(
        "metric,start,end\n0012,1700000000,1700000060\n1e3,2023-11-14,2023-11-14\ntrue,,2023-11-15T00:00:00+01:00\n"
    )
    assert read_labels(path).windows == {
        "0012": ((T0, T0 + 60),),
        "1e3": ((1699920000, 1700006399),),
        "true": ((EVER_BEFORE, 1700002800),),
    }
    table = pa.table({"metric": [12, 12], "timestamp": [T0, T0 + 1], "score": [1.0, 0.0]})
    assert [found.metric for found in read_detections(table, consensus=None, expiry=0)] == ["12"]
    coded = table.set_column(0, "metric", pa.array(["a", "a"]).dictionary_encode())
    assert [found.metric for found in read_detections(coded, consensus=None, expiry=0)] == ["a"]


def test_open_windows_and_dates():
    day = dt.date(2023, 11, 14)
    found = read_labels(
        {"m": [(None, T0), (T0, None), ("-inf", "inf"), (float("-inf"), T0), ("2023-11-14", "2023-11-14")]}
    )
    assert found.windows["m"] == tuple(
        sorted(
            [
                (EVER_BEFORE, T0),
                (T0, EVER_AFTER),
                (EVER_BEFORE, EVER_AFTER),
                (EVER_BEFORE, T0),
                (1699920000, 1700006399),
            ]
        )
    )
    table = pa.table({"metric": ["m"], "start": pa.array([day]), "end": pa.array([day])})
    assert read_labels(table).windows["m"] == ((1699920000, 1700006399),)
    scored = score_events(
        read_detections(scores(), consensus=None, expiry=0), Labels({"m": ((EVER_BEFORE, EVER_AFTER),)}), 0.5
    )
    assert (scored.found, scored.true_alarms) == (1, scored.alarms)


BAD_LABELS = {
    "neither side": ({"m": [(None, None)]}, "neither start nor end"),
    "nonsense": ({"m": [("yesterday", T0)]}, "no time"),
    "a number beyond time": ({"m": [(T0, 5e18)]}, "no time"),
    "one end": ({"m": [(T0,)]}, "expected \\[start, end\\]"),
    "no list": ({"m": 5}, "expected a list"),
    "a text": ({"m": "2023"}, "expected a list"),
    "backwards": ({"m": [(T0, T0 - 1)]}, "before it starts"),
    "no columns": (pa.table({"a": [1]}), "expected columns"),
    "a null point": (pa.table({"metric": ["m"], "timestamp": pa.array([None], pa.int64())}), "have no timestamp"),
    "a null name": (pa.table({"metric": pa.array([None], pa.string()), "timestamp": [T0]}), "name no metric"),
    "bool times": (pa.table({"metric": ["m"], "timestamp": [True]}), "no time"),
    "no table": (5, "no table"),
}


@pytest.mark.parametrize("what", BAD_LABELS)
def test_labels_that_cannot_be_read_are_one_sentence(what):
    source, message = BAD_LABELS[what]
    with pytest.raises(InputError, match=message) as caught:
        read_labels(source)
    assert "\n" not in str(caught.value)


BAD_SCORES = {
    "no time": ({"metric": ["m"], "timestamp": ["soon"], "score": [1.0]}, "not one number or time"),
    "a null time": ({"metric": ["m"], "timestamp": pa.array([None], pa.int64()), "score": [1.0]}, "no timestamp"),
    "text for a score": (
        {"metric": ["m"], "timestamp": [T0], "score": ["high"]},
        "column score holds string; it must be a number",
    ),
    "lists": ({"metric": ["m"], "timestamp": [[T0]], "score": [1.0]}, "score is double; either both are lists"),
    "a missing column": ({"metric": ["m"], "timestamp": [T0]}, "no column score"),
    "nested names": (
        {"metric": [{"a": 1}], "timestamp": [T0], "score": [1.0]},
        "column metric is struct<a: int64>; it must be string",
    ),
}


@pytest.mark.parametrize("what", BAD_SCORES)
def test_scores_that_cannot_be_read_are_one_sentence(what):
    table, message = BAD_SCORES[what]
    with pytest.raises(InputError, match=message):
        read_detections(pa.table(table), consensus=None, expiry=0)


@pytest.mark.parametrize("text", ["[" * 100_000, "\x00", "{", "5", '{"m": {"windows": 5}}', '{"m": [[{}, {}]]}'])
def test_json_that_is_no_labels(tmp_path, text):
    path = tmp_path / "l.json"
    path.write_text(text)
    with pytest.raises(InputError):
        read_labels(path)


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"metric,start,end\na,1\n", b"\x00" * 100])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_files_that_hold_no_labels(tmp_path, raw, suffix):
    path = tmp_path / f"l.{suffix}"
    path.write_bytes(raw)
    with pytest.raises(InputError):
        read_labels(path)


@pytest.mark.parametrize(
    "options",
    [["--threshold", "nan"], ["--threshold", "inf"], ["--threshold", "x"], ["--consensus", "-3"], ["--consensus", "0"],
     ["--expiry", "soon"], ["--expiry", "-5"]],
)  # fmt: skip
def test_options_are_validated(tmp_path, capsys, options):
    pq.write_table(scores(), tmp_path / "s.parquet")
    pq.write_table(labels(), tmp_path / "l.parquet")
    assert main(["evaluate", str(tmp_path / "s.parquet"), "--labels", str(tmp_path / "l.parquet"), *options]) == 2
    printed = capsys.readouterr()
    assert len(printed.err.strip().splitlines()) == 1
    assert printed.out == ""


@pytest.mark.parametrize("metric", ["nab", "events"])
def test_without_a_single_label_there_is_nothing_to_score(tmp_path, capsys, metric):
    pq.write_table(scores(), tmp_path / "s.parquet")
    (tmp_path / "l.json").write_text(json.dumps({"m": []}))
    assert (
        main(["evaluate", str(tmp_path / "s.parquet"), "--labels", str(tmp_path / "l.json"), "--metric", metric]) == 2
    )
    assert "no window at all" in capsys.readouterr().err


def test_the_command_prints_what_the_function_gives(tmp_path, capsys):
    pq.write_table(scores("ms"), tmp_path / "s.parquet")
    pq.write_table(labels("timestamp[us]"), tmp_path / "l.parquet")
    arguments = ["evaluate", str(tmp_path / "s.parquet"), "--labels", str(tmp_path / "l.parquet"), "--json"]
    assert main([*arguments, "--metric", "events"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["precision"], printed["recall"], printed["f1"]) == (TRUTH.precision, TRUTH.recall, TRUTH.f1)
    assert main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["standard"]["score"] == ridgeline.evaluate(scores(), labels())["standard"].score
    assert main([*arguments[:-1], "--metric", "events"]) == 0
    shown = capsys.readouterr().out
    assert f"recall {TRUTH.recall:.3f}" in shown
    assert main(arguments[:-1]) == 0
    assert "2 windows, 1 metrics" in capsys.readouterr().out


def test_every_option_of_the_command_counts(tmp_path, capsys):
    (tmp_path / "out/scores").mkdir(parents=True)
    steps = {"metric": ["m"] * 40, "timestamp": [T0 + 60 * i for i in range(40)]}
    votes = [7 if i == 30 else 6 if i in {5, 10, 31} else 4 for i in range(40)]
    nine = {f"{name}_score": np.ones(40, np.float32) for name in algorithm_names()}
    table = pa.table(steps | {"anomalous": [v >= 6 for v in votes], "votes": pa.array(votes, pa.int8())} | nine)
    pq.write_table(table, tmp_path / "out/scores/part-00000.parquet")
    pq.write_table(pa.table(steps | {"score": [i / 40 for i in range(40)]}), tmp_path / "s.parquet")
    labels = {"m": [[T0 + 60 * 25, T0 + 60 * 35]]}
    (tmp_path / "l.json").write_text(json.dumps(labels))
    seen = set()
    for source, options in [
        ("out", {}), ("out", {"consensus": 7}), ("out", {"expiry": "1m"}), ("out", {"expiry": "10m"}),
        ("s.parquet", {}), ("s.parquet", {"threshold": 0.8}),
    ]:  # fmt: skip
        given = [text for key, value in options.items() for text in (f"--{key}", str(value))]
        command = ["evaluate", str(tmp_path / source), "--labels", str(tmp_path / "l.json"), "--json", *given]
        assert main(command) == 0
        nab = json.loads(capsys.readouterr().out)
        assert main([*command, "--metric", "events"]) == 0
        events = json.loads(capsys.readouterr().out)
        expected = ridgeline.evaluate(tmp_path / source, labels, metric="events", **options)
        assert (events["alarms"], events["mean_delay"]) == (expected.alarms, expected.mean_delay)
        assert events["precision"] == expected.precision
        scored = ridgeline.evaluate(tmp_path / source, labels, **options)
        assert nab["standard"]["raw"] == scored["standard"].raw
        seen.add((events["alarms"], events["precision"], nab["standard"]["raw"]))
    assert len(seen) == 6, "no option leaves the result as it was"


def test_labelled_metrics_without_scores_are_named(tmp_path, capsys):
    pq.write_table(scores(), tmp_path / "s.parquet")
    (tmp_path / "l.json").write_text(json.dumps({"m": WINDOWS, "gone": [[T0, T0]]}))
    assert (
        main(["evaluate", str(tmp_path / "s.parquet"), "--labels", str(tmp_path / "l.json"), "--metric", "events"]) == 0
    )
    assert "1 labelled metrics have no scores" in capsys.readouterr().err


def test_published_scores_of_nab(shared):
    truth = read_labels(shared / "data/nab_labels.json")
    from ridgeline.engine.evaluate.nab import score_corpus

    for name, threshold, published in (
        ("numenta", 0.5421876907348634, 70.10105611943965),
        ("skyline", 0.8031250000000002, 35.687043255865762),
    ):
        found = read_detections(shared / f"data/nab_scores_{name}.parquet", consensus=None, expiry=0)
        assert score_corpus(found, truth, threshold)["standard"].score == pytest.approx(published, abs=1e-9)

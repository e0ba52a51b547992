"""One reader of times: every type that Arrow has for them, every unit by magnitude, and one sentence for the rest."""

# ruff: noqa: DTZ001 - times without a zone are among what is read

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.units import parse_instant
from ridgeline.io.arrow.columns import by_magnitude
from ridgeline.io.arrow.instants import instants_of
from ridgeline.io.epochs import EARLIEST, EVER_AFTER, EVER_BEFORE, LATEST, seconds_of
from ridgeline.io.errors import InputError

T = 1_700_000_000  # 2023-11-14T22:13:20Z
MOMENT = dt.datetime(2023, 11, 14, 22, 13, 20, 999_999)


def read(column):
    found = instants_of(column, "column start")
    assert found.seconds.dtype == np.int64
    assert found.known.dtype == np.bool_
    return [int(s) if known else None for s, known in zip(found.seconds, found.known, strict=True)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([T, None]),
        pa.array([T, None], pa.int32()),
        pa.array([T, None], pa.uint64()),
        pa.array([T * 1000 + 999, None]),
        pa.array([T * 10**6 + 999_999, None]),
        pa.array([T * 10**9 + 999_999_999, None], pa.uint64()),
        pa.array([T + 0.75, None]),
        pa.array([T * 1e3, float("nan")]),
        pa.array([Decimal(T), None]),
        pa.array([MOMENT, None], pa.timestamp("us")),
        pa.array([MOMENT.replace(microsecond=0), None], pa.timestamp("s")),
        pa.array([MOMENT, None], pa.timestamp("ns")),
        pa.array([MOMENT.replace(tzinfo=dt.UTC), None], pa.timestamp("ms", "Europe/Madrid")),
        pa.array(["2023-11-14T22:13:20Z", None]),
        pa.array(["2023-11-14 22:13:20.999999", "NaT"], pa.large_string()),
        pa.array(["2023-11-14T23:13:20+01:00", ""], pa.string_view()),
        pa.array([" 1700000000 ", "nan"]),
        pa.array(["1700000000999", "null"]).dictionary_encode(),
        pa.array([T, None]).dictionary_encode(),
        pa.chunked_array([pa.array([T]), pa.array([None], pa.int64())]),
        [T, None],
        [str(T), None],
        ["2023-11-14T22:13:20", float("nan")],
        [MOMENT, None],
    ],
    ids=lambda column: str(getattr(column, "type", "list")),
)
def test_every_way_to_write_a_time(column):
    assert read(column) == [T, None]


def test_dates_are_midnights():
    day = dt.date(2023, 11, 14)
    for column in (pa.array([day]), pa.array([day], pa.date64()), pa.array(["2023-11-14"]), [day]):
        assert read(column) == [1_699_920_000]


def test_open_ends():
    expected = [EVER_BEFORE, EVER_AFTER, T]
    assert read(pa.array([-np.inf, np.inf, T])) == expected
    assert read(pa.array(["-inf", "Infinity", str(T)])) == expected
    assert read(pa.array(["9999-12-31", "0001-01-01"])) == [253_402_214_400, -62_135_596_800]
    assert read(pa.nulls(2)) == [None, None]
    for empty in (pa.array([], kind) for kind in (pa.string(), pa.int64(), pa.float64(), pa.date32())):
        assert read(empty) == []
    assert read(pa.array([None], pa.dictionary(pa.int8(), pa.string()))) == [None]


def test_small_numbers_are_seconds():
    assert read([0, 60, 999_999]) == [0, 60, 999_999]
    assert read(pa.array([0, 60, 100], pa.int8())) == [0, 60, 100]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (
            pa.array(["2024-01-01", "yesterday"]),
            "column start holds 'yesterday', which is no time: write epoch seconds",
        ),
        (pa.array([T, -5]), "column start holds -5, which is no time between 1970 and 2100"),
        (pa.array([2**64 - 1], pa.uint64()), "holds 18446744073709551615, which is no time between"),
        (pa.array([5e9]), "column start holds 5000000000.0, which is no time between 1970 and 2100"),
        (pa.array([True]), "column start is bool, which is no time"),
        (pa.array([[T]]), "column start is list<item: int64>, which is no time"),
        (pa.array([dt.time(1)]), "column start is time64[us], which is no time"),
        (pa.array([dt.timedelta(1)]), "column start is duration[us], which is no time"),
        (pa.array(["x" * 5000]), "which is no time"),
        ([T, "later"], "column start holds 'later', which is no time"),
        ([10**30], "column start holds '1000000000000000000000000000000', which is no time"),
    ],
)
def test_what_is_no_time_is_said_in_one_sentence(column, sentence):
    with pytest.raises(InputError) as caught:
        instants_of(column, "column start")
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.sampled_from([EARLIEST, LATEST, EARLIEST * 1000, LATEST * 10**6]).flatmap(lambda n: st.integers(n - 2, n + 2)), max_size=8))  # fmt: skip
def test_one_rule_of_magnitude_for_one_and_for_many(numbers):
    seconds, sane = by_magnitude(np.array(numbers, np.int64))
    for number, second, good in zip(numbers, seconds.tolist(), sane, strict=True):
        expected = seconds_of(number)
        assert good == (expected is not None)
        assert second == (expected or 0)
        if expected is not None:
            assert parse_instant(str(number)) == expected


@given(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2099, 12, 31)), st.sampled_from(["s", "ms", "us", "ns"]))
def test_text_timestamps_and_numbers_agree(moment, unit):
    epoch = (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(seconds=1)
    assert read([moment.isoformat()]) == [epoch] == [parse_instant(moment.isoformat())]
    assert read(pa.array([moment], pa.timestamp("us")).cast(pa.timestamp(unit), safe=False)) == [epoch]


@given(st.lists(st.none() | st.text(max_size=30) | st.integers() | st.floats(), max_size=5))
def test_any_values_get_an_answer_or_one_sentence(values):
    try:
        found = instants_of(values, "labels")
    except InputError as error:
        assert str(error).startswith("labels ")  # noqa: PT017 - some lists are readable
        return
    assert len(found.seconds) == len(found.known) == len(values)

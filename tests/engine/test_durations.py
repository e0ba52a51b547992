"""What people write for time and size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.units import parse_duration, parse_instant, parse_size
from ridgeline.io.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("24h", 86400),
        ("5m", 300),
        ("86400", 86400),
        (86400, 86400),
        ("90s", 90),
        ("1h30m", 5400),
        ("7d", 604800),
        ("1W", 604800),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "24x", "-5m", "1.5h", "0", "0s", True, "1h 30", "9" * 99, "1e3", "\u0661s"])
def test_what_is_no_duration(text):
    with pytest.raises(InputError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ("1700000000", 1700000000),
        (1700000000, 1700000000),
        ("1700000000.9", 1700000000),
        ("2023-11-14T22:13:20Z", 1700000000),
        ("2023-11-14T22:13:20", 1700000000),
        ("2023-11-14 23:13:20+01:00", 1700000000),
        ("2023-11-14", 1699920000),
        ("1700000000000", 1700000000),
        ("1700000000999999", 1700000000),
        ("1700000000999999999", 1700000000),
        ("0", 0),
        ("86400", 86400),
    ],
)
def test_instants(text, epoch):
    assert parse_instant(text) == epoch


@pytest.mark.parametrize(
    "text", ["", "yesterday", "5000000000", "-1", "nan", "1e9", "2023-13-01", "2101-01-01", "9" * 500]
)
def test_what_is_no_instant(text):
    with pytest.raises(InputError):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GiB", 2 << 30), ("500MB", 500_000_000), ("1048576", 1 << 20), (4096, 4096), ("1.5 KiB", 1536), ("3b", 3)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "2GB/s", "-1", "0", True, "2XB", "1e9"])
def test_what_is_no_size(text):
    with pytest.raises(InputError, match="size"):
        parse_size(text)


@given(st.text(max_size=200), st.sampled_from([parse_duration, parse_instant, parse_size]))
def test_any_text_gets_an_answer_or_one_sentence(text, parse):
    try:
        answer = parse(text)
    except InputError as error:
        answer = len(str(error))
        assert answer < 400
    assert answer >= 0

"""The rules by which what is remembered of a series is believed: its end, its beginning, time, meaning, damage."""

import math
import struct

import msgpack
import numpy as np
import pytest
from rigs.memory import Fleet, packed, pair

from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.kernels.decode.layout import KINDS
from ridgeline.kernels.memory import layout
from ridgeline.kernels.memory.layout import HEAD_SIZE
from ridgeline.kernels.prepare.layout import DERIVE, DETECT
from ridgeline.kernels.score.layout import ANALYSED, STALE, TOO_SHORT

NOW = 1_700_000_000
DAY, HOUR = 86400, 3600
SETTLED, QUIET = "settled", "quiet"


def series(seed=1, n=1500, step=60, newest=NOW):
    """Noise about 100, n points `step` seconds apart."""
    rng = np.random.default_rng(seed)
    return newest - step * np.arange(n)[::-1], 100 + 10 * rng.normal(size=n)


def known(row, plan=None, **options):
    """A fleet of one series, read in full now."""
    ours = Fleet([packed(*row)], plan or ScorePlan(), **options)
    ours.anchor([0], NOW)
    return ours


def told(ours, now):
    """What becomes of the only row; fails where it is settled otherwise than in full."""
    (code,) = ours.ask(now)
    assert ours.wrong(now) == []
    return layout.READS[code - layout.READ] if code >= layout.READ else {0: SETTLED, 1: QUIET}.get(code, int(code))


def trimmed(data, oldest, size=15):
    """The bytes of a series without its points before `oldest`."""
    pairs = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(one for one in pairs if struct.unpack(">I", one[2:6])[0] >= oldest)


# R1: the window may begin later than what is remembered of it.


def test_a_series_that_falls_silent_is_trimmed_within_its_window():
    ours = known(series())
    for minutes in (15, 60, 600, 1380):
        now = NOW + 60 * minutes
        ours.stored[0] = trimmed(ours.stored[0], now - DAY - 600)
        ours.minute(now)
    assert ours.mark(layout.OUTCOME).tolist() == [TOO_SHORT]


def test_a_silent_series_that_is_still_analysed_is_trimmed_too():
    ours = known(series(), ScorePlan(policies=(Policy(stale_period=2 * HOUR),)))
    ours.stored[0] = trimmed(ours.stored[0], NOW + HOUR - DAY + 60)
    assert told(ours, NOW + HOUR) == "queue"  # more has gone than it knows of
    ours.anchor([0], NOW + HOUR)
    ours.stored[0] = trimmed(ours.stored[0], NOW + HOUR - DAY + 180)
    before = int(ours.hot[0, layout.COUNT])
    assert told(ours, NOW + HOUR + 120) in (QUIET, "undecided")
    assert ours.hot[0, layout.COUNT] == before - 2


def test_a_key_whose_head_is_rewritten_is_read_in_full_where_the_head_is_asked_for():
    t, x = series(n=400)
    ours = known((t, x))
    ours.stored[0] += pair(NOW + 60, 100.0)
    assert told(ours, NOW + 60) == SETTLED
    for change in (
        pair(t[0], 5.5),
        pair(t[0] - 60, 5.5) + pair(t[0], x[0]),
        pair(t[0] - 2 * DAY, 5.5) + pair(t[0], x[0]),
    ):
        ours = known((t, x))
        ours.stored[0] = change + ours.stored[0][15:] + pair(NOW + 60, 100.0)
        assert told(ours, NOW + 60) == "window"


def test_a_window_longer_than_what_is_held_asks_for_the_head():
    ours = known(series(), ScorePlan(full_duration=2 * DAY))
    for minute in range(1, 4):
        ours.stored[0] = trimmed(ours.stored[0], NOW + 60 * minute - DAY - 600) + pair(NOW + 60 * minute, 100.0)
        assert told(ours, NOW + 60 * minute) == SETTLED
    assert ours.hot[0, layout.COUNT] == len(ours.stored[0]) // 15


def test_a_row_that_has_not_shown_its_tail_cannot_show_its_head():
    ours = known(series())
    ours.take_heads(b"$19\r\n%s\r\n" % ours.stored[0][:HEAD_SIZE], [0], NOW)
    assert ours.codes.tolist() == [layout.READ_NO_JUNCTION]


# R2: the proof is the newest seventeen pairs.


@pytest.mark.parametrize("back", [1, 2, 5, 16, 17])
def test_a_correction_within_the_proof_is_seen_at_once(back):
    t, x = series()
    ours = known((t, x))
    at = len(t) - back
    spike = pair(NOW + 60, 1e4)
    whole = packed(t, x)
    ours.stored[0] = whole[: 15 * at] + pair(t[at], 55.5) + whole[15 * at + 15 :] + spike
    assert told(ours, NOW + 60) == "no_junction"


def test_a_correction_deeper_inside_shows_when_the_row_is_read_in_full():
    t, x = series()
    ours = known((t, x))
    at = len(t) - 600
    whole = packed(t, x)
    ours.stored[0] = whole[: 15 * at] + pair(t[at], 1e6) + whole[15 * at + 15 :] + pair(NOW + 60, 100.0)
    assert ours.ask(NOW + 60).tolist() == [layout.SETTLED]
    before = float(ours.hot.view(np.float64)[0, layout.SQUARES])
    ours.anchor([0], NOW + 60)
    assert ours.hot.view(np.float64)[0, layout.SQUARES] > 1e3 * before


@pytest.mark.parametrize("asks", [0, DETECT | DERIVE])
@pytest.mark.parametrize("at", range(20))
def test_of_a_series_that_is_seen_whole_every_point_is(at, asks):
    """Its first and all that are deeper than the proof, too."""
    t, x = series(n=20)
    x = np.cumsum(np.abs(x))
    ours = known((t, x), asks=asks)
    assert told(ours, NOW) == QUIET
    x[at] = -5.0
    ours.stored[0] = packed(t, x)
    assert told(ours, NOW) == ("window" if at < 20 - layout.PROOF else "no_junction")


def test_a_key_rebuilt_from_its_newest_points_is_seen_whole():
    t, x = series()
    ours = known((t, x))
    ours.stored[0] = packed(t[-20:], x[-20:])
    assert told(ours, NOW + 60) == "window"


@pytest.mark.parametrize(
    "points", [[(NOW, 55.0)], [(NOW - 30, 1.0)], [(NOW + 60, 1.0), (NOW + 30, 1.0)], [(NOW + 60, 1.0)] * 2]
)
def test_a_point_that_is_not_later_is_read_in_full(points):
    ours = known(series())
    ours.stored[0] += b"".join(pair(*point) for point in points)
    assert told(ours, NOW + 60) == "late"


def test_equal_timestamps_make_a_row_odd_until_they_are_gone():
    t, x = series(n=1400)
    t[100] = t[99]
    ours = known((t, x), ScorePlan(full_duration=HOUR))
    assert told(ours, NOW) == "odd"
    ours.stored[0] = packed(t[200:], x[200:])
    ours.anchor([0], NOW)
    assert told(ours, NOW) == QUIET


# R4: the run's clock.


def test_points_later_than_the_clock_wait():
    ours = known(series())
    ours.stored[0] += pair(NOW + 60, 100.0) + pair(NOW + 300, 101.0)
    assert told(ours, NOW + 60) == SETTLED
    assert (ours.hot[0, layout.LAST], ours.mark(layout.FRESH)[0]) == (NOW + 60, 1)
    assert told(ours, NOW + 120) == QUIET
    assert told(ours, NOW + 300) == SETTLED
    assert ours.hot[0, layout.LAST] == NOW + 300


def test_a_clock_set_back_is_read_in_full():
    ours = known(series())
    assert told(ours, NOW - 1) == "future"
    assert told(ours, NOW - 2 * HOUR) == "future"


# R5: what the sums mean.


def test_another_meaning_is_read_in_full():
    ours = known(series())
    ours.meanings[0] += 1
    assert told(ours, NOW + 60) == "meaning"


def test_another_policy_is_decided_anew():
    t, x = series()
    x[-3:] += 60.0  # an anomaly to some
    ours = known((t, x))
    assert told(ours, NOW + 60) in (QUIET, "undecided")
    ours = known(series())
    ours.judgements[0] += 1
    assert told(ours, NOW + 60) == QUIET  # still surely False
    assert told(ours, NOW + 60) == QUIET


# R7: what is no point.

UNUSABLE = {"non_finite": math.nan, "null": None}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_is_no_point_is_dropped_and_counted_once(kind):
    ours = known(series())
    ours.stored[0] += msgpack.packb([NOW + 30, UNUSABLE[kind]]) + pair(NOW + 60, 100.0)
    ours.stored[0] += msgpack.packb([NOW + 70, UNUSABLE[kind]])
    assert told(ours, NOW + 60) == SETTLED
    assert ours.dropped[KINDS.index(kind)] == 2
    assert told(ours, NOW + 90) == QUIET
    ours.stored[0] += msgpack.packb([NOW + 75, UNUSABLE[kind]]) + pair(NOW + 120, 100.0)
    assert told(ours, NOW + 120) == SETTLED
    assert told(ours, NOW + 130) == QUIET
    assert ours.dropped[KINDS.index(kind)] == ours.dropped.sum() == 3


# R8: a verdict without a new point.


def undecided():
    """A row that sums cannot decide, though it is not anomalous; and one that is."""
    t, x = series()
    doubtful, anomalous = x.copy(), x.copy()
    doubtful[-1] = x.mean() + 70.0
    anomalous[-3:] += 500.0
    ours = Fleet([packed(t, doubtful), packed(t, anomalous)])
    judged = ours.anchor([0, 1], NOW)
    assert judged.anomalous.tolist() == [False, True]
    return ours


def test_a_verdict_stands_while_no_point_comes_but_an_anomaly_is_read_again():
    ours = undecided()
    assert ours.ask(NOW + 60).tolist() == [layout.QUIET, layout.READ_UNDECIDED]
    ours.judgements[0] += 1
    assert ours.ask(NOW + 120).tolist() == [layout.READ_UNDECIDED] * 2
    assert ours.ask(NOW + 501).tolist() == [layout.QUIET] * 2
    assert ours.mark(layout.OUTCOME).tolist() == [STALE] * 2
    assert ours.mark(layout.PREVIOUS).tolist() == [ANALYSED] * 2


def test_a_head_that_was_asked_for_and_never_came_leaves_no_verdict():
    ours = undecided()
    now = NOW + 60
    ours.hot[:, layout.HELD] = 0  # as if they were young
    from ridgeline.kernels.memory.seal import row_check

    ours.hot[:, layout.CHECK] = [row_check(row) for row in ours.hot]
    ours.take(b"".join(b"$%d\r\n%s\r\n" % (ours.size, data[-ours.size :]) for data in ours.stored), [0, 1], now)
    assert ours.codes.tolist() == [layout.HEAD] * 2
    ours.hot[:, layout.HELD] = 2 * DAY
    ours.hot[:, layout.CHECK] = [row_check(row) for row in ours.hot]
    assert ours.ask(now).tolist() == [layout.READ_UNDECIDED] * 2


# Layouts.


def test_pairs_of_any_layout_are_found_from_the_end():
    rng = np.random.default_rng(5)
    t, x = series()
    ours = known((t, np.floor(x)))
    kinds = [
        lambda t, x: msgpack.packb([t, int(x)]),
        lambda t, x: msgpack.packb([float(t), x]),
        lambda t, x: msgpack.packb([t + 0.25, int(x)]),
        lambda t, x: b"\x92\xce" + struct.pack(">I", t) + b"\xca" + struct.pack(">f", x),
        lambda t, x: b"\x93\xce" + struct.pack(">I", t) + b"\xcb" + struct.pack(">d", x) + b"\xa3abc",
        pair,
    ]
    settled = 0
    for minute in range(1, 80):
        now = NOW + 60 * minute
        ours.stored[0] += kinds[rng.integers(len(kinds))](now, 100.0 + float(rng.integers(-9, 10)))
        settled += int(ours.minute(now)[0] == layout.SETTLED)
    assert settled > 60


def test_bytes_that_end_within_a_pair_are_read_in_full():
    ours = known(series())
    for size in range(1, 15):
        ours.stored[0] = packed(*series()) + pair(NOW + 60, 1.0)[:size]
        assert told(ours, NOW + 60) in ("layout", "no_junction")


# Damage: every block of a queue proves that it is whole, and whose it is.


def test_a_queue_of_another_reading_is_refused():
    t, x = series()
    ours = known((t, x))
    old = ours.queue.copy()
    at = len(t) - 1435
    whole = packed(t, x)
    ours.stored[0] = whole[: 15 * at] + pair(t[at], 1e5) + whole[15 * at + 15 :]
    ours.anchor([0], NOW)
    new = ours.queue.copy()
    ours.stored[0] += pair(NOW + 60, 100.0)
    ours.queue[:] = old
    assert told(ours, NOW + 60) == "damaged"
    ours.queue[:] = new
    assert told(ours, NOW + 60) == SETTLED


@pytest.mark.parametrize("word", range(layout.BLOCK_WORDS))
def test_every_damaged_word_of_a_queue_is_seen(word):
    t, x = series()
    ours = Fleet([packed(t, x)] * 64)
    ours.anchor(range(64), NOW)
    ours.stored = [data + pair(NOW + 60, 100.0) for data in ours.stored]
    ours.queue[:, word] ^= np.int64(1) << np.arange(64)
    assert ours.ask(NOW + 60).tolist() == [layout.READ_DAMAGED] * 64


def test_a_row_that_is_read_in_full_is_left_as_it_was():
    ours = undecided()
    ours.stored = [data + pair(NOW + 60, 1e5) for data in ours.stored]
    before = ours.hot.copy()
    assert (ours.ask(NOW + 60) >= layout.READ).all()
    assert (ours.hot == before).all()
    assert not ours.changed.any()

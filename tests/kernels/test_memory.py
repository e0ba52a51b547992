"""What is remembered of series settles them as a full read would, or has them read in full."""

import numpy as np
import pytest
from rigs.memory import Fleet, bulk, packed, pair

from ridgeline.kernels.memory import layout
from ridgeline.kernels.score.layout import BORING, STALE, TOO_SHORT

NOW = 1_700_000_000
DAY = 86400


def series(seed, n, step=60, newest=NOW):
    """Noise about 100, n points `step` seconds apart."""
    rng = np.random.default_rng(seed)
    return newest - step * np.arange(n)[::-1], 100 + 10 * rng.normal(size=n)


def fleet(*rows, **options):
    """A fleet of series (t, x), read in full now."""
    found = Fleet([packed(*row) for row in rows], **options)
    found.anchor(range(len(rows)), NOW)
    return found


def reasons(codes):
    """Why rows are read in full; other codes as they are."""
    return [layout.READS[code - layout.READ] if code >= layout.READ else int(code) for code in codes]


@pytest.mark.parametrize(("step", "n"), [(10, 3000), (60, 1500), (300, 300)])
@pytest.mark.parametrize("stamp", ["integer", "float"])
def test_a_fleet_is_settled_as_a_full_read_settles_it(step, n, stamp):
    rng = np.random.default_rng(step)
    rows = [series(seed, n, step) for seed in range(12)]
    ours = Fleet([packed(*row, stamp) for row in rows])
    ours.anchor(range(12), NOW)
    settled = 0
    for minute in range(1, 25):
        now = NOW + minute * max(step, 60)
        for row in range(12):
            for t in range(now - max(step, 60) + step, now + 1, step):
                x = 100 + 10 * rng.normal() + (90 if rng.random() < 0.02 else 0)
                ours.stored[row] += pair(t, x, stamp)
        codes = ours.minute(now + 3)
        assert set(reasons(codes)) <= {layout.SETTLED, "undecided", "queue"}
        settled += int((codes == layout.SETTLED).sum())
    assert settled > 12 * 24 * 0.75


def test_a_row_without_a_new_point_is_quiet_and_becomes_stale():
    ours = fleet(series(1, 1500))
    assert ours.minute(NOW + 100).tolist() == [layout.QUIET]
    assert ours.mark(layout.FRESH).tolist() == [0]
    assert ours.minute(NOW + 501).tolist() == [layout.QUIET]
    assert ours.mark(layout.OUTCOME).tolist() == [STALE]
    assert ours.minute(NOW + 560).tolist() == [layout.QUIET]
    assert ours.mark(layout.PREVIOUS).tolist() == [STALE]


def test_boring_and_short_rows_are_settled():
    t, x = series(1, 1500)
    ours = fleet((t, np.full(1500, 5.0)), (t[-20:], x[-20:]), (t[-99:], x[-99:]))
    assert ours.mark(layout.OUTCOME).tolist() == [BORING, TOO_SHORT, TOO_SHORT]
    ours.stored = [data + pair(NOW + 60, 5.0) for data in ours.stored]
    assert set(reasons(ours.minute(NOW + 60))) <= {layout.SETTLED, "undecided"}


@pytest.mark.parametrize("word", range(layout.HOT_WORDS))
def test_every_damaged_word_is_seen(word):
    ours = fleet(*(series(seed, 200) for seed in range(64)))
    before = ours.hot.copy()
    ours.hot[:, word] ^= np.int64(1) << np.arange(64)
    assert reasons(ours.ask(NOW + 60)) == ["damaged"] * 64
    ours.hot[:] = before
    assert reasons(ours.ask(NOW + 60)) == [layout.QUIET] * 64


def test_replies_may_come_in_any_pieces():
    rows = [series(seed, 1500) for seed in range(5)]
    ours, whole = fleet(*rows), fleet(*rows)
    replies = b"".join(bulk(data[-ours.size :]) for data in ours.stored) + b"$0\r\n\r\n-WRONGTYPE Operation\r\n"
    order = [0, 1, 2, 3, 4, 0, 1]
    cursor = np.zeros(layout.CURSOR, np.int64)
    for have in range(len(replies) + 1):
        status, cursor = ours.take(replies, order, NOW + 60, have, cursor)
        assert status == layout.OK
    whole.take(replies, order, NOW + 60)
    assert cursor.tolist() == [len(replies), 7, len(replies), 0]  # and nothing is handed on that nobody asks for
    assert ours.codes.tolist() == whole.codes.tolist() == [layout.ABSENT, layout.WRONG_TYPE, *[layout.QUIET] * 3]


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (b"+OK\r\n", layout.NOT_RESP), (b"$x\r\n", layout.NOT_RESP), (b"$5\r\nabcdefg", layout.NOT_RESP),
        (b"$99999\r\n", layout.NOT_RESP), (b"$12345678901\r\n", layout.NOT_RESP), (b"$-2\r\n", layout.NOT_RESP),
        (b"-NOPERM this user has no permissions\r\n", layout.REFUSED), (b"-ERR unknown command\r\n", layout.REFUSED),
    ],
)  # fmt: skip
def test_what_is_no_reply_stops_where_it_stands(reply, status):
    ours = fleet(series(1, 200), series(2, 200))
    replies = bulk(ours.stored[0][-ours.size :]) + reply
    found, cursor = ours.take(replies, [0, 1], NOW)
    assert (found, cursor[:2].tolist()) == (status, [len(replies) - len(reply), 1])

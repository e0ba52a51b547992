"""What happens to a key between two runs, beside that its sender goes on: from harmless to hostile.

Each change is given the key's `Stored`, the moment, the seconds between points and a generator of random numbers.
Which of them a reader of tails must see at once, `promise` says.
"""

from __future__ import annotations

import math

import numpy as np
from rigs.hostile.stored import Item, packed, single

SPIKES = (0.0, 1.0, -1.0, 3.3, 12.0, 1e6)


def _last(stored):
    """The newest pair's second and value, as good as one can tell."""
    t, x, _ = stored.items[-1]
    return math.floor(t), (float(x) if x is not None and math.isfinite(x) else 1.0)


def spike(stored, now, step, rng):
    t, x = _last(stored)
    if t + 1 <= now:
        stored.append(t + 1, x * rng.choice(SPIKES) + rng.normal())


def same_again(stored, now, step, rng):
    """A value that repeats for minutes on end."""
    t, x = _last(stored)
    for k in range(1, 131):
        if t + k > now:
            break
        stored.append(t + k, x)


def integers(stored, now, step, rng):
    t, _ = _last(stored)
    for k, x in enumerate((0, 200, -7, 2**40, -(2**35), 2**63)[: int(rng.integers(1, 7))], 1):
        if t + k <= now:
            stored.items.append(packed(t + k, x, "mixed"))


def float_stamp(stored, now, step, rng):
    t, x = _last(stored)
    if t + 1.5 <= now:
        stored.items.append(packed(t + rng.choice([0.5, 1.0, 1.5]), x, "float"))


def single_float(stored, now, step, rng):
    t, x = _last(stored)
    if t + 1 <= now:
        stored.items.append(single(t + 1, float(np.float32(np.clip(x, -1e30, 1e30)))))


def unusable(stored, now, step, rng):
    t, _ = _last(stored)
    x = (math.nan, math.inf, -math.inf, None)[rng.integers(4)]
    stored.items.append(packed(t + int(rng.integers(0, 3)), x, "mixed"))


def unusable_only(stored, now, step, rng):
    """Twenty in a row: more than a tail holds."""
    t, _ = _last(stored)
    stored.items += [packed(min(t + k, now), math.nan, "mixed") for k in range(1, 21)]


def no_pair(stored, now, step, rng):
    """An object that is none, or that has more to it than a pair."""
    stored.items.append(Item(now, None, (b"\xc0", b"\x91\x01", b"\x93\x01\x02\x03", b"\xa3abc")[rng.integers(4)]))
    stored.broken = True


def repeat_pair(stored, now, step, rng):
    stored.items.append(stored.items[-1])


def repeat_time(stored, now, step, rng):
    t, x = _last(stored)
    stored.append(t, x + rng.choice([-5.0, 5.0]))


def late(stored, now, step, rng):
    """As late as Horizon lets a point come, which is 1,000 seconds."""
    t, x = _last(stored)
    stored.append(t - int(rng.integers(1, 1000)), x + rng.normal())


def ahead(stored, now, step, rng):
    """A sender whose clock goes before."""
    t, x = _last(stored)
    stored.append(max(t, now) + int(rng.integers(1, 600)), x * 5)


def cut(stored, now, step, rng):
    t, x = _last(stored)
    whole = packed(t + step, x, stored.layout).data
    stored.items.append(Item(t + step, None, whole[: int(rng.integers(1, len(whole)))]))
    stored.broken = True


def rewritten(back):
    """The point `back` from the end has another value."""

    def rewrite(stored, now, step, rng):
        if len(stored.items) >= back:
            x = stored.items[-back].x or 0.0
            x = x if math.isfinite(x) else 0.0
            stored.rewrite(back, x * rng.choice(SPIKES) + rng.normal())

    rewrite.__name__ = f"rewritten_{back}"
    return rewrite


def removed(back):
    """The point `back` from the end is gone."""

    def remove(stored, now, step, rng):
        if len(stored.items) >= back:
            del stored.items[-back]

    remove.__name__ = f"removed_{back}"
    return remove


def inserted(back):
    """A point stands before the one `back` from the end that was not there."""

    def insert(stored, now, step, rng):
        if len(stored.items) >= back:
            t, x, _ = stored.items[-back]
            stored.items.insert(len(stored.items) - back, packed(math.floor(t) - 1, (x or 0.0) * 3, stored.layout))

    insert.__name__ = f"inserted_{back}"
    return insert


def corrected_then_spike(stored, now, step, rng):
    """A wild value five points back is corrected in place, and a wild one follows."""
    if len(stored.items) > 5:
        stored.rewrite(5, _last(stored)[1])
        spike(stored, now, step, rng)


def outage_undone(stored, now, step, rng):
    """Ten points, 600 back, become what no outage is."""
    for back in range(600, 610):
        stored.rewrite(back, 0.0)


def head_rewritten(stored, now, step, rng):
    stored.items[0] = packed(stored.items[0].t, 12.5, stored.layout)


def head_backfilled(stored, now, step, rng):
    t = math.floor(stored.items[0].t)
    stored.items[:0] = [packed(t - k * step, 1.5 * k, stored.layout) for k in range(5, 0, -1)]


def newest_only(count):
    """The key is rebuilt from its newest points."""

    def rebuild(stored, now, step, rng):
        del stored.items[:-count]

    rebuild.__name__ = f"newest_{count}_only"
    return rebuild


def scaled(stored, now, step, rng):
    """Another unit, all history rewritten in it."""
    stored.items = [
        item if item.x is None else packed(item.t, float(item.x) * 1024.0, stored.layout) for item in stored.items
    ]


NEAR_DEPTHS, FAR_DEPTHS = (1, 2, 5, 16, 17), (18, 19, 600)


def _named(*changes):
    return {change.__name__: change for change in changes}


# What is seen at once, unless others come between; and what a reader of tails cannot see.
SHALLOW = _named(
    spike, same_again, integers, float_stamp, single_float, unusable, unusable_only, no_pair, repeat_pair, repeat_time, late, ahead, cut,
    corrected_then_spike, head_rewritten, head_backfilled, newest_only(20),
    *map(rewritten, NEAR_DEPTHS), *map(removed, NEAR_DEPTHS), *map(inserted, NEAR_DEPTHS[:-1]), scaled,
)  # fmt: skip
DEEP = _named(
    outage_undone,
    newest_only(50),
    *map(rewritten, FAR_DEPTHS),
    *map(removed, FAR_DEPTHS),
    *map(inserted, (17, *FAR_DEPTHS)),
)

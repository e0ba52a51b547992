"""What a reader of tails owes for a change: to see it at once, or within 60 runs."""

from __future__ import annotations

from operator import itemgetter

APPEND = "append"  # bytes after those that were there
NEAR = "within 17 or head"
DEEPER = "deeper"  # shows within 60 runs

KNOWN = 17  # newest pairs by time, which prove where a row stands
RUNS = 60
SILENT = 600  # seconds after which the head is looked at
WHOLE = 18 * 19  # no tail is shorter than this, so that of a shorter value it is seen how many points it has


def promised(before, after, *, now, window):
    """The class of a change of one key from `before` to `after`, both `Stored`.

    now: the moment of the run that is to find it; window: seconds that are judged.
    """
    if after.data.startswith(before.data):
        return APPEND
    known, found = (sorted(stored.points(), key=itemgetter(0)) for stored in (before, after))
    if not known:
        return NEAR
    proof = known[-KNOWN:]
    ends = [end for end in range(len(proof), len(found) + 1) if found[end - len(proof) : end] == proof]
    if not ends:
        return NEAR
    last = known[-1][0]
    counts = [pair for pair in known[: -len(proof)] if pair[0] > last - window]
    counted = [pair for pair in found[: ends[-1] - len(proof)] if pair[0] > last - window]
    if counts == counted or (len(after.data) < WHOLE and len(counts) != len(counted)):
        return NEAR
    newest = max((t for t, _ in found if t <= now), default=last)
    if now - newest <= SILENT and known[0][0] <= last - window:
        return DEEPER  # such a row's head is not looked at
    shorter = min(len(counts), len(counted))
    head = counts[len(counts) - shorter :] == counted[len(counted) - shorter :]
    return NEAR if head or (len(counts) == len(counted) and counts[1:] == counted[1:]) else DEEPER

"""Preparation of one series as it is judged at one moment: one point after the other, in plain Python."""

import collections
import itertools

from twins.counter import derivative, is_counter

GRIDS = {60, 300, 600, 900, 1800, 3600}


def filling_step(stamps, window, rule):
    """Seconds between points where gaps are filled; 0 where they are not."""
    newest = stamps[-101:]
    steps = collections.Counter(now - before for before, now in itertools.pairwise(newest) if now > before)
    step, times = min(steps.items(), key=lambda item: (-item[1], item[0])) if steps else (0, 0)
    if (step not in GRIDS) if rule == "earthgecko" else times < 2:
        step = 60
    return step if window // step <= 20_000 else 0


def fill(points, first, since, step, zeros):
    """The points from `first` on with what is missing between them, later than `since`."""
    filled = []
    if first == 0 and zeros:
        before = points[0][0] - step
        while before > since:
            filled.insert(0, (before, 0.0))
            before -= step
    for at in range(first, len(points)):
        now, value = points[at]
        if at > 0:
            missing = points[at - 1][0] + step
            while now - missing >= step / 2:
                if missing > since or at > first:
                    filled.append((missing, 0.0 if zeros else points[at - 1][1]))
                missing += step
        filled.append((now, value))
    return filled


def prepared(points, *, as_of, window, rule="native", counter=None, fill_with=None):
    """(points, label) as they are judged: `points` in order of time; `rule` names the profile.

    counter: None, "auto" or "declared"; fill_with: None, "zeros" or "last".
    """
    native = rule == "native"
    if native:
        points = list({t: x for t, x in points if t <= as_of}.items())
    if not points:
        return [], None

    def first_of(series):
        return next(at for at, (t, _) in enumerate(series) if not native or t > series[-1][0] - window)

    label = None
    considered = points[first_of(points) :]
    grows = counter == "declared" or (counter == "auto" and is_counter([x for _, x in considered], rule))
    if grows and len(points) > 3 and (rises := derivative(points, native)):
        points, label = rises, "derivative"
    first = first_of(points)
    found = points[first:]
    if fill_with is not None:
        zeros = fill_with == "zeros" and label is None
        step = filling_step([t for t, _ in found], window, rule)
        if step:
            filled = fill(points, first, points[-1][0] - window, step, zeros)
            if len(filled) > len(found):
                word = "zero_fill" if zeros else "last_known_value"
                found, label = filled, word if label is None else f"{label}+{word}"
    return found, label

"""The walks, one point at a time in plain Python: the readable twins of `ridgeline.kernels.walks`.

Lists and dictionaries instead of rows of state; what the kernels keep as float32 is rounded here too (`single`), and sums are
taken in their order, so that equal means equal in every bit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

START = 100
CEILING = 1e6


def single(value):
    """The value as a float32 holds it; 0 where it is next to nothing."""
    return float(np.float32(value)) if abs(value) >= 1e-37 else 0.0


def double(value):
    return value if abs(value) >= 1e-300 else 0.0


def weight(steps, span):
    return max(2 / (span + 1), 1 / steps)


def spread_after(sd, away, share):
    return math.sqrt((1 - share) * (sd * sd + share * away * away))


def fraction(size, limit):
    if size == 0:
        return 0.0
    return CEILING if limit * CEILING <= size else size / limit


def mean(values):
    """Four sums, every fourth value each."""
    a, b, c, d = (left_to_right(values[k::4]) for k in range(4))
    return ((a + b) + (c + d)) / len(values)


def left_to_right(values):
    total = 0.0
    for value in values:
        total += value
    return total


def median(values):
    values, middle = sorted(values), len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


@dataclass
class Pace:
    """The usual step by majority; whether the series is a counter."""

    usual: float = 0.0
    votes: int = 0
    pairs: float = 0.0
    rises: float = 0.0
    falls: float = 0.0
    counter: bool = False

    def step(self, apart, before, x, decide):
        if self.votes == 0:
            self.usual, self.votes = single(apart), 1
        elif abs(apart - self.usual) <= self.usual / 8:
            self.votes = min(self.votes + 1, 64)
        else:
            self.votes -= 1
        self.pairs, self.rises, self.falls = self.pairs + 1, self.rises + (x > before), self.falls + (x < before)
        if self.pairs >= 8192:
            self.pairs, self.rises, self.falls = self.pairs / 2, self.rises / 2, self.falls / 2
        if not decide:
            return False
        was = self.counter
        if was:
            self.counter = self.falls <= 0.01 * self.pairs and self.rises >= 0.25 * self.pairs
        else:
            self.counter = self.falls < 0.003 * self.pairs and self.rises > 0.5 * self.pairs
        return self.counter != was


@dataclass
class Clip:
    """Mean +- 30 mean absolute deviations, learned from what was clipped."""

    mean: float = 0.0
    deviation: float = 0.0
    steps: int = 0

    def bounded(self, x):
        room = max(30 * self.deviation, 0.01 * abs(self.mean))
        return min(max(x, self.mean - room), self.mean + room) if room > 0 else x

    def step(self, x):
        x = self.bounded(x)
        self.steps = min(self.steps + 1, 100_000)
        share, away = weight(self.steps, 1440), x - self.mean
        self.mean = double(self.mean + share * away)
        self.deviation = single(self.deviation + share * (abs(away) - self.deviation))
        return x

    @classmethod
    def learned(cls, values):
        centre = median(values)
        return cls(double(centre), single(1.183 * median([abs(x - centre) for x in values])), 36)


@dataclass
class Slots:
    """Seasonal residuals: 24 slots a day."""

    level: dict = field(default_factory=lambda: defaultdict(float))
    days: dict = field(default_factory=lambda: defaultdict(int))
    hour: int = 0
    total: float = 0.0
    points: int = 0

    def step(self, t, x):
        """r, or None where this hour of the day is not known."""
        hour = t // 3600
        if hour != self.hour and self.points:
            slot = self.hour % 24
            self.days[slot] = min(self.days[slot] + 1, 15)
            newest = max(0.2, 1 / self.days[slot])
            self.level[slot] = single(self.level[slot] + newest * (self.total / self.points - self.level[slot]))
            self.total, self.points = 0.0, 0
        self.hour, self.total, self.points = hour, self.total + x, self.points + 1
        return x - self.level[hour % 24] if self.days[hour % 24] >= 2 else None


@dataclass
class Deviation:
    """Z: the mean of the newest 12 residuals against those before them."""

    newest: list = field(default_factory=lambda: [0.0] * 12)
    mean: float = 0.0
    sd: float = 0.0
    steps: int = 0

    def step(self, residual):
        self.steps = min(self.steps + 1, 100_000)
        older = self.steps - 12
        if older >= 1:
            share, away = weight(older, 8640), self.newest[0] - self.mean
            self.mean, self.sd = single(self.mean + share * away), single(spread_after(self.sd, away, share))
        self.newest = [*self.newest[1:], single(residual)]
        return fraction(abs(mean(self.newest) - self.mean), 3 * self.sd) if older >= START else None


@dataclass
class Extrapolation:
    """T: the error of the straight line through the 12 points before."""

    mean: float = 0.0
    sd: float = 0.0
    steps: int = 0

    def step(self, before, x):
        origin = before[-1]
        line = left_to_right((y - origin) * (3 * i - 11) for i, y in enumerate(before))
        error = abs(x - origin - line / 66)
        score = fraction(max(error - self.mean, 0.0), 3 * self.sd) if self.steps >= START else None
        self.steps = min(self.steps + 1, 100_000)
        share, away = weight(self.steps, 20_000), error - self.mean
        self.mean, self.sd = single(self.mean + share * away), single(spread_after(self.sd, away, share))
        return score, error


@dataclass
class Coordinate:
    """The range and the spread of one mean."""

    mean: float = 0.0
    low: float = 0.0
    high: float = 0.0
    sd: float = 0.0

    @property
    def share(self):
        scale = min(self.high - self.low, 6 * self.sd)
        return np.float32(1 / scale) if scale > 0 else np.float32(1e37)

    def learn(self, value, steps):
        share, away = 1 / min(steps, 100_000), value - self.mean
        self.mean, self.sd = double(self.mean + share * away), single(spread_after(self.sd, away, share))
        if steps == 1:
            self.low = self.high = value
        elif steps > 100_000:
            self.low += (self.mean - self.low) / 100_000
            self.high += (self.mean - self.high) / 100_000
        self.low, self.high = single(min(self.low, value)), single(max(self.high, value))


@dataclass
class Novelty:
    """N: the distance to the nearest of 64 patterns that were seen."""

    leaders: list = field(default_factory=list)  # [short mean, long mean, last use]
    short: Coordinate = field(default_factory=Coordinate)
    long: Coordinate = field(default_factory=Coordinate)
    steps: int = 0

    def step(self, newest):
        f, g = left_to_right(newest[-3:]) / 3, mean(newest)
        distance, nearest = 0.0, None
        if self.leaders:
            known = np.array(self.leaders, np.float32)
            with np.errstate(over="ignore"):
                u = np.abs(known[:, 0] - np.float32(f)) * self.short.share
                v = np.abs(known[:, 1] - np.float32(g)) * self.long.share
            apart = np.maximum(u, v)
            nearest = self.leaders[int(apart.argmin())]
            distance = float(apart.min())
        now = self.steps // 64
        if nearest is None or distance > 0.14:
            if len(self.leaders) < 64:
                self.leaders.append([single(f), single(g), now])
            else:
                min(self.leaders, key=lambda leader: leader[2])[:] = single(f), single(g), now
        else:
            nearest[2] = now
        self.steps += 1
        self.short.learn(f, self.steps)
        self.long.learn(g, self.steps)
        return fraction(distance, 0.14) if self.steps > START else None


@dataclass
class Table:
    """One number a slot, and the days it knows."""

    level: dict = field(default_factory=lambda: defaultdict(float))
    days: dict = field(default_factory=lambda: defaultdict(int))

    def enter(self, slot, value):
        self.days[slot] = min(self.days[slot] + 1, 15)
        newest = max(0.2, 1 / self.days[slot])
        self.level[slot] = single(self.level[slot] + newest * (value - self.level[slot]))


@dataclass
class Outage:
    """W: off the profile by more than usual at this time of the day."""

    width: int = 0
    everyday: Table = field(default_factory=Table)
    week: Table = field(default_factory=Table)
    weekend: Table = field(default_factory=Table)
    spread: Table = field(default_factory=Table)
    visit: int = 0
    values: list = field(default_factory=list)
    residual_sizes: list = field(default_factory=list)
    late: list = field(default_factory=list)  # (x, p) of the newest 12 steps
    level: tuple = (0.0, 0.0)
    level_steps: int = 0
    negative: bool = False
    residuals: list = field(default_factory=list)
    levels: list = field(default_factory=list)
    size_of_residuals: float = 0.0
    size_of_levels: float = 0.0
    sizes: int = 0
    floor: float = 0.0
    floors: int = 0

    def step(self, t, x, pace):
        """(W, U, the ends of the band or None), or None while they are not known."""
        slots = 86400 // self.width
        if t // self.width != self.visit and self.values:
            slot = self.visit % slots
            v = left_to_right(self.values) / len(self.values)
            self.everyday.enter(slot, v)
            (self.weekend if on_weekend(self.visit * self.width) else self.week).enter(slot, v)
            if self.residual_sizes:
                self.spread.enter(slot, left_to_right(self.residual_sizes) / len(self.residual_sizes))
            self.values, self.residual_sizes = [], []
        self.visit = t // self.width
        self.values.append(x)
        self.negative |= x < 0
        slot, within = self.visit % slots, t % self.width / self.width - 0.5
        neighbours = (slot - 1) % slots, (slot + 1) % slots
        p = self.expected(t, slot, neighbours[within >= 0], abs(within))
        if p is None or not self.know_level(x, p, pace):
            return None
        value, profile = self.level
        in_proportion = not self.negative and profile > 0
        middle = p * min(max(value / profile, 1 / 4), 4) if in_proportion else p + (value - profile)
        residual = x - middle
        self.residuals = [*self.residuals, single(residual)][-12:]
        self.levels = [*self.levels, single(x - value)][-12:]
        if len(self.residuals) < 12:
            return None
        y = mean(self.residuals)
        self.residual_sizes.append(abs(y))
        self.sizes = min(self.sizes + 1, 100_000)
        share = weight(self.sizes, 518_400 / pace)
        residual_size = self.size_of_residuals + share * (abs(y) - self.size_of_residuals)
        level_size = self.size_of_levels + share * (abs(mean(self.levels)) - self.size_of_levels)
        self.size_of_residuals, self.size_of_levels = single(residual_size), single(level_size)
        if self.spread.days[slot] < 2:
            return None
        room = 4.5 * self.deviation(slot, neighbours, pace)
        ungated = fraction(mildest(self.residuals, y), room)
        if residual_size > 0.7 * level_size:
            return 0.0, ungated, None, None
        return ungated, ungated, max(middle - room, -1e37 if self.negative else 0.0), min(middle + room, 1e37)

    def expected(self, t, slot, beside, share):
        for table in (self.weekend if on_weekend(t) else self.week), self.everyday:
            if table.days[slot] >= 2 and table.days[beside] >= 2:
                return table.level[slot] + share * (table.level[beside] - table.level[slot])
        return None

    def know_level(self, x, p, pace):
        if len(self.late) == 12:
            share = weight(self.level_steps - 11, max(5400 / pace, 18))
            self.level = tuple(
                double(so_far + share * (leaving - so_far))
                for so_far, leaving in zip(self.level, self.late[0], strict=True)
            )
        self.late = [*self.late, (single(x), single(p))][-12:]
        self.level_steps = min(self.level_steps + 1, 100_000)
        return self.level_steps - 12 >= 30

    def deviation(self, slot, neighbours, pace):
        known = [self.spread.level[slot], *(self.spread.level[n] for n in neighbours if self.spread.days[n])]
        v = left_to_right(known) / len(known)
        self.floors = min(self.floors + 1, 100_000)
        floor = self.floor + weight(self.floors, 518_400 / pace) * (v - self.floor)
        self.floor = single(floor)
        return 1.2533 * max(v, 0.2 * floor)


def mildest(residuals, y):
    """The mean of the 6 mildest residuals on y's side, as a size."""
    side = 1 if y >= 0 else -1
    ranked = sorted(range(12), key=lambda i: (side * residuals[i], i))[:6]
    return max(left_to_right(side * residuals[i] for i in sorted(ranked)) / 6, 0.0)


def on_weekend(t):
    return (t // 86400 + 3) % 7 >= 5


def width_for(pace):
    """Seconds of a slot: a quarter of an hour, or what is no shorter than a step (a step may waver by an eighth)."""
    widths = [900, 1800, 3600, 7200, 10800, 14400, 21600, 28800, 43200, 86400]
    return next((width for width in widths if width * 8 >= pace * 7), 86400)


@dataclass
class Walker:
    """All walks of one metric, and the rule `pages`."""

    newest: list = field(default_factory=lambda: [0.0] * 36)
    points: int = 0
    before: tuple = (0, 0.0)
    pace: Pace = field(default_factory=Pace)
    clip: Clip = field(default_factory=Clip)
    slots: Slots = field(default_factory=Slots)
    deviation: Deviation = field(default_factory=Deviation)
    extrapolation: Extrapolation = field(default_factory=Extrapolation)
    novelty: Novelty = field(default_factory=Novelty)
    outage: Outage = field(default_factory=Outage)
    lately: list = field(default_factory=lambda: [0.0] * 5)

    def step(self, t, x):
        """None of a point not newer than those before it, else (W, U, Z, N, T, the score of `pages`, what it
        sees beside outages), None: learning; and (low, high, None: no band; r, e, the usual step).
        """
        if self.points and t <= self.before[0]:
            return None
        x = min(max(x, -1e37), 1e37)
        (earlier, before), self.before = self.before, (t, x)
        self.points += 1
        changed = self.points > 1 and self.pace.step(t - earlier, before, x, decide=self.points >= START)
        if self.points <= START:
            self.newest = [*self.newest[1:], single(x)]
            if self.points == START:
                self.begin()
            return (None, None, None, None, None, 0.0, 0.0), (None, None, 0.0, 0.0, self.pace.usual)
        if changed:
            self.begin()
            self.outage = Outage()
        if self.pace.counter:
            rise = (x - before if x >= before else x) * 60 / (t - earlier)
            walked, x = float(np.float32(self.clip.step(rise))), float(np.float32(x))
        else:
            walked = x = float(np.float32(self.clip.step(x)))
        residual = self.slots.step(t, x)
        z = None if residual is None else self.deviation.step(residual)
        line, error = self.extrapolation.step(self.newest[-12:], x)
        self.newest = [*self.newest[1:], single(x)]
        novel = self.novelty.step(self.newest)
        width = width_for(self.pace.usual)
        if not self.outage.width or (self.pace.votes >= 64 and self.outage.width != width):
            self.outage = Outage(width)
        gated, ungated, *band = self.outage.step(t, walked, self.pace.usual) or (None, None, None, None)
        pattern = self.pattern(z or 0.0, novel or 0.0, line or 0.0, ungated or 0.0)
        scores = gated, ungated, z, novel, line, max(pattern, gated or 0.0), pattern
        return scores, (*((None, None) if self.pace.counter else band), residual or 0.0, error, self.pace.usual)

    def begin(self):
        if self.pace.counter:
            rises = [max(b - a, 0.0) * 60 / self.pace.usual for a, b in zip(self.newest, self.newest[1:], strict=False)]
            self.clip = Clip.learned(rises)
            return
        self.clip = Clip.learned(self.newest)
        self.newest = [single(self.clip.bounded(x)) for x in self.newest]

    def pattern(self, z, novel, line, ungated):
        pattern = min(max((z + novel) / 2, line / 3), CEILING)
        self.lately = [*self.lately[1:], single(pattern if ungated > 0.5 else 0.0)]
        if self.pace.usual >= 300:
            return pattern
        return sorted(self.lately)[-3]


@dataclass
class Tail:
    """P: every score so far in its bin, a thousand and twenty-four of them, looked through from the top."""

    counts: list = field(default_factory=lambda: [0.0] * 1024)
    sums: list = field(default_factory=lambda: [0.0] * 32)  # of scores, a sum for every 32 bins
    since: int = 0

    def step(self, score, pace):
        """P, or None: learning."""
        place = min(int(score / (3 / 1024)), 1023)
        self.counts[place] += 1
        self.sums[place // 32] += score
        self.since += 1
        if self.since == 5000:
            self.counts, self.sums = [c / 2 for c in self.counts], [s / 2 for s in self.sums]
            self.since = 0
        known = left_to_right(self.counts)
        if known < 150:
            return None
        return self.rarity(score, place, known) / max(0.7, math.log10(2_592_000 / pace / 40))

    def rarity(self, score, place, known):
        lower, above = 1024, 0.0
        while lower > 0 and above + self.counts[lower - 1] <= 0.02 * known:
            lower -= 1
            above += self.counts[lower]
        if place < lower:
            return -math.log10(left_to_right(self.counts[place:]) / known)
        whole = -(-lower // 32)  # the first group that lies above u with all its bins
        total = left_to_right(self.sums[whole:]) + left_to_right(
            self.counts[i] * (i + 0.5) * 3 / 1024 for i in range(lower, 32 * whole)
        )
        excess = max(total / above - lower * 3 / 1024, 3 / 2048)
        return (score - lower * 3 / 1024) / excess * math.log10(math.e) - math.log10(above / known)


def record(times, errors, scores):
    """The scores, each no higher than its error against 1.3 times the largest more than an hour before it."""
    found = []
    for now, error, score in zip(times, errors, scores, strict=True):
        most, when = 0.0, times[0]
        for t, e in zip(times, errors, strict=True):
            if t > now - 3600:
                break
            most, when = max(most / (1 + (t - when) / 604_800), e), t
        most /= 1 + (now - when) / 604_800
        found.append(min(score, fraction(error, 1.3 * most)))
    return found

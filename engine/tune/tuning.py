"""`ridgeline tune`, start to end: read, sweep, pick on halves, look at the others, and say what holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.alerts.rule import EXPIRATION
from ridgeline.engine.evaluate.labels import Labels, Window, unheard
from ridgeline.engine.report.progress import Progress
from ridgeline.engine.rules.judgement import CONSENSUS, JOBS
from ridgeline.engine.tune.ablation import ablation
from ridgeline.engine.tune.configured import Configured
from ridgeline.engine.tune.frontier import frontier
from ridgeline.engine.tune.history import History
from ridgeline.engine.tune.lots import Lots, halves, lots_of
from ridgeline.engine.tune.measures import Known, known_of, measures
from ridgeline.engine.tune.nested import SURE, Aim, Dealt, nested
from ridgeline.engine.tune.paged import page, page_today
from ridgeline.engine.tune.patterns import Apart, Search
from ridgeline.engine.tune.setting import OFF, Column, Grid, Own, Setting, grid_of
from ridgeline.engine.tune.sweep import Bench, Tallies, View, clock, sweep, today
from ridgeline.engine.tune.tuned import Clock, Tuned
from ridgeline.io.errors import InputError
from ridgeline.kernels.sweep.layout import FOUND

CLOCKS: Final = tuple(3600 * hours for hours in (1, 4, 12, 24, 60))  # seconds between alarms that know nothing
EVERY_STEP: Final = 1


@dataclass(frozen=True, slots=True)
class Tuning:
    """One tuning: the folders of backtests, the first of them today's, what is known of them, and what is asked for.

    purpose  "run" or "backtest": whose rules may be picked
    say      receives sentences about what labels and folders do not hold
    """

    folders: Sequence[Path]
    labels: Labels | None
    aim: Aim
    folds: int
    seed: int
    purpose: str
    threads: int
    say: Callable[[str], None]
    terminal: TextIO | None = None

    def run(self) -> Tuned:
        """Sweep and pick. Raises InputError with one sentence where nothing could come of it."""
        views = self._views()
        windows = {} if self.labels is None else {name: some for name, some in self.labels.windows.items() if some}
        metrics, span = views[0].history.metrics()
        lots = lots_of(metrics, windows, span, self.seed)
        bench = Bench(windows, lots, self.threads)
        known = known_of(views[0].history, windows, lots)
        self._check_labels(windows, metrics, views[0], bench)
        own = own_of(views[0])
        grid = grid_of([(view.history.algorithms, view.history.walks) for view in views], own)
        began = time.perf_counter()
        steps = sum(int(view.history.manifest["steps"]) for view in views)
        with Progress("steps", self.terminal, total=steps) as progress:
            tallies = sweep(views, grid, bench, progress.add)
        seconds = time.perf_counter() - began
        now = today(views[0], bench)
        if not tallies.any() and not now.any():
            outcomes = ", ".join(f"{name} {count:,}" for name, count in views[0].history.manifest["outcomes"].items())
            raise InputError(f"no step of {self.folders[0]} has a score to choose by (outcomes: {outcomes or 'none'})")
        return _Held(self, views, grid, tallies, now, known, lots, own).tuned(bench, seconds)

    def _views(self) -> list[View]:
        """The backtests, which are of the same steps."""
        views = [View(history, Configured.of(history)) for history in map(History.open, self.folders)]
        first = views[0].history
        for view in views[1:]:
            other = view.history
            if _steps_of(other) != _steps_of(first):
                raise InputError(
                    f"{other.folder} is not of the same steps as {first.folder}: "
                    "give backtests of one dataset with the same --from, --to and --every"
                )
        return views

    def _check_labels(
        self, windows: Mapping[str, Sequence[Window]], metrics: Sequence[str], view: View, bench: Bench
    ) -> None:
        """Say which labels are of no metric, and refuse where none is of any step."""
        if self.labels is None:
            return
        if not windows:
            raise InputError("the labels hold no window at all: there is nothing to find")
        sentence = unheard(self.labels, set(metrics))
        if sentence is not None:
            self.say(sentence)
        if not clock(view, bench, EVERY_STEP)[:, FOUND].any():
            raise InputError(
                f"no labelled window holds a step of {view.history.folder}, so nothing could be found: "
                "check the names of metrics and the times of the labels"
            )


def _steps_of(history: History) -> tuple[object, ...]:
    plan = history.manifest["configuration"]["plan"]
    return history.manifest["data"]["sha256"], plan["start"], plan["end"], plan["every"]


def own_of(view: View) -> Own:
    """Today's setting, as the grid knows it."""
    configured, policy = view.configured, view.configured.policy
    rows = configured.alerts
    first = rows[0] if rows else None
    usual = configured.analysis.m_of_n or (1, 1)
    runs = (first.m_of_n if first else None) or usual
    votes = policy.consensus if policy.rule == CONSENSUS else 0
    return Own(
        Setting(Column(0, policy.rule, votes), policy.rule_threshold, runs, first.expiration if first else EXPIRATION),
        policy.consensus,
        tuple(row.expiration for row in rows) or (EXPIRATION,),
        (runs, *(row.m_of_n for row in rows if row.m_of_n is not None)),
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """What was swept, before anything is picked."""

    asked: Tuning
    views: Sequence[View]
    grid: Grid
    tallies: Tallies
    now: Tallies
    known: Known
    lots: Lots
    own: Own

    def tuned(self, bench: Bench, seconds: float) -> Tuned:
        """Pick, and look."""
        aim, labelled = self.asked.aim, self.asked.labels is not None
        everything = np.ones((1, len(self.lots)), np.bool_)
        labels = self.known.labelled if labelled else None
        dealt = Dealt.of(
            self.tallies, self.now, self.known, halves(self.lots.together, labels, self.asked.folds, self.asked.seed)
        )
        whole = measures(self.tallies, self.known, everything)
        own = measures(self.now[None], self.known, everything)
        allowed = self._allowed(labelled=labelled)
        best = int(aim.pick(whole, allowed)[0])
        broken = not bool(aim.keeps(own)[0, 0])
        found = nested(dealt, aim, allowed)
        gain = found.gain(aim, broken=broken)
        blind = self._clock(bench) if labelled else None
        recommended = self._is_proven(best, gain, broken=broken, labelled=labelled)
        if blind is not None and len(gain) and found.held.mean() <= blind.objective(aim.metric):
            recommended = False
        apart = self._apart(allowed) if recommended and labelled else None
        chosen = whole.of(best)
        if apart is not None and apart.proven:
            chosen = measures(apart.tallies[None], self.known, everything).of(0)
        overrides = apart.settings if apart is not None and apart.proven else {}
        paging = page(self.views[self.grid[best].column.view], self.grid[best], overrides, self.lots)
        before = page_today(self.views[0])
        return Tuned(
            views=self.views,
            aim=aim,
            own=self.own.setting,
            setting=self.grid[best],
            today=own.of(0),
            chosen=chosen,
            nested=found,
            gain=gain,
            broken=broken,
            recommended=recommended,
            apart=apart,
            paged=((before.pages, before.messages), (paging.pages, paging.messages)),
            frontier=frontier(self.grid, whole, dealt, allowed, labelled=labelled),
            ablation=ablation(self.grid, whole, self.own),
            clock=blind,
            lots=self.lots,
            known=self.known,
            labelled=labelled,
            settings=len(self.grid),
            seconds=seconds,
            purpose=self.asked.purpose,
        )

    def _allowed(self, *, labelled: bool) -> NDArray[np.bool_]:
        """Which settings may be picked: those of rules that the purpose knows, without algorithms switched off.

        Without labels, today's setting with a threshold no lower than today's: what a louder one would find nobody knows.
        """
        allowed = np.zeros(len(self.grid), np.bool_)
        own = self.own.setting
        for start, family in zip(self.grid.starts, self.grid.families, strict=False):
            column = family.column
            if labelled:
                known = column.rule in JOBS[self.asked.purpose]
                allowed[start : start + len(family)] = known and (column.cutoff is None or column.cutoff[1] != OFF)
            elif column == own.column:
                allowed[start : start + len(family)] = [
                    family[at].threshold >= own.threshold
                    and (family[at].m_of_n, family[at].expiration) == (own.m_of_n, own.expiration)
                    for at in range(len(family))
                ]
        return allowed

    def _is_proven(self, best: int, gain: NDArray[np.float64], *, broken: bool, labelled: bool) -> bool:
        """Whether the gain held on nine halves of ten. Without labels nothing is won where today's keeps the budget."""
        if not len(gain) or self.grid[best] == self.own.setting or not (labelled or broken):
            return False
        return float(np.percentile(gain, SURE)) > 0

    def _apart(self, allowed: NDArray[np.bool_]) -> Apart | None:
        search = Search(self.grid, self.tallies, self.known, self.lots, self.asked.aim, allowed)
        return search.apart(self.asked.folds, self.asked.seed)

    def _clock(self, bench: Bench) -> Clock:
        """The best of the clocks: what does not find more than it has found nothing."""
        everything = np.ones((1, len(self.lots)), np.bool_)
        found = measures(np.stack([clock(self.views[0], bench, period) for period in CLOCKS]), self.known, everything)
        best = int(np.argmax(self.asked.aim.objective(found)[:, 0]))
        return Clock(CLOCKS[best], float(found.f1[best, 0]), float(found.nab[best, 0]))

"""What tuning found, for programs and for configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ridgeline.engine.rules.judgement import JOBS
from ridgeline.engine.tune.lots import Lots
from ridgeline.engine.tune.measures import Floats, Known
from ridgeline.engine.tune.nested import SURE, Aim, Metric, Nested
from ridgeline.engine.tune.patterns import Apart
from ridgeline.engine.tune.setting import Setting
from ridgeline.engine.tune.sweep import View
from ridgeline.engine.tune.toml import text, tuned


@dataclass(frozen=True, slots=True)
class Clock:
    """Alarms at fixed times, every `period` seconds, whatever the series: their F1, and NAB's score."""

    period: int
    f1: float
    nab: float

    def objective(self, metric: Metric) -> float:
        """What is to be large."""
        return self.nab if metric == "nab" else self.f1


@dataclass(frozen=True, slots=True)
class Tuned:
    """The setting that was picked on everything, `chosen` and `today` by name of measure, and what held on other halves.

    gain     float64[folds]: paired, on the halves that nothing was picked on
    broken   whether today's setting breaks a budget
    apart    settings of their own by prefix, None where they were not tried
    paged    (alerts that are let through, messages) of today's and of the chosen setting, by the stages of delivery
    settings how many were tried, in so many `seconds`
    """

    views: Sequence[View]
    aim: Aim
    own: Setting
    setting: Setting
    today: Mapping[str, float]
    chosen: Mapping[str, float]
    nested: Nested
    gain: Floats
    broken: bool
    recommended: bool
    apart: Apart | None
    paged: tuple[tuple[int, int], tuple[int, int]]
    frontier: Sequence[Mapping[str, Any]]
    ablation: Sequence[Mapping[str, Any]]
    clock: Clock | None
    lots: Lots
    known: Known
    labelled: bool
    settings: int
    seconds: float
    purpose: str

    @property
    def overrides(self) -> Mapping[str, Setting]:
        """The settings by prefix that are recommended."""
        return self.apart.settings if self.recommended and self.apart is not None and self.apart.proven else {}

    @property
    def folds(self) -> int:
        """How many halves were held out."""
        return len(self.gain)

    def as_json(self) -> dict[str, Any]:
        """The object of `tune --json`, and of `tune.json`."""
        return {
            "objective": self.aim.metric,
            "budgets": {
                "pages_per_day": self.aim.max_pages,
                "false_alarms_per_metric_week": self.aim.max_false_alarms,
            },
            "backtests": [str(view.history.folder) for view in self.views],
            "today": {**self._told(self.own, self.today), **_paged(self.paged[0])},
            "settings": self.settings,
            "seconds": round(self.seconds, 3),
            "folds": self.folds,
            "halves": self.lots.kind,
            "held_out": self._held(),
            "optimism": self.nested.optimism if self.folds else None,
            "gain": self._gain(),
            "frontier": [self._measured(point) for point in self.frontier],
            "chosen": {**self._told(self.setting, self.chosen), **_paged(self.paged[1])},
            "recommended": self.recommended,
            "overrides": {prefix: one.as_json() for prefix, one in self.overrides.items()},
            "ablation": [self._measured(row) for row in self.ablation],
            "clock": None if self.clock is None else asdict(self.clock),
        }

    def toml(self) -> str:
        """The setting that is recommended as a configuration; today's where none is."""
        if not self.recommended:
            why = "no gain was proven on halves of the history that nothing was picked on: these are the settings of today"
            return text(self.views[0].configured, [why])
        said = ["Chosen by `ridgeline tune`.", *self._proof()]
        if self.setting.column.rule not in JOBS["run"]:
            said.append(f'`run` does not judge by the rule "{self.setting.column.rule}": this file is for `backtest`.')
        configured = self.views[self.setting.column.view].configured
        return text(tuned(configured, self.setting, self.overrides), said)

    def _proof(self) -> list[str]:
        name = {"events": "F1", "nab": "NAB", "pages": "pages a day"}[self.aim.metric]
        held = self.nested.held
        said = f"{name} held out: {held.mean():.3f} +- {held.std():.3f} over {self.folds} halves"
        return [f"{said}, today's settings there {self.nested.today.mean():.3f}."]

    def _told(self, setting: Setting, found: Mapping[str, float]) -> dict[str, Any]:
        return self._measured({"setting": setting.as_json(), **found})

    def _measured(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The measures; what only labels can tell is null without them."""
        unknown = () if self.labelled else ("false_alarms_per_metric_week", "precision", "recall", "f1", "nab")
        return {name: None if name in unknown else value for name, value in found.items()}

    def _held(self) -> dict[str, Any] | None:
        if not self.folds:
            return None
        found = self.nested
        return {
            "mean": float(found.held.mean()),
            "sd": float(found.held.std()),
            "trained": float(found.trained.mean()),
            "today": float(found.today.mean()),
            "pages_per_day": float(found.pages.mean()),
            "recall": float(found.recall.mean()) if self.labelled else None,
            "kept_budgets": float(found.kept.mean()),
            "each": [
                {"trained": t, "held_out": h, "today": n}
                for t, h, n in zip(found.trained.tolist(), found.held.tolist(), found.today.tolist(), strict=True)
            ],
        }

    def _gain(self) -> dict[str, float] | None:
        if not self.folds:
            return None
        return {"mean": float(self.gain.mean()), "p10": float(np.percentile(self.gain, SURE))}


def _paged(found: tuple[int, int]) -> dict[str, int]:
    return {"pages": found[0], "messages": found[1]}

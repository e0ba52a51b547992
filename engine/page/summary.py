"""Everything that a page tells, out of a backtest's stored files and labels, in two passes over the scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ridgeline.engine.evaluate.labels import Labels
from ridgeline.engine.page.blocks import Block, blocks
from ridgeline.engine.page.chosen import choose
from ridgeline.engine.page.curves import Sweep
from ridgeline.engine.page.gather import whole_metrics
from ridgeline.engine.page.heat import DAY, Spell, grid, grouped
from ridgeline.engine.page.paging import paged
from ridgeline.engine.page.stored import Stored
from ridgeline.engine.page.subjects import CHANNELS, Shown, shown
from ridgeline.engine.page.tally import Tally
from ridgeline.engine.rules.judgement import (
    CONSENSUS,
    EXPECTED_HIGH,
    EXPECTED_LOW,
    NEEDS_WALKS,
    RULE_SCORE,
    SCORE_OF_RULE,
)
from ridgeline.engine.rules.user_algorithms import SCORE
from ridgeline.engine.score.graded import GRADED, algorithms_among
from ridgeline.engine.score.verdicts import OUTCOMES
from ridgeline.io.text import escape

IN_FORCE: Final = (RULE_SCORE, SCORE_OF_RULE[CONSENSUS])  # the score that decides: the first that is stored
OF_RULES: Final = (*(SCORE_OF_RULE[rule] for rule in sorted(NEEDS_WALKS)), *GRADED)  # others to choose a threshold of
PLAIN: Final = ("timestamp", "value", "outcome", "anomalous")


@dataclass(slots=True)
class Summary:
    """What a page is made of: `labels` None without any, at most `limit` metrics in full."""

    stored: Stored
    labels: Labels | None
    limit: int
    tally: Tally = field(init=False)
    sweeps: dict[str, Sweep] = field(init=False)
    metrics: dict[str, Shown] = field(init=False)

    def __post_init__(self) -> None:
        columns = self.stored.columns
        self.tally = Tally(tuple(algorithms_among(columns)))
        labels = self.labels
        scores = [name for name in dict.fromkeys((self.score, *OF_RULES)) if name in columns]
        self.sweeps = {} if labels is None else {name: Sweep(labels) for name in scores}
        chosen = choose(self._steps(), self._incident_points(), frozenset(labels.windows if labels else ()), self.limit)
        self.metrics = {name: Shown({}, "") for name in chosen}
        self._read()

    @property
    def score(self) -> str:
        """The column of the score that decides."""
        return next((name for name in IN_FORCE if name in self.stored.columns), IN_FORCE[-1])

    def _steps(self) -> Counter[str]:
        """How many steps each metric has."""
        steps: Counter[str] = Counter()
        for block in blocks(self.stored, ()):
            steps.update(dict(zip(block.names, np.diff(block.bounds).tolist(), strict=True)))
        return steps

    def _incident_points(self) -> Counter[str]:
        """How many anomalous steps each metric has, as its incidents tell."""
        found: Counter[str] = Counter()
        incidents = self.stored.incidents
        for name, points in zip(incidents["metric"].to_pylist(), incidents["points"].to_pylist(), strict=True):
            found[name] += points
        return found

    def _read(self) -> None:
        """The pass over all columns that anything is made of."""
        here = self.stored.columns
        wanted = [
            *PLAIN,
            self.score,
            *self.sweeps,
            CHANNELS,
            EXPECTED_LOW,
            EXPECTED_HIGH,
            *(n + SCORE for n in self.tally.algorithms),
        ]
        for block in whole_metrics(blocks(self.stored, [name for name in dict.fromkeys(wanted) if name in here])):
            self.tally.add(block)
            for column, sweep in self.sweeps.items():
                sweep.add(block, block.numbers(column))
            for place, name in enumerate(block.names):
                if name in self.metrics:
                    self.metrics[name] = self._shown(name, block.cut(place, place + 1))

    def _shown(self, name: str, whole: Block) -> Shown:
        windows = self.labels.windows.get(name, ()) if self.labels else ()
        return shown(whole, self.tally.algorithms, self.score, windows, self._pages(name))

    def _pages(self, name: str) -> npt.NDArray[np.int64]:
        """The instants at which a metric paged, each once."""
        import pyarrow.compute as pc

        pages = self.stored.pages
        stamps = pages["timestamp"].filter(pc.equal(pages["metric"].cast("string"), name)).to_numpy()
        return np.array(sorted(set(stamps.tolist())), np.int64)

    def as_json(self) -> dict[str, Any]:
        """The object that the page's script begins with; names in it are escaped for people."""
        manifest, subjects = self.stored.manifest, self.tally.subjects
        first = min((subject.first for subject in subjects.values()), default=0)
        last = max((subject.last for subject in subjects.values()), default=0)
        days = (last - first) / DAY
        plan = manifest["configuration"]
        spells = [Spell(*row) for row in self._spells()]
        incidents = Counter(spell.metric for spell in spells)
        return {
            "title": escape(self.stored.folder.resolve().name),
            "facts": {
                "metrics": len(subjects),
                "steps": manifest["steps"],
                "first": first,
                "last": last,
                "anomalous": self.tally.anomalous,
                "incidents": len(spells),
                "pages": manifest["pages"],
                "pages_per_day": manifest["pages"] / days if days > 0 else None,
                "outcomes": manifest["outcomes"],
                "unreadable": len(manifest["unreadable"]),
                "window": plan["plan"]["window"],
                "rule": plan["policy"].get("rule", "consensus"),
                "consensus": plan["policy"]["consensus"],
                "score": self.score,
            },
            "outcomes": list(OUTCOMES),
            "heat": self._named(grid(spells, grouped(subjects), first, last)),
            "agreement": self.tally.as_json(),
            "curves": self._curves(),
            "tuning": self.stored.tuned,
            "paging": paged(manifest["policy"], self._places()),
            "metrics": [self._metric(name, one, incidents[name]) for name, one in self.metrics.items()],
        }

    def _metric(self, name: str, one: Shown, incidents: int) -> Mapping[str, Any]:
        subject = self.tally.subjects[name]
        return {**one.facts, "steps": subject.steps, "anomalous": subject.anomalous, "incident_count": incidents}

    def _spells(self) -> Iterator[tuple[str, int, int]]:
        columns = [self.stored.incidents[name].to_pylist() for name in ("metric", "start", "end")]
        return zip(*columns, strict=True)

    def _curves(self) -> dict[str, Any] | None:
        if not self.sweeps or self.labels is None:
            return None
        missing = [name for name, windows in self.labels.windows.items() if windows and name not in self.tally.subjects]
        return {
            "windows": self.labels.count,
            "without_scores": len(missing),
            "scores": {name: sweep.as_json() for name, sweep in self.sweeps.items()},
        }

    def _places(self) -> dict[str, int]:
        """The place of each metric that is held in full."""
        return {name: place for place, name in enumerate(self.metrics)}

    def _named(self, heat: dict[str, Any]) -> dict[str, Any]:
        """The grid with names for people, and where the metrics of its rows are held."""
        places = self._places()
        heat["metrics"]["places"] = [places.get(name) for name in heat["metrics"]["names"]]
        for kind in ("metrics", "groups"):
            heat[kind]["names"] = [escape(name) for name in heat[kind]["names"]]
        return heat

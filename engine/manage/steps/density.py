"""How dense series are, and which have become denser or sparser of late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ridgeline.engine.manage.fleet import Fleet
from ridgeline.engine.manage.lists import Change, Kept, MetricSet, Text
from ridgeline.engine.manage.reading import Densities
from ridgeline.engine.manage.subject import Subject
from ridgeline.engine.manage.trends import Trends, key_of
from ridgeline.engine.prepare.density import FULL
from ridgeline.engine.run.books.series import POPULATED
from ridgeline.io.redis.entries import Entries

LATELY: Final = 3600  # seconds for which a change is told, unless another follows
SPARSITY: Final = "analyzer.metrics_manager.metrics_sparsity"
DENSER: Final = "analyzer.metrics_manager.metrics_sparsity_decreasing"
SPARSER: Final = "analyzer.metrics_manager.metrics_sparsity_increasing"


@dataclass(frozen=True, slots=True, eq=False)
class Noting:
    """Keeps the notes for the next pass, where they have changed. No list of metrics, and so no change that is told of."""

    fleet: Fleet
    before: Trends
    now: Trends

    @property
    def key(self) -> str:
        """Its key."""
        return key_of(self.fleet.host)

    def change(self, entries: Entries) -> Change:
        """Note what is new."""
        if not self.now.same(self.before):
            entries.set(self.key, self.now.text(self.fleet.names))
        return Change()


@dataclass(frozen=True, slots=True, eq=False)
class Gone:
    """Drops from what runs told of densities the metrics that are listed no more."""

    densities: Densities

    @property
    def key(self) -> str:
        """Its key."""
        return self.densities.key

    def change(self, entries: Entries) -> Change:
        """Drop them, from the set of full series too."""
        gone = self.densities.gone()
        entries.drop_out(self.key, gone)
        entries.take_out(POPULATED, [name for name, percent in gone.items() if percent >= FULL])
        return Change((), sorted(gone))


def density(subject: Subject) -> list[Kept]:
    """The sets of metrics that became denser or sparser, the fleet's numbers, and what the next pass is to know."""
    fleet, before = subject.fleet, subject.reading.trends
    now = before.after(subject.reading.densities.percent, subject.now)
    denser, sparser = (
        MetricSet(key, fleet, now.lately(sign, LATELY, subject.now), fleet.namespace)
        for key, sign in ((DENSER, 1), (SPARSER, -1))
    )
    return [
        denser,
        sparser,
        *_numbers(subject, denser, sparser),
        Gone(subject.reading.densities),
        Noting(fleet, before, now),
    ]


def _numbers(subject: Subject, denser: MetricSet, sparser: MetricSet) -> list[Text]:
    """Percent on average, and how many metrics are full, sparser, denser: of all hosts' metrics."""
    if not subject.fleet.share.first:
        return []
    percent = subject.reading.densities.all()
    if not len(percent):
        return []
    told = {
        "avg_sparsity": lambda: str(float(percent.mean())),
        "metrics_fully_populated": lambda: str(int((percent >= FULL).sum())),
        "metrics_sparsity_increasing": lambda: str(sparser.size()),
        "metrics_sparsity_decreasing": lambda: str(denser.size()),
    }
    return [Text(f"{SPARSITY}.{name}", number) for name, number in told.items()]

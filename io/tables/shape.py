"""How the columns of a table are to be read: which is which, and what a series is called.

Light: settings and the command line import it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ridgeline.io.errors import InputError
from ridgeline.io.text import escape

ROLES: Final = ("metric", "timestamp", "value", "as_of")


@dataclass(frozen=True, slots=True)
class Shape:
    """What is not as it is by default: columns metric, timestamp, value and perhaps as_of, one point or one metric a row.

    columns      the column of a role, where it is called otherwise: {"metric": "unique_id"}
    wide         every column but the time is a metric; the time is the first column, or that of the role `timestamp`
    labels_from  columns or key=value folders that become part of the name; None: refuse to merge series of one name
    metric       the name of the only series, for tables without a column that names it
    growing      a last line that is not ended is still being written: it is left out
    truths       true and false count as 1 and 0: detectors say so
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    wide: bool = False
    labels_from: tuple[str, ...] | None = None
    metric: str | None = None
    truths: bool = False
    growing: bool = False

    def __post_init__(self) -> None:
        for role, column in self.columns.items():
            if role not in ROLES:
                raise InputError(f"--columns: {escape(str(role))} is none of {', '.join(ROLES)}: write metric=NAME")
            if not column:
                raise InputError(f"--columns: {role} is given no column: write {role}=NAME")
        roles = ["timestamp"] if self.wide else [*ROLES[:3], *self.columns]
        taken = {role: self.column(role) for role in roles if role != "metric" or self.metric is None}
        if len(set(taken.values())) < len(taken):
            raise InputError(
                f"--columns: one column cannot be two things: {escape(', '.join(map('='.join, taken.items())))}"
            )
        if self.metric is not None and not self.metric:
            raise InputError("--metric: the name of the series is empty")
        if self.metric is not None and "metric" in self.columns:
            raise InputError("--metric names the only series, --columns metric= a column of names: give one of the two")
        others = sorted(set(self.columns) - {"timestamp"})
        if self.wide and (others or self.labels_from or self.metric is not None):
            clash = f"--columns {others[0]}=" if others else "--labels-from" if self.labels_from else "--metric"
            raise InputError(f"--wide makes each column a metric of its own name: it goes with no {clash}")

    @classmethod
    def of(
        cls,
        columns: Mapping[str, str] | None = None,
        wide: bool = False,  # noqa: FBT001, FBT002 - as users of the API call it
        labels_from: Any = None,
        metric: str | None = None,
    ) -> Shape:
        """The shape that these keywords of the API mean."""
        labels = None if labels_from is None else (labels_from,) if isinstance(labels_from, str) else tuple(labels_from)
        return cls(dict(columns or {}), bool(wide), labels, metric)

    def labelled(self, labels_from: tuple[str, ...] | None) -> Shape:
        """The same, by these labels where it has none of its own."""
        return self if self.labels_from is not None or self.wide else replace(self, labels_from=labels_from)

    def column(self, role: str) -> str:
        """The column of a role."""
        return self.columns.get(role, role)

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        labels = None if self.labels_from is None else list(self.labels_from)
        return {"columns": dict(self.columns), "wide": self.wide, "labels_from": labels, "metric": self.metric}


PLAIN: Final = Shape()


def refuse_metric(names: Sequence[str], where: str) -> None:
    """Raise InputError where --metric would call the points of several series by one name."""
    if "metric" in names:
        raise InputError(f"{where}: it has a column metric: leave out --metric, which is for one series without it")

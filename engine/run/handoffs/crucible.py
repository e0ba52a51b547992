"""Crucible tests anomalies one by one: details and series in a folder of each, and a check that points there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.run.handoffs.findings import Finding
from ridgeline.engine.run.handoffs.folder import Checks, put_check, put_file
from ridgeline.engine.run.handoffs.names import check_name, data_path, digest
from ridgeline.engine.run.handoffs.pythonic import assignments, judged, series_of
from ridgeline.engine.run.handoffs.writing import Write
from ridgeline.io.disk.target import check_folder
from ridgeline.io.errors import OutputError

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn


@dataclass(slots=True)
class Crucible:
    """The checks of one run in `checks`, and their data below `data`."""

    checks: Checks
    data: Path
    _taken: dict[Path, str] = field(default_factory=dict)

    def hand_over(self, finding: Finding, stamps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Write the details and the series of these points, then the check. Raises OutputError."""
        metric, stamp = finding.identity
        for apart in ("", metric):
            folder = self._folder(metric, f"{stamp}-{digest(apart)}" if apart else str(stamp))
            if self._taken.setdefault(folder, metric) != metric:
                continue
            details = details_of(finding, folder)
            make_below(self.data, folder)
            if put_check(folder / check_name("", metric, ".txt"), details):
                break
        else:
            raise OutputError(f"cannot write into {folder}: it holds something else")
        series = folder / check_name("", metric, ".json")
        text = series_of(stamps, values, finding.integers).encode()
        if not put_file(series, text, lambda _: True):
            raise OutputError(f"cannot write {series}: it is no regular file")
        self.checks.put(str(stamp), metric, details)

    def _folder(self, metric: str, last: str) -> Path:
        return self.data.joinpath(*data_path(metric), last)


def crucible(turn: Turn, checks: Path, data: Path) -> Iterator[Write]:
    """The hand-overs to be made: every anomaly of the run, Mirage's too."""
    desk = Crucible(Checks(checks), data)
    for finding in turn.handoffs.anomalous:
        if finding.judged is not None:
            yield partial(desk.hand_over, finding, *finding.judged)


def details_of(finding: Finding, folder: Path) -> str:
    """The text of details and check alike. It was added when the anomaly happened, as Skyline says."""
    anomaly = finding.anomaly
    return assignments(
        (
            *judged(anomaly, finding.value, finding.start),
            ("anomaly_dir", repr(str(folder))),
            ("graphite_metric", True),
            ("run_crucible_tests", False),
            ("added_by", "'analyzer'"),
            ("added_at", f"'{anomaly.timestamp}'"),
        )
    )


def make_below(base: Path, folder: Path) -> None:
    """Make a folder and those between it and `base`, which must be there; none of them may be a link elsewhere.

    Raises OutputError.
    """
    if not base.is_dir():
        raise OutputError(f"cannot write below {base}: there is no such folder")
    at = base
    for part in folder.relative_to(base).parts:
        at /= part
        check_folder(at)
        try:
            at.mkdir(exist_ok=True)
        except (OSError, ValueError) as error:
            raise OutputError(f"cannot make the folder {at}: {getattr(error, 'strerror', None) or error}") from error

"""The numbers of a pass, where those of runs go: to Graphite under Skyline's names, and as a textfile beside the runs' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.manage.report import Report
from ridgeline.engine.run.statistics.graphite import batch
from ridgeline.engine.run.statistics.names import prefix
from ridgeline.engine.run.statistics.telling import replace_textfile, send_lines, textfile
from ridgeline.engine.run.statistics.textfile import Samples, exposition, one

WORK: Final = "manage"  # behind the name of the runs' textfile
HELP: Final[Mapping[str, str]] = {
    "ridgeline_manage_metrics": "Metrics whose lists the last pass kept.",
    "ridgeline_manage_changes": "Members and fields that the last pass added, changed or removed, by list; those with none are left out.",
    "ridgeline_manage_density": "Densities of series by Skyline's names: percent on average, and metrics.",
    "ridgeline_manage_seconds": "Seconds that the last pass took.",
    "ridgeline_manage_last_run_timestamp_seconds": "When the last pass began.",
    "ridgeline_manage_exit_code": "Exit code of the last pass.",
}


def tell(config: Config, report: Report, now: int, left: Callable[[], float]) -> None:
    """Tell the numbers; what cannot be told is a problem of the report's. `now`: epoch seconds."""
    statistics, host = config.statistics, config.shards.name
    if statistics.prometheus_textfile is not None:
        path = textfile(statistics.prometheus_textfile, WORK)
        replace_textfile(path, partial(render, report, now, host), report.find, left)
    if statistics.graphite is not None:
        numbers = {"metrics_manager_run_time": round(report.seconds, 2)}
        numbers |= {f"metrics_sparsity.{name}": number for name, number in report.numbers.items()}
        lines = batch(prefix(statistics.name, host), numbers, now)
        send_lines(statistics.graphite, lines, "pass", report.problems.append, left)


def render(report: Report, now: int, host: str = "") -> bytes:
    """The whole textfile. `host` labels a shard's."""
    return exposition(_families(report, now), HELP, host)


def _families(report: Report, now: int) -> Iterator[tuple[str, Samples]]:
    changes = report.changes.items()
    yield "ridgeline_manage_metrics", one(report.metrics)
    yield (
        "ridgeline_manage_changes",
        [({"list": key}, len(change.added) + len(change.removed)) for key, change in changes],
    )
    yield "ridgeline_manage_density", [({"number": name}, number) for name, number in report.numbers.items()]
    yield "ridgeline_manage_seconds", one(round(report.seconds, 6))
    yield "ridgeline_manage_last_run_timestamp_seconds", one(now)
    yield "ridgeline_manage_exit_code", one(report.exit)

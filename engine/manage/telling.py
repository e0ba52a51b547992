"""The numbers of a pass, where those of runs go: to Graphite under Skyline's names, and as a textfile beside the runs' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.manage.report import Report
from ridgeline.engine.run.statistics.beside import LEAST, replace_textfile, textfile
from ridgeline.engine.run.statistics.graphite import batch, send
from ridgeline.engine.run.statistics.names import prefix
from ridgeline.engine.run.statistics.textfile import Samples, exposition, one
from ridgeline.io.net.transport import TransportError

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
    statistics = config.statistics
    if statistics.prometheus_textfile is not None:
        path = textfile(statistics.prometheus_textfile, WORK)
        replace_textfile(path, render(report, now, config.shards.name), report.find, left)
    if statistics.graphite is not None:
        numbers = {"metrics_manager_run_time": round(report.seconds, 2)}
        numbers |= {f"metrics_sparsity.{name}": number for name, number in report.numbers.items()}
        try:
            send(
                statistics.graphite,
                batch(prefix(statistics.name, config.shards.name), numbers, now),
                max(left(), LEAST),
            )
        except TransportError as error:
            report.problems.append(f"the statistics of this pass were not sent: {error}")


def render(report: Report, now: int, host: str = "") -> bytes:
    """The whole textfile. `host` labels a shard's."""
    return exposition(_families(report, now), HELP, {"host": host} if host else {})


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

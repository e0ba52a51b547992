"""The numbers of a pass, where those of runs go: to Graphite under Skyline's names, and as a textfile beside the runs' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from ridgeline.engine.run.statistics.graphite import batch
from ridgeline.engine.run.statistics.telling import replace_textfile, send_lines, textfile
from ridgeline.engine.run.statistics.textfile import Samples, exposition, one

if TYPE_CHECKING:
    from ridgeline.engine.batch.summary import Summary
    from ridgeline.engine.batch.turn import Turn

PREFIX: Final = "skyline.analyzer_batch"
WORK: Final = "batch"  # behind the name of the runs' textfile
HELP: Final[Mapping[str, str]] = {
    "ridgeline_batch_metrics": "Metrics that the last pass took up and did.",
    "ridgeline_batch_points": "Points that the last pass judged.",
    "ridgeline_batch_anomalies": "Points that the last pass found anomalous.",
    "ridgeline_batch_late_points": "Points that the last pass found to have come too late to be judged.",
    "ridgeline_batch_parked": "Metrics that are left alone because their batch fails.",
    "ridgeline_batch_seconds": "Seconds that the last pass took.",
    "ridgeline_batch_last_run_timestamp_seconds": "When the last pass began.",
    "ridgeline_batch_exit_code": "Exit code of the last pass.",
}


def tell(turn: Turn) -> None:
    """Tell the numbers of a pass over all that is due, if `[statistics]` asks for them; what cannot be told is a problem."""
    statistics, summary = turn.config.statistics, turn.summary
    if turn.request.dry_run or turn.request.listed or turn.request.members:
        return
    if statistics.prometheus_textfile is not None:
        path = textfile(statistics.prometheus_textfile, WORK)
        replace_textfile(path, partial(render, summary, turn.now, turn.config.shards.name), summary.find, turn.left)
    if statistics.graphite is not None:
        numbers = {
            "total_analyzed": summary.metrics,
            "total_anomalies": summary.anomalies,
            "run_time": round(summary.seconds, 2),
        }
        lines = batch(prefix(turn.host), numbers, turn.now)
        send_lines(statistics.graphite, lines, "pass", summary.problems.append, turn.left)


def prefix(host: str) -> str:
    """What every name begins with: in these, Skyline has the name of the machine, whatever the server is called elsewhere."""
    return f"{PREFIX}.{host.replace('.', '_')}"


def render(summary: Summary, now: int, host: str = "") -> bytes:
    """The whole textfile. `host` labels a shard's."""
    return exposition(_families(summary, now), HELP, host)


def _families(summary: Summary, now: int) -> Iterator[tuple[str, Samples]]:
    yield "ridgeline_batch_metrics", one(summary.metrics)
    yield "ridgeline_batch_points", one(summary.points)
    yield "ridgeline_batch_anomalies", one(summary.anomalies)
    yield "ridgeline_batch_late_points", one(summary.late)
    yield "ridgeline_batch_parked", one(summary.parked)
    yield "ridgeline_batch_seconds", one(round(summary.seconds, 6))
    yield "ridgeline_batch_last_run_timestamp_seconds", one(now)
    yield "ridgeline_batch_exit_code", one(summary.exit)

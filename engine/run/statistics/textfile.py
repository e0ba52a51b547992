"""A run as metrics for node_exporter's textfile collector, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ridgeline.engine.alerts.summary import COUNTED
from ridgeline.engine.report.summary import SHARES, WORK, Report
from ridgeline.engine.score.verdicts import OUTCOMES
from ridgeline.io.text import encodable

LAST_SUCCESS: Final = "ridgeline_last_success_timestamp_seconds"
OUTBOX: Final = "ridgeline_outbox_entries"
HELP: Final[Mapping[str, str]] = {
    "ridgeline_metrics": "Metrics of the last run, by outcome.",
    "ridgeline_anomalies": "Metrics that the last run found anomalous.",
    "ridgeline_alerts": "Alerts of the last run by what became of them; messages: how many messages left.",
    "ridgeline_learning": "Metrics of the last run that walks judge and that some walk does not know enough of yet to speak.",
    "ridgeline_reads": (
        "Metrics of the last run: settled by their newest points and what is remembered of them, or read in full."
    ),
    "ridgeline_read_bytes": "Bytes of series that the last run read.",
    "ridgeline_run_seconds": (
        "Seconds that the last run took; list, compile, scan, alert, bookkeeping and write add up to total, load, decode "
        "and score are those of threads at work."
    ),
    "ridgeline_algorithm_votes": "Anomalies of the last run for which the algorithm voted.",
    "ridgeline_algorithm_errors": "Metrics that the algorithm failed to judge in the last run.",
    "ridgeline_last_run_timestamp_seconds": "When the last run began, as of its own clock.",
    LAST_SUCCESS: "When the last run with exit code 0 began; 0: never.",
    "ridgeline_exit_code": "Exit code of the last run.",
    OUTBOX: "Alerts that wait to be sent, those that are held back included.",
}
HOW: Final = {"settled": "delta_reads", "full": "full_reads"}

Samples = Iterable[tuple[Mapping[str, str], float]]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: its exit code, epoch seconds of its own clock and of the last success, and what waits."""

    code: int
    now: int
    last_success: float
    outbox: int


def render(report: Report, ending: Ending, host: str = "") -> bytes:
    """The whole file: every metric with HELP and TYPE, every known label, zeros included. `host` labels a shard's."""
    return exposition(_families(report, ending), HELP, host)


def exposition(families: Iterable[tuple[str, Samples]], told: Mapping[str, str], host: str = "") -> bytes:
    """Families of gauges in Prometheus' text format; `told`: what each means, by name; `host`: the label of every sample."""
    common = {"host": host} if host else {}
    return "".join(line for name, samples in families for line in _family(name, told[name], samples, common)).encode()


def one(number: float) -> Samples:
    """The samples of a family without labels."""
    return [({}, number)]


def _families(report: Report, ending: Ending) -> Iterator[tuple[str, Samples]]:
    alerts, seconds = report.alerts or {}, report.seconds
    yield "ridgeline_metrics", (({"outcome": name}, report.outcomes[name]) for name in OUTCOMES)
    yield "ridgeline_anomalies", one(len(report.anomalies))
    yield "ridgeline_alerts", (({"result": name}, alerts.get(name, 0)) for name in COUNTED)
    yield "ridgeline_learning", one(report.learning or 0)
    read = report.reads or dict.fromkeys(("delta_reads", "full_reads", "bytes"), 0)
    yield "ridgeline_reads", (({"how": how}, read[key]) for how, key in HOW.items())
    yield "ridgeline_read_bytes", one(read["bytes"])
    stages = (*SHARES, *WORK, "total")
    yield "ridgeline_run_seconds", (({"stage": name}, round(seconds[name], 6)) for name in stages)
    yield "ridgeline_algorithm_votes", (({"algorithm": name}, count) for name, count in report.breakdown.items())
    errors = report.algorithm_errors
    names = dict.fromkeys([*report.algorithms, *errors])
    yield "ridgeline_algorithm_errors", (({"algorithm": name}, errors[name]) for name in names)
    yield "ridgeline_last_run_timestamp_seconds", one(ending.now)
    yield LAST_SUCCESS, one(ending.last_success)
    yield "ridgeline_exit_code", one(ending.code)
    yield OUTBOX, one(ending.outbox)


def _family(name: str, told: str, samples: Samples, common: Mapping[str, str]) -> Iterator[str]:
    yield f"# HELP {name} {told}\n# TYPE {name} gauge\n"
    for labels, number in samples:
        yield f"{name}{_labels({**labels, **common})} {number}\n"


def _labels(labels: Mapping[str, str]) -> str:
    shown = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{shown}}}" if shown else ""


def _escaped(value: str) -> str:
    return encodable(value).replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")

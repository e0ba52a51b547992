"""A configuration, read and checked: frozen, with nothing left to look up and no secret that shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.alerts.delivery import Delivery
from ridgeline.engine.prepare.plan import UNPREPARED, Preparation
from ridgeline.engine.rules.airgaps import Airgaps
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.io.shard import Shards
from ridgeline.io.source import SourceSettings
from ridgeline.io.sources import load

if TYPE_CHECKING:  # `score` needs a configuration, and none of these
    from ridgeline.engine.alerts.digest import StaleDigest
    from ridgeline.engine.alerts.external import ExternalAlerts
    from ridgeline.engine.alerts.rule import AlertRow
    from ridgeline.engine.alerts.strategy import Configured
    from ridgeline.engine.rules.overrides import Override
    from ridgeline.io.net.peer import Peer
    from ridgeline.io.secret import Secret

MIB: Final = 1 << 20
GIB: Final = 1 << 30


def _usual() -> Mapping[str, SourceSettings]:
    return {kind: declared.settings() for kind, declared in load().items()}


@dataclass(frozen=True, slots=True)
class Source:
    """`[source]`: the kind in use, and the settings of each kind (`ridgeline.io.sources`) by its name."""

    kind: str = "redis"
    each: Mapping[str, Any] = field(default_factory=_usual)

    @property
    def settings(self) -> Any:
        """The settings of the kind in use."""
        return self.each[self.kind]


@dataclass(frozen=True, slots=True)
class Run:
    """`[run]`: limits of one run. `threads` 0: as many as there are CPUs. Durations in seconds, memory in bytes."""

    deadline: float = 55.0
    threads: int = 0
    max_memory: int = 2 * GIB


@dataclass(frozen=True, slots=True)
class Alerters:
    """`[alerters.NAME]`: each strategy, its channel and the channel's own settings."""

    settings: tuple[Configured, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """`[output]`: the folder for anomalies and the lock, and the file for state where Redis does not keep it."""

    directory: Path | None = None
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """`[statistics]`: where the numbers of a run go.

    graphite             host and port of carbon's plaintext listener
    name                 the element of Graphite names that stands for this server (Skyline's SERVER_METRICS_NAME)
    prometheus_textfile  a file for node_exporter's textfile collector
    canary               a metric whose stored span tells how long a day's data would take
    heartbeat_url        asked for after every run that succeeds
    """

    graphite: tuple[str, int] | None = None
    name: str = ""
    prometheus_textfile: Path | None = None
    canary: str | None = None
    heartbeat_url: Secret | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """`[log]`: a file that every run adds to; beyond `max_size` bytes it is begun anew and `keep` former ones are kept."""

    file: Path | None = None
    format: str = "text"
    max_size: int = 10 * MIB
    keep: int = 5


@dataclass(frozen=True, slots=True)
class HandOff:
    """`[handoff]`: the places that Skyline's siblings watch; None: nothing is handed there.

    Folders for checks (Mirage, Panorama, Crucible) and for Crucible's data; the file that the web UI loads, or its folder.
    """

    mirage_checks: Path | None = None
    panorama_checks: Path | None = None
    crucible_checks: Path | None = None
    crucible_data: Path | None = None
    web_ui: Path | None = None


@dataclass(frozen=True, slots=True)
class SecondStage:
    """`[second_stage]`: anomalies of metrics that `match` alert only if they are anomalies of `days` days at `path` too."""

    path: str
    days: int = 7
    match: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Archive:
    """`[archive]`: the folder of the dataset that `run --archive` and `export` add to; `keep`, in seconds, how far it goes back."""

    directory: Path | None = None
    keep: int = 90 * 86400


@dataclass(frozen=True, slots=True)
class BatchWork:
    """`[batch]`: the metrics whose every new point `batch` judges, as long as it is alive."""

    match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteFiles:
    """`[remote_files]`: the folder for files of remote instances, and the bytes of one and of all of them at most."""

    directory: Path | None = None
    max_file: int = 64 * MIB
    max_total: int = GIB


@dataclass(frozen=True, slots=True)
class AgentPeriods:
    """`[agent]`: how often `ridgeline agent` does what `run`, `batch` and `manage` do, in seconds; None: never."""

    run_every: float = 60.0
    batch_every: int | None = None
    manage_every: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. `warnings` are sentences for the user about what works but should be changed."""

    path: Path | None = None
    source: Source = field(default_factory=Source)
    analysis: Analysis = field(default_factory=Analysis)
    run: Run = field(default_factory=Run)
    overrides: tuple[Override, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    alerters: Alerters = field(default_factory=Alerters)
    delivery: Delivery = field(default_factory=Delivery)
    links: tuple[tuple[str, str], ...] = ()
    stale_digest: StaleDigest | None = None
    airgaps: Airgaps = field(default_factory=Airgaps)
    external_alerts: tuple[ExternalAlerts, ...] = ()
    handoff: HandOff = field(default_factory=HandOff)
    second_stage: SecondStage | None = None
    batch: BatchWork = field(default_factory=BatchWork)
    archive: Archive = field(default_factory=Archive)
    shards: Shards = field(default_factory=Shards)
    remotes: tuple[Peer, ...] = ()
    remote_files: RemoteFiles = field(default_factory=RemoteFiles)
    output: Output = field(default_factory=Output)
    statistics: Statistics = field(default_factory=Statistics)
    log: Log = field(default_factory=Log)
    agent: AgentPeriods = field(default_factory=AgentPeriods)
    warnings: tuple[str, ...] = ()
    preparation: Preparation = UNPREPARED

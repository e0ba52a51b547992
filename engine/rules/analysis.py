"""What `[analysis]` says: how every metric is judged unless an override says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ridgeline.engine.rules.judgement import CONSENSUS


@dataclass(frozen=True, slots=True)
class Analysis:
    """`[analysis]`: how every metric is judged unless an override says otherwise. Empty `algorithms`: all there are.

    second_order  whether an anomaly alerts only where it is news to those who were told
    m_of_n        (m, n): alert only on what was anomalous in m of its last n runs
    resolution_aware  whether what is measured in minutes is measured in a series' own steps where these are longer
    min_window_points points that a window holds at least, however long that is; 0: as many as there are
    rule          by which score a metric is anomalous (`rules.judgement`); rule_threshold: what that score is divided by
    cutoffs       (algorithm, cutoff) pairs: what the algorithm's score is divided by, so that it votes above it
    bookkeeping   whether a run over Redis writes what Skyline's siblings read there
    memory        the file of what a run over Redis keeps for the next one; True: at the usual place, False: nowhere
    """

    full_duration: int = 86400
    consensus: int = 6
    profile: str = "native"
    stale_period: int | None = None
    algorithms: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    second_order: bool = False
    m_of_n: tuple[int, int] | None = None
    all_votes: bool = False
    bookkeeping: bool = True
    resolution_aware: bool = False
    memory: Path | bool = True
    min_window_points: int = 0
    rule: str = CONSENSUS
    rule_threshold: float = 1.0
    cutoffs: tuple[tuple[str, float], ...] = ()

"""What a run is put together of: how it judges, what it reports to, and the sinks that its configuration asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ridgeline.engine.alerts.summary import Summary
from ridgeline.engine.config.model import Config
from ridgeline.engine.prepare.plan import AUTO
from ridgeline.engine.report.summary import SHARES, WORK, Report
from ridgeline.engine.rules.overrides import check_judgement
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.expected import ExpectedSink
from ridgeline.engine.run.handoffs.desk import HandOffs
from ridgeline.engine.run.lately import LatelySink
from ridgeline.engine.run.sinks import ReportSink, Sink
from ridgeline.engine.run.turn import Request
from ridgeline.engine.run.unmatched import UnmatchedSink, patterns_of
from ridgeline.engine.score.scorer import Scorer


@dataclass(slots=True)
class Assembly:
    """The parts of one run. `sinks` in the order in which they are given each block."""

    scorer: Scorer
    report: Report
    sinks: list[Sink]
    handoffs: HandOffs


def assemble(request: Request, budget: Budget, now: int) -> Assembly:
    """The parts of the run that was asked for; `now` in epoch seconds. Raises InputError for settings it cannot score with."""
    config = request.config
    check_judgement("run", config.analysis.rule, config.overrides)
    scorer = Scorer.of(
        config.analysis,
        config.overrides,
        preparation=config.preparation,
        as_of=request.as_of,
        default_as_of=now,
        threads=config.run.threads,
    )
    as_of = now if request.as_of is None else request.as_of
    report = Report(
        scorer.overrides.policies[0].algorithms,
        as_of,
        seconds=dict.fromkeys((*SHARES, *WORK, "total"), 0.0),
        unmatched=[],
        shed={"metrics": 0, "alert_covered": 0},
    )
    if request.check_airgaps_only:
        report.judged, report.alerts = False, Summary().counts()
        return Assembly(scorer, report, [ReportSink(report), *_for_gaps(request, scorer, report)], HandOffs())
    sinks: list[Sink] = [ReportSink(report, scorer.plan.names), ExpectedSink(report, scorer), LatelySink()]
    if config.preparation.counters == AUTO and scorer.plan.profile.skyline:
        from ridgeline.engine.run.latches import LatchSink

        latches = LatchSink(now, config.analysis.full_duration)
        scorer = replace(scorer, confirm=latches.confirm)
        sinks.append(latches)
    sinks += _for_gaps(request, scorer, report)
    sinks += _of_the_fleet(request, scorer, as_of)
    sinks += _for_people(request, scorer, report, budget)
    handoffs = HandOffs.of(config, scorer)
    report.handoffs = handoffs.counts if handoffs.configured else None
    if handoffs.findings is not None:
        sinks.append(handoffs.findings)
    if request.shadow is not None:
        sinks.append(request.shadow)
    return Assembly(scorer, report, sinks, handoffs)


def _for_gaps(request: Request, scorer: Scorer, report: Report) -> Iterator[Sink]:
    if request.airgaps:
        from ridgeline.engine.run.airgaps import AirgapSink

        yield AirgapSink(request.config.airgaps, scorer.plan, report, request.config.preparation.fills)


def _of_the_fleet(request: Request, scorer: Scorer, as_of: int) -> Iterator[Sink]:
    """Sinks that say something of all metrics together: not where only some are listed."""
    config = request.config
    if request.everything:
        yield UnmatchedSink(patterns_of(config))
        if config.stale_digest is not None:
            from ridgeline.engine.run.stale import StaleSink, longest

            yield StaleSink(config.stale_digest, as_of, longest(config, scorer.plan.profile.stale_period))


def _for_people(request: Request, scorer: Scorer, report: Report, budget: Budget) -> Iterator[Sink]:
    """Sinks that keep a few series: for pictures, for the canary."""
    config = request.config
    if config.delivery.pictures and not request.dry_run and _pictured(config):
        from ridgeline.engine.run.gallery import Gallery

        yield Gallery.of(report, scorer, config.delivery.pictures, lambda: budget.alerts_end - budget.clock())
    if config.statistics.canary is not None:
        from ridgeline.engine.run.statistics.canary import CanarySink

        yield CanarySink(config.statistics.canary)


def _pictured(config: Config) -> bool:
    """Whether a strategy that may tell of anything shows pictures."""
    if not config.alerters.settings:
        return False
    from ridgeline.engine.alerts.strategy import show_pictures

    return show_pictures(config.alerters.settings, _strategies(config))


def _strategies(config: Config) -> set[str]:
    """The strategies that rules name, or may name."""
    named = {strategy for row in config.alerts for strategy in row.strategies}
    return named | {name for name, _, _ in config.alerters.settings if config.external_alerts}

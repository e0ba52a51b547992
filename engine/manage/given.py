"""What a pass is given: the names that are listed, and the rules of alerts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from ridgeline.engine.alerts.external import in_order
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.model import Config
from ridgeline.engine.manage.fleet import Fleet
from ridgeline.engine.manage.report import Report
from ridgeline.engine.manage.subject import mail_strategies
from ridgeline.engine.run.external import known_rows
from ridgeline.engine.run.state import open_run_state
from ridgeline.engine.run.turn import PARTIAL
from ridgeline.io.errors import NoData, SourceUnavailable
from ridgeline.io.state.interface import StateError
from ridgeline.io.text import escape


def listed(config: Config, report: Report, left: Callable[[], float]) -> Fleet:
    """The metrics. Raises NoData where there are none, SourceUnavailable or AuthenticationFailed."""
    from ridgeline.io.redis.source import RedisSource

    settings = config.source.settings
    share = config.shards.share()
    with contextlib.closing(RedisSource(settings, deadline=left, now=None, share=share)) as source:
        names = source.list()
        if source.broken_off:
            raise SourceUnavailable(f"{source.incomplete}; nothing is changed")
        if source.incomplete is not None:
            report.find(PARTIAL, source.incomplete)
    if not names and not share.others:
        raise NoData(
            f"no metric is listed in {escape(settings.namespace)}unique_metrics of Redis at {settings}: no list is changed"
        )
    return Fleet(names, settings.namespace, share, config.shards.name)


def rules_of(config: Config, report: Report, left: Callable[[], float]) -> Sequence[AlertRow] | None:
    """The rules of alerts in the order in which they are gone by, with what other services last gave to runs.

    None where those cannot be read: what follows from rules is left as it is then.
    """
    external: tuple[AlertRow, ...] = ()
    if config.external_alerts:
        try:
            with open_run_state(config, left()) as state:
                external = known_rows(config, state)
        except StateError as error:
            report.find(PARTIAL, f"lists that follow from the rules of alerts are left as they are: {error}")
            return None
    return in_order(config.alerts, external, mail_strategies(config))

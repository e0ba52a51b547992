"""What delivery goes by, as a configuration says it: for runs, and for commands that ask what runs would do."""

from __future__ import annotations

from collections.abc import Sequence

from ridgeline.engine.alerts.external import in_order
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.strategy import MAIL, build_strategies
from ridgeline.engine.config.model import Config


def delivery_plan(
    config: Config, strategies: Sequence[str] | None = None, *, external: Sequence[AlertRow] = (), json: bool = False
) -> Plan:
    """The plan of the configuration's rules and the external ones, with the strategies that they name, or with these.

    With `json` standard output belongs to the JSON, so the console writes to standard error. Raises InputError.
    """
    digest = () if config.stale_digest is None else config.stale_digest.strategies
    mails = [name for name, channel, _ in config.alerters.settings if channel.kind == MAIL]
    rows = in_order(config.alerts, external, mails)
    used = [*(name for row in rows for name in row.strategies), *digest] if strategies is None else strategies
    return Plan(
        rows,
        build_strategies(config.alerters.settings, used, json=json),
        config.delivery,
        config.links,
        config.analysis.full_duration,
    )

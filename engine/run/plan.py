"""What delivery goes by, as a configuration says it: for runs, and for commands that ask what runs would do."""

from __future__ import annotations

from collections.abc import Sequence

from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.strategy import MAIL, build_strategies
from ridgeline.engine.config.model import Config


def alert_rules(config: Config, external: Sequence[AlertRow]) -> Sequence[AlertRow]:
    """The configuration's rules and the external ones, in the order in which they decide."""
    if not external:
        return config.alerts
    from ridgeline.engine.alerts.external import in_order

    mails = [name for name, channel, _ in config.alerters.settings if channel.kind == MAIL]
    return in_order(config.alerts, external, mails)


def delivery_plan(
    config: Config, strategies: Sequence[str] | None = None, *, external: Sequence[AlertRow] = (), json: bool = False
) -> Plan:
    """The plan of the configuration's rules and the external ones, with the strategies that they name, or with these.

    With `json` standard output belongs to the JSON, so the console writes to standard error. Raises InputError.
    """
    digest = () if config.stale_digest is None else config.stale_digest.strategies
    rows = alert_rules(config, external)
    used = [*(name for row in rows for name in row.strategies), *digest] if strategies is None else strategies
    return Plan(
        rows,
        build_strategies(config.alerters.settings, used, json=json),
        config.delivery,
        config.links,
        config.analysis.full_duration,
    )


def lacking_pictures(config: Config) -> list[str]:
    """What to tell who configured channels that show pictures, where none can be drawn: at most one sentence."""
    from ridgeline.engine.report.drawings import LACKING, can_draw

    used = {strategy for row in config.alerts for strategy in row.strategies}
    showing = [
        name for name, channel, settings in config.alerters.settings if name in used and channel.picturing(settings)
    ]
    if not showing or not config.delivery.pictures or can_draw():
        return []
    return [
        f"{', '.join(showing)}: alerts will come without pictures: {LACKING}; [delivery] pictures = 0 asks for none"
    ]

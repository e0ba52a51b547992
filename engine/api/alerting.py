"""Alerts that are sent at a caller's word, from Skyline's tuples; the caller decides whether and how often."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from ridgeline.alerters import Alert, Fates, Outcome
from ridgeline.engine.alerts.digest import StaleDigest
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.links import fill_links
from ridgeline.engine.alerts.match import recipients_of
from ridgeline.engine.alerts.once import send_once
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.strategy import MAIL, Configured, Strategy, configured_for, kind_of
from ridgeline.engine.alerts.tuples import Row, read_alert, read_row
from ridgeline.engine.api.found import found_config
from ridgeline.engine.config.model import Alerters
from ridgeline.engine.run.plan import delivery_plan
from ridgeline.io.errors import InputError

STALE_DIGEST: Final = "stale_digest"


def send_tuples(
    alert: Any, metric: Any, context: Any, kind: str | None = None, environ: Mapping[str, str] = os.environ
) -> Outcome:
    """Send the alert of Skyline's tuples once by each of its strategies, and say what became of it.

    `kind`: only by those of its strategies that are of this channel, or by the channel itself where it names none. The
    outcome is the strategy's; of several, `delivered`, `deferred` and `refused` name strategies. One that cannot be used
    is `rejected`, and keeps no other from being tried. Raises InputError for what is no alert, and for a configuration
    that cannot be read.
    """
    row, config, now = read_row(alert), found_config(environ), time.time()
    digest = config.stale_digest or StaleDigest((MAIL,))
    told = read_alert(row, metric, context, config.analysis.full_duration, digest.after, now)
    names = _chosen(row.names, kind, digest.strategies, config.alerters.settings)
    usable, fates = _usable(names, config.alerters.settings)
    if usable:
        plan = delivery_plan(replace(config, alerters=Alerters(tuple(usable.values()))), list(usable))
        items = [_item(told, row, plan, strategy, names[strategy]) for strategy in usable]
        fates |= send_once(items, plan.strategies)
    return _together({name: fates[name] for name in names})


def _chosen(
    names: Iterable[str], kind: str | None, digest: tuple[str, ...], configured: Iterable[Configured]
) -> dict[str, tuple[str, ...]]:
    """The strategies to send by, each with the addresses that the row names in its place; `digest`: by which that goes."""
    if kind == STALE_DIGEST:
        return dict.fromkeys(digest, ())
    channels = {name: channel.kind for name, channel, _ in configured}
    found: dict[str, tuple[str, ...]] = {}
    meant = [one for name in names for one in (digest if name == STALE_DIGEST else (name,))]
    for name in meant:
        addresses = (name,) if "@" in name else ()
        strategy = MAIL if addresses else name
        if kind in {None, channels.get(strategy, kind_of(strategy))}:
            found[strategy] = (*found.get(strategy, ()), *addresses)
    return found or {str(kind): ()}


def _usable(
    names: Iterable[str], configured: tuple[Configured, ...]
) -> tuple[dict[str, Configured], dict[str, Outcome]]:
    """The strategies that can be built, and why the others cannot."""
    usable: dict[str, Configured] = {}
    refused: dict[str, Outcome] = {}
    for name in names:
        try:
            usable[name] = configured_for(name, configured)
        except InputError as error:
            refused[name] = Outcome("rejected", str(error))
    return usable, refused


def _item(told: Alert, row: Row, plan: Plan, name: str, addresses: tuple[str, ...]) -> Item:
    """The alert for one strategy: with the severity and the recipients of the `[[alert]]` that the row means."""
    ours, strategy = plan.row(name, row.pattern), plan.strategies[name]
    links = () if told.message else fill_links(plan.links, told.metric, told.timestamp, told.full_duration)
    alert = replace(
        told,
        strategy=name,
        links=links,
        severity="" if ours is None else ours.severity,
        recipients=addresses or (ours.recipients if ours else ()) or _recipients(told, row, strategy),
    )
    return Item(alert, ours)


def _recipients(told: Alert, row: Row, strategy: Strategy) -> tuple[str, ...]:
    """Whom the channel's settings name."""
    if not strategy.takes_recipients:
        return ()
    if told.message:
        return strategy.default_recipients
    return recipients_of([told.metric], strategy, external=row.external)[told.metric]


def _together(outcomes: Mapping[str, Outcome]) -> Outcome:
    """One outcome for all strategies."""
    if len(outcomes) == 1:
        return next(iter(outcomes.values()))
    fates = Fates()
    for name, outcome in outcomes.items():
        fates.add(name, outcome)
    return fates.outcome()

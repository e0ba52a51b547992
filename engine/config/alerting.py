"""Reads `[[alert]]`, `[[external_alerts]]`, `[delivery]` and `[links]`: who is told of which metrics, and how it is brought to them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ridgeline.engine.alerts.delivery import Delivery
from ridgeline.engine.alerts.links import link_problem
from ridgeline.engine.config.fields import is_given
from ridgeline.engine.config.often import read_m_of_n
from ridgeline.engine.config.reader import Table

if TYPE_CHECKING:  # a configuration without alerts needs none of what they need
    from ridgeline.engine.alerts.digest import StaleDigest
    from ridgeline.engine.alerts.external import ExternalAlerts
    from ridgeline.engine.alerts.rule import AlertRow

UNNAMED: Final = 'must name strategies, several of them separated by "|"'
MOST_SERVICES: Final = 16  # of external alerts


def read_alerts(top: Table) -> list[tuple[int, AlertRow]]:
    """Read every `[[alert]]` as (place among them, row); rows with problems are left out."""
    rows = []
    for at, table in enumerate(top.tables("alert")):
        row = _read_row(table)
        table.finish()
        if row is not None:
            rows.append((at, row))
    return rows


def _read_row(table: Table) -> AlertRow | None:
    from ridgeline.engine.alerts.external import MOST_HOURS
    from ridgeline.engine.alerts.rule import EXPIRATION, AlertRow
    from ridgeline.engine.config.schedule import read_schedule

    match, strategy = table.pattern("match"), table.string("strategy", None)
    for key, value in (("match", match), ("strategy", strategy)):
        if value is None and key not in table:
            table.refuse(key, "is missing")
    names = _strategies(strategy or "")
    hours = table.table("schedule")
    row = AlertRow(
        match or "",
        names,
        expiration=table.duration("expiration", EXPIRATION),
        recipients=table.strings("recipients", ()),
        schedule=read_schedule(hours) if "schedule" in table else None,
        m_of_n=read_m_of_n(table),
        group=table.boolean("group", default=True),
        severity=table.string("severity", ""),
        second_order_hours=table.integer("second_order_hours", 0, high=MOST_HOURS),
    )
    if strategy is not None and not all(names):
        table.refuse("strategy", UNNAMED)
        return None
    return None if match is None or strategy is None else row


def _strategies(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split("|")))


def read_stale_digest(top: Table) -> StaleDigest | None:
    """Read `[stale_digest]`; None without the table."""
    table = top.table("stale_digest")
    if "stale_digest" not in top:
        return None
    from ridgeline.engine.alerts.digest import AFTER, StaleDigest

    names = _strategies(table.string("strategy", "smtp"))
    if not all(names):
        table.refuse("strategy", UNNAMED)
    digest = StaleDigest(tuple(filter(None, names)), table.duration("after", AFTER), table.patterns("exclude"))
    table.finish()
    return digest


def read_external_alerts(top: Table, environ: Mapping[str, str] = os.environ) -> tuple[ExternalAlerts, ...]:
    """Read every `[[external_alerts]]`; those with problems are left out."""
    found: dict[str, ExternalAlerts] = {}
    for table in top.tables("external_alerts"):
        from ridgeline.engine.alerts.external import METHODS, ExternalAlerts

        name, url = table.string("name", None), table.secret("url", plain=True, environ=environ)
        method = table.choice("method", METHODS, METHODS[0])
        token = table.secret("token", environ=environ)
        table.finish()
        for key, value in (("name", name), ("url", url)):
            if value is None and not is_given(table, key):
                table.refuse(key, "is missing")
        if name in found:
            table.refuse("name", f'"{name}" is the name of another one')
        elif len(found) == MOST_SERVICES:
            table.problems.add(table.path, f"there may be {MOST_SERVICES} of them at most")
        elif name is not None and url is not None:
            try:
                found[name] = ExternalAlerts(name, url, method, token)
            except ValueError as error:
                key, _, sentence = str(error).partition(" ")
                table.refuse(key, sentence)
    return tuple(found.values())


def read_delivery(top: Table) -> Delivery:
    """Read `[delivery]`."""
    table, usual = top.table("delivery"), Delivery()
    delivery = Delivery(
        retry_for=table.duration("retry_for", usual.retry_for),
        max_attempts=table.integer("max_attempts", usual.max_attempts, low=1),
        group_above=table.integer("group_above", usual.group_above, low=1),
        no_data_expiration=table.duration("no_data_expiration", usual.no_data_expiration),
        pictures=table.integer("pictures", usual.pictures, high=100),
    )
    table.finish()
    return delivery


def read_links(top: Table) -> tuple[tuple[str, str], ...]:
    """Read `[links]`: addresses with {metric}, {from} and {until} to be filled in."""
    table = top.table("links")
    links = []
    for name in table.values:
        address = table.string(name, None)
        if address is None:
            continue
        problem = link_problem(address)
        if problem:
            table.refuse(name, problem)
        links.append((name, address))
    return tuple(links)

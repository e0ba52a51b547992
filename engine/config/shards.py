"""Reads `[shards]`: the hosts that share a fleet."""

from __future__ import annotations

import re
from typing import Final

from ridgeline.engine.config.problems import suggestion
from ridgeline.engine.config.reader import Table
from ridgeline.io.shard import Shards

HOST: Final = re.compile(r"[\w-]+(?:\.[\w-]+)*", re.ASCII)
MOST: Final = 1000


def read_shards(top: Table) -> Shards:
    """Read `[shards]`. A machine that is none of the hosts is warned of: it may ask about the fleet, and not judge it."""
    table, usual = top.table("shards"), Shards()
    hosts = _distinct(table, "hosts")
    given = table.string("host", None)
    host = given or usual.host
    take_over = _distinct(table, "take_over")
    table.finish()
    if not hosts:
        if "shards" in top and "hosts" not in table:
            table.refuse("hosts", "is missing: name all hosts that share the fleet, in the same order on each of them")
        return usual
    if host not in hosts:
        known = suggestion(host, hosts)
        if given is not None:
            table.refuse("host", f'"{host}" is none of hosts; {known}')
        else:
            text = (
                f'this machine is called "{host}", which is none of hosts ({known}): without `host` it judges nothing'
            )
            table.problems.warn((*table.path, "hosts"), text)
    for at, lost in enumerate(take_over):
        if lost not in hosts:
            table.problems.add((*table.path, "take_over", at), f'"{lost}" is none of hosts; {suggestion(lost, hosts)}')
        elif lost == host:
            table.problems.add((*table.path, "take_over", at), f'"{lost}" is this host itself')
    return Shards(hosts, host, take_over)


def _distinct(table: Table, key: str) -> tuple[str, ...]:
    """A list of hosts; what is none is noted."""
    names = table.strings(key, (), empty=key == "take_over")
    before: set[str] = set()
    in_graphite: set[str] = set()
    for at, name in enumerate(names):
        called = name.replace(".", "_")
        if not HOST.fullmatch(name):
            table.problems.add((*table.path, key, at), "must be letters, digits, - and _, dots between them: a host")
        elif name in before:
            table.problems.add((*table.path, key, at), f'"{name}" is listed twice')
        elif called in in_graphite:
            table.problems.add((*table.path, key, at), "is called in Graphite as another of them: dots become _ there")
        before.add(name)
        in_graphite.add(called)
    if len(names) > MOST:
        table.refuse(key, f"must hold {MOST:,} hosts at most")
    return names

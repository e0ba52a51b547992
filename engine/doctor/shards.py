"""The hosts that share the fleet: all at work, each of them one machine, all going by the same list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.doctor.check import Check, green, red, yellow
from ridgeline.engine.run.hosts import SIGN_KEPT, Sign, age, disagreements, quiet_after, sign_key
from ridgeline.engine.run.stages.bookkeeping import ledger_of
from ridgeline.engine.units import spoken
from ridgeline.io.shard import Shards

PATIENCE: Final = 5.0  # seconds for Redis
NAME: Final = "shards"
ONE_LIST: Final = "write the same hosts in the same order on all of them, and start them anew together"


def look_at_shards(config: Config, now: Callable[[], float]) -> Iterator[Check]:
    """Checks by the signs that runs leave in Redis; none where one host has it all."""
    shards = config.shards
    if not shards.hosts:
        return
    if shards.host not in shards.hosts:
        yield red(
            NAME,
            f"this machine is called {shards.host}, which is none of {', '.join(shards.hosts)}: it judges nothing",
            "add it to [shards] hosts on all of them, or say in [shards] host which of them it is",
        )
        return
    place = shards.hosts.index(shards.host) + 1
    lost = f", and takes over {', '.join(shards.take_over)}" if shards.take_over else ""
    yield green(NAME, f"this is {shards.host}, number {place} of {len(shards.hosts)} hosts{lost}")
    if config.source.kind != "redis" or not config.analysis.bookkeeping:
        yield yellow(
            NAME,
            "whether the other hosts are at work cannot be known",
            "runs leave their signs with the books: that takes a Redis source and [analysis] bookkeeping",
        )
        return
    signs = _signs(config)
    instant, patience = now(), quiet_after(config.agent.run_every)
    for problem in disagreements(shards, signs, instant):
        yield red(NAME, problem, "change [shards] host or take_over: every metric is to be one machine's")
    at_work = {host: sign for host, sign in signs.items() if sign is not None and age(sign, instant) < patience}
    yield from _lists(shards, at_work)
    taken = _taken_over(shards, at_work)
    yield from _twice_taken(taken)
    for host in shards.hosts:
        if host not in {shards.host, *at_work}:
            yield _lost(host, signs[host], taken.get(host, []), instant)


def _signs(config: Config) -> dict[str, Sign | None]:
    from ridgeline.io.redis.ledger import Strings

    end = time.monotonic() + PATIENCE
    ledger = ledger_of(config.source.settings, lambda: end - time.monotonic())
    try:
        (texts,) = ledger.ask(Strings([sign_key(host) for host in config.shards.hosts]))
    finally:
        ledger.close()
    return dict(zip(config.shards.hosts, map(Sign.read, texts), strict=True))


def _lists(shards: Shards, at_work: Mapping[str, Sign]) -> Iterator[Check]:
    for host, sign in at_work.items():
        if sign.hosts != shards.hosts and host != shards.host:
            theirs = ", ".join(sign.hosts) or "none"
            yield red(NAME, f"{host} goes by other hosts ({theirs}): metrics are judged twice, or by nobody", ONE_LIST)


def _taken_over(shards: Shards, at_work: Mapping[str, Sign]) -> dict[str, list[str]]:
    """By lost host, who judges its metrics."""
    goes_by = {host: sign.take_over for host, sign in at_work.items()} | {shards.host: shards.take_over}
    found: dict[str, list[str]] = {}
    for host, lost in goes_by.items():
        for one in lost:
            found.setdefault(one, []).append(host)
    return found


def _twice_taken(taken: Mapping[str, list[str]]) -> Iterator[Check]:
    for lost, hosts in taken.items():
        if len(hosts) > 1:
            yield red(
                NAME,
                f"{' and '.join(sorted(hosts))} both take over {lost}: its metrics are judged twice",
                "leave it in [shards] take_over of one of them",
            )


def _lost(host: str, sign: Sign | None, by: list[str], now: float) -> Check:
    """A host that is not at work, as far as this Redis knows."""
    since = f"within {spoken(SIGN_KEPT)}" if sign is None else f"for {spoken(age(sign, now))}"
    if by:
        remedy = "take it out of [shards] take_over as soon as it is back"
        return yellow(NAME, f"{host} has not been at work {since}; {' and '.join(by)} judges its metrics", remedy)
    remedy = f'start it, or write take_over = ["{host}"] in [shards] of one other host'
    if sign is None:
        return yellow(
            NAME,
            f"this Redis has no sign of {host} {since}: it is lost, not yet started, or has a Redis of its own",
            remedy,
        )
    return red(NAME, f"{host} has not been at work {since}: nobody judges its metrics", remedy)

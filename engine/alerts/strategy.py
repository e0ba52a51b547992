"""The strategies of a run: each a channel with settings, ready to send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ridgeline.alerters import Alerter, Channel, Groups, from_entry_point, from_module
from ridgeline.io.errors import InputError

Configured = tuple[str, Channel, Any]  # strategy, its channel, the channel's settings


@dataclass(frozen=True, slots=True)
class Strategy:
    """What delivery needs to know of one strategy."""

    name: str
    alerter: Alerter
    groups: Groups = "together"
    resolves: bool = False
    takes_recipients: bool = False


def find_channel(kind: str, known: Mapping[str, Channel], module: str | None = None) -> Channel | None:
    """The channel of a kind: that of a user's module, one of `known`, or of an entry point; None if there is none.

    ValueError says what is wrong with a user's.
    """
    if module is not None:
        return from_module(module)
    return known.get(kind) or from_entry_point(kind)


def build_strategies(
    configured: Iterable[Configured], used: Iterable[str], *, json: bool = False
) -> dict[str, Strategy]:
    """The strategies named in `used`, each once, in that order.

    With `json` standard output belongs to the JSON object, so the console writes to standard error. Raises InputError.
    """
    known = {name: (channel, settings) for name, channel, settings in configured}
    built: dict[str, Strategy] = {}
    for name in dict.fromkeys(used):
        if name not in known:
            raise InputError(
                f"there is no strategy {name!r} in the configuration; it has: {', '.join(known) or 'none'}"
            )
        channel, settings = known[name]
        try:
            alerter = channel.build(settings)
        except Exception as error:
            raise InputError(f"[alerters.{name}] is not usable: {type(error).__name__}: {error}") from error
        if json and channel.kind == "console":
            alerter = channel.build(channel.settings(stream="stderr"))
        built[name] = Strategy(
            name, alerter, channel.grouping(settings), channel.resolving(settings), channel.takes_recipients
        )
    return built

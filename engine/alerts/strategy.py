"""The strategies of a run: each a channel with settings, ready to send."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ridgeline.alerters import Alerter, Channel, Groups, from_entry_point, from_module, load
from ridgeline.engine.alerts.lately import RESOLVE_AFTER
from ridgeline.io.errors import InputError
from ridgeline.io.text import escape

Configured = tuple[str, Channel, Any]  # strategy, its channel, the channel's settings
NOBODY: Final = "no_email"  # the recipient that stands for none
MAIL: Final = "smtp"


@dataclass(frozen=True, slots=True)
class Strategy:
    """What delivery needs to know of one strategy. `kind`: its channel's.

    `recipients`: those of the channel's settings by pattern of metrics; `default_recipients`: where no pattern matches.
    `resolve_after`: so many normal runs end an incident. `renews`: its alerts end by themselves unless they are repeated.
    """

    name: str
    alerter: Alerter
    groups: Groups = "together"
    resolves: bool = False
    renews: bool = False
    pictures: bool = False
    takes_recipients: bool = False
    recipients: tuple[tuple[str, tuple[str, ...]], ...] = ()
    default_recipients: tuple[str, ...] = ()
    resolve_after: int = RESOLVE_AFTER
    kind: str = ""

    @property
    def mails(self) -> bool:
        """Whether it sends mail, of which external alerts have no default recipients."""
        return self.kind == MAIL


def kind_of(strategy: str) -> str:
    """The channel that a strategy's name alone asks for; Skyline's webhooks are called `http_alerter-NAME`."""
    return "http" if strategy.startswith("http_alerter") else strategy


def find_channel(kind: str, known: Mapping[str, Channel], module: str | None = None) -> Channel | None:
    """The channel of a kind: that of a user's module, one of `known`, or of an entry point; None if there is none.

    ValueError says what is wrong with a user's.
    """
    if module is not None:
        return from_module(module)
    return known.get(kind) or from_entry_point(kind)


def without_table(name: str, channel: Channel) -> Configured:
    """The strategy with the channel's defaults; ValueError says why it cannot be used without a table of its own."""
    table = f'"{escape(name)}" needs a table [alerters.{escape(name)}]'
    if channel.needed:
        raise ValueError(f"{table} with {', '.join(channel.needed)}")
    if channel.lacking:
        raise ValueError(channel.lacking)
    try:
        return (name, channel, channel.settings())
    except ValueError as error:
        raise ValueError(f"{table}: {error}") from error


def configured_for(name: str, configured: Iterable[Configured]) -> Configured:
    """A strategy that no rule need name: by its own table, its kind's, or else the channel's defaults.

    Raises InputError where there is no such channel, or it cannot be used so.
    """
    known = {entry[0]: entry for entry in configured}
    found = known.get(name) or known.get(kind_of(name))
    if found is not None:
        return (name, found[1], found[2])
    try:
        channel = find_channel(kind_of(name), load())
    except ValueError as error:
        raise InputError(f"{name}: {error}") from error
    if channel is None:
        raise InputError(f'there is no strategy "{escape(name)}"; the configuration has: {", ".join(known) or "none"}')
    try:
        return without_table(name, channel)
    except ValueError as error:
        raise InputError(str(error)) from error


def build_strategies(
    configured: Iterable[Configured], used: Iterable[str], *, json: bool = False
) -> dict[str, Strategy]:
    """The strategies named in `used`, each once, in that order.

    With `json` standard output belongs to the JSON object, so the console writes to standard error. Raises InputError.
    """
    known = {name: (channel, settings) for name, channel, settings in configured}
    built: dict[str, Strategy] = {}
    for name in dict.fromkeys(used):
        check_known(name, known)
        channel, settings = known[name]
        if json and channel.kind == "console":
            settings = channel.settings(stream="stderr")
        try:
            built[name] = strategy_of(name, channel, settings, channel.build(settings))
        except Exception as error:
            raise InputError(f"[alerters.{name}] is not usable: {type(error).__name__}: {error}") from error
    return built


def check_known(name: str, known: Iterable[str]) -> None:
    """Refuse a strategy that is not among the known ones. Raises InputError."""
    if name not in (names := list(known)):
        raise InputError(f"there is no strategy {name!r} in the configuration; it has: {', '.join(names) or 'none'}")


def show_pictures(configured: Iterable[Configured], used: Container[str]) -> bool:
    """Whether any of the strategies `used` shows pictures."""
    return any(channel.picturing(settings) for name, channel, settings in configured if name in used)


def strategy_of(name: str, channel: Channel, settings: Any, alerter: Alerter) -> Strategy:
    """The strategy of a channel with settings, told by this alerter."""
    plain = Strategy(
        name,
        alerter,
        channel.grouping(settings),
        resolves=channel.resolving(settings),
        renews=channel.renews,
        pictures=channel.picturing(settings),
        resolve_after=getattr(settings, "resolve_after", RESOLVE_AFTER),
        kind=channel.kind,
    )
    if not channel.takes_recipients:
        return plain
    by_pattern = tuple(
        (pattern, tuple(some)) for pattern, some in (getattr(settings, "recipients", None) or {}).items()
    )
    default = tuple(getattr(settings, "default_recipients", None) or ())
    return replace(plain, takes_recipients=True, recipients=by_pattern, default_recipients=default)

"""What a channel is: the one-method interface, its declaration, and how those of this folder and of users are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final, Literal, Protocol

from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import Outcome

GROUP: Final = "ridgeline.alerters"  # of entry points: users' own channels

Groups = Literal["together", "one by one", "never"]


class Alerter(Protocol):
    """A channel ready to send. Matching, suppression, grouping, retries and recording are stages around it."""

    @property
    def concurrency(self) -> int:
        """How many messages may be in flight at once."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds that one attempt may take: an endpoint that is down delays the end of a run by no more."""
        ...

    def send(self, message: Message, deadline: float) -> Outcome:
        """Send before `deadline` (seconds of `time.monotonic`) and say how it went; a failure is an outcome, not an error."""
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """What a module declares as `CHANNEL`.

    `settings` is a frozen dataclass whose fields are the keys of `[alerters.NAME]`; it raises ValueError with one
    sentence that begins with the field, for values it cannot use. `build` makes the alerter from it. `extra` is the
    pip extra that brings the modules in `needs`, which `build` imports and the module itself does not.

    `groups`: `together`: up to `group_above` members in one message, above it a storm. `one by one`: a message for
    each metric below the limit, one storm above it. `never`: all members in one message whatever their number (at most
    1,000), each of which the channel sends by itself. `resolves`: the channel can say that all is normal again.
    `pictures`: it shows those of the alerts; where no channel in use does, none is drawn. All three may depend on the
    settings. `renews`: its alerts end by themselves (`groups` is `never`), so an anomaly that it was told of is sent to it
    again by each run for as long as it lasts.
    """

    kind: str
    summary: str
    settings: type
    build: Callable[[Any], Alerter]
    extra: str | None = None
    needs: tuple[str, ...] = ()
    takes_recipients: bool = False
    resolves: bool | Callable[[Any], bool] = False
    groups: Groups | Callable[[Any], Groups] = "together"
    pictures: bool | Callable[[Any], bool] = False
    renews: bool = False

    def grouping(self, settings: Any) -> Groups:
        """How messages for an alerter of these settings are made up."""
        return self.groups(settings) if callable(self.groups) else self.groups

    def resolving(self, settings: Any) -> bool:
        """Whether an alerter of these settings takes messages with the status `resolved`."""
        return self.resolves(settings) if callable(self.resolves) else self.resolves

    def picturing(self, settings: Any) -> bool:
        """Whether an alerter of these settings shows pictures."""
        return self.pictures(settings) if callable(self.pictures) else self.pictures

    @property
    def needed(self) -> tuple[str, ...]:
        """The settings without a default."""
        given = (MISSING, MISSING)
        return tuple(one.name for one in fields(self.settings) if (one.default, one.default_factory) == given)

    @property
    def lacking(self) -> str:
        """What to install before this channel works, as one sentence; empty where nothing is missing."""
        missing = [name for name in self.needs if find_spec(name) is None]
        if not missing:
            return ""
        how = f"pip install 'ridgeline[{self.extra}]'" if self.extra else f"pip install {' '.join(missing)}"
        return f"the {self.kind} alerter needs {' and '.join(missing)}: {how}"


def load() -> dict[str, Channel]:
    """Every channel of this folder by its kind (`console`, `http`, `syslog`, ...), found by scanning the folder."""
    found = iter_modules([str(Path(__file__).parent)])
    names = [module.name for module in found if not module.ispkg and not module.name.startswith("_")]
    channels: list[Channel] = [import_module(f"ridgeline.alerters.{name}").CHANNEL for name in names]
    return {channel.kind: channel for channel in sorted(channels, key=lambda channel: channel.kind)}


def from_module(name: str) -> Channel:
    """A user's channel: the `CHANNEL` of a module that can be imported. ValueError says what is wrong."""
    try:
        module = import_module(name)
    except Exception as error:
        raise ValueError(f"cannot be imported: {type(error).__name__}: {error}") from error
    return _declared(module, "the module")


def from_entry_point(kind: str) -> Channel | None:
    """A user's channel that an installed package declares as an entry point named `kind`; None where there is none.

    ValueError says what is wrong with one that is there.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP, name=kind):
        try:
            value = entry.load()
        except Exception as error:
            raise ValueError(f"its entry point cannot be loaded: {type(error).__name__}: {error}") from error
        return _declared(value, "its entry point")
    return None


def _declared(value: Any, where: str) -> Channel:
    channel = getattr(value, "CHANNEL", None) if isinstance(value, ModuleType) else value
    if not isinstance(channel, Channel):
        raise ValueError(  # noqa: TRY004 - wrong configuration, whatever the type
            f"{where} declares no CHANNEL; docs/alerters.md shows how to write one"
        )
    return channel

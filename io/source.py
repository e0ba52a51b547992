"""What every source of metrics offers, whatever it reads from, and how its kind declares itself."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:  # who only reads settings needs neither
    import numpy as np
    from numpy.typing import NDArray

    from ridgeline.io.matrix import MetricMatrix
    from ridgeline.io.shard import Share

# Which of several base names are read: bool[n].
Select: TypeAlias = "Callable[[Sequence[str]], NDArray[np.bool_]]"
# In which order several metrics are read: their positions, int64[n].
Order: TypeAlias = "Callable[[Sequence[str]], NDArray[np.int64]]"


class Source(Protocol):
    """Metrics in chunks.

    `seconds` adds up the time spent in each stage: "load" (waiting for and reading bytes), "decode" (bytes to clean
    columns). The two overlap with each other and with scoring. `bytes_read`: of series, so far. `clock_skew`: seconds
    that the source's own clock is ahead of ours, negative behind; None where that is not known. `unreadable`: (path,
    sentence) of what was left out because it could not be read, complete when `chunks` has ended.
    """

    seconds: dict[str, float]
    bytes_read: int
    clock_skew: float | None

    @property
    def unreadable(self) -> Sequence[tuple[str, str]]:
        """What was left out."""

    def list(self) -> builtins.list[str] | None:
        """Base names, where the source knows them before it reads (Redis); None where it streams (Parquet).

        They are in the order in which they are read.
        """

    def arrange(self, order: Order, *, at_once: bool) -> None:
        """Read in another order: now, or else as soon as it shows that there is not time for all.

        A source that streams reads on in its own.
        """

    def chunks(self) -> Iterator[MetricMatrix]:
        """Matrices in the order of `list`, else in first-seen order; a metric is in one of them only, whole."""

    def newest(self) -> int | None:
        """The newest sane timestamp of all, where it can be told beforehand."""

    def known(self, read: int) -> int | None:
        """How many metrics there are, as far as that is known after so many have been read."""

    def keep_apart(self, target: Path) -> None:
        """Raise UnsafeTarget where writing the file `target` would change what is read, now or the next time."""

    def close(self) -> None:
        """Let go of connections and files."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is to be read.

    `select` picks by base name; None: all. `left` tells the seconds there are for it, `max_memory` the bytes. With `now`,
    our clock, the source's own is compared, if it has one. `names`: all that `select` would pick, where that is known, so
    that a source that can need not list the others. `share`: of what is listed, this host's metrics; None: all.
    `later`: what can be listed is listed when it is first asked for, and not when the source is opened.
    """

    select: Select | None
    left: Callable[[], float]
    max_memory: int
    now: Callable[[], float] | None = None
    names: Sequence[str] | None = None
    share: Share | None = None
    later: bool = False

    @property
    def chosen(self) -> Select | None:
        """`select` among our share, for a source whose names say all; None where everything is read."""
        return self.select if self.share is None else self.share.narrow(self.select)


class SourceSettings(Protocol):
    """The keys of `[source]` for one kind of source: a frozen dataclass whose fields all have defaults.

    A field's metadata bounds its value: `low` and `high` a whole number; `positive` a number of seconds; `empty` (may
    be); `fault`, a function, says what is wrong with a text, None if nothing is. `needed`: the key must be given.
    `key` False: it is none.
    """

    def identity(self) -> str:
        """What names the source, without secrets: the same for every spelling, as far as text tells."""


@dataclass(frozen=True, slots=True)
class SourceKind:
    """What a module of `ridgeline.io.sources` declares as `SOURCE`.

    `open` makes the source, listed if its names are known before it is read; it raises SourceUnavailable,
    AuthenticationFailed or InputError.
    """

    kind: str
    summary: str
    settings: type[Any]
    open: Callable[[Any, Reading], Source]

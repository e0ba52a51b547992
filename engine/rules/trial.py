"""Trying a user's algorithm out before it decides anything: it is compiled, and run on series of several kinds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.rules.compilation import compiled
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.io.errors import InputError

if TYPE_CHECKING:
    import numpy as np

POINTS: Final = 1440  # a day of minutes
LONG: Final = 100_000
PATIENCE: Final = 30.0  # seconds for all series together; an algorithm takes microseconds
_FIRST: Final = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `fault`: why the algorithm cannot be used; `remarks`: what it cannot judge."""

    fault: str | None = None
    remarks: tuple[str, ...] = ()


def try_out(found: UserAlgorithm, *, patience: float = PATIENCE) -> Trial:
    """Compile an algorithm and run it on a noisy series, and on constant, short, huge and long ones.

    It cannot be used if it does not compile, raises or gives no score on the noisy series, or does not come to an end
    within `patience` seconds.
    """
    try:
        kernel = compiled(found).kernel
    except InputError as error:
        return Trial(str(error))
    outcomes: list[tuple[str, str | None]] = []
    begun: list[str] = []

    def work() -> None:
        for what, x in _series(found.min_points):
            begun.append(what)
            outcomes.append((what, _run(kernel, x)))

    # Compiled code cannot be interrupted, but it holds no lock: its thread is left behind.
    thread = threading.Thread(target=work, name=f"trial of {found.name}", daemon=True)
    thread.start()
    thread.join(patience)
    if thread.is_alive():
        return Trial(f"algorithm {found.name!r} did not come to an end within {patience:g} s on {begun[-1]}")
    usual, *others = [f"algorithm {found.name!r} {wrong} on {what}" if wrong else None for what, wrong in outcomes]
    return Trial(usual, () if usual else tuple(said for said in others if said is not None))


def _series(least: int) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.float64]]]]:
    """Yield what each series is called, and its values; none has fewer points than the algorithm asks for."""
    import numpy as np

    points = max(POINTS, least)
    noise = np.random.default_rng(1).normal(100.0, 5.0, max(LONG, points))
    yield f"a noisy series of {points} points", noise[:points].copy()
    yield f"a constant series of {points} points", np.full(points, 7.0)
    yield "a series of the fewest points that it asks for", noise[: max(least, 1)].copy()
    yield "a series of huge values", noise[:points] * 1e300
    yield f"a long series of {len(noise)} points", noise


def _run(kernel: Any, x: np.ndarray[Any, np.dtype[np.float64]]) -> str | None:
    """Return what went wrong, if anything did."""
    import numpy as np

    t = _FIRST + 60 * np.arange(len(x), dtype=np.int64)
    for array in (t, x):
        array.flags.writeable = False
    try:
        score = kernel(t, x, int(t[-1]), np.empty(4 * len(x)))
    except Exception as error:  # noqa: BLE001 - whatever a user's function raises is what is asked here
        return f"raises {type(error).__name__}{f': {error}' if str(error) else ''}"
    return "gives no score (NaN)" if np.isnan(score) else None

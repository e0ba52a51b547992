"""Users' algorithms: a second pass over the rows that the nine have scored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import njit, types

from ridgeline.kernels._algorithm import FASTMATH, OPTIONS
from ridgeline.kernels.score.layout import ANALYSED, OWN_AS_OF, USER_SCRATCH_PER_POINT
from ridgeline.kernels.score.window import considered, keep_last
from ridgeline.kernels.shared.switches import LAST_WINS

# Read-only series: a user's function that writes to them would change what others see, so numba refuses it.
SIGNATURE: Final = types.float64(
    types.Array(types.int64, 1, "C", readonly=True),
    types.Array(types.float64, 1, "C", readonly=True),
    types.int64,
    types.float64[::1],
)
ORDINARY: Final = {key: value for key, value in OPTIONS.items() if key != "_nrt"}


def compile_user(function: Callable[..., Any]) -> tuple[Any, bool]:
    """Compile a user's function; return it and whether it does without allocation.

    Flags are those of our own kernels. Raises what numba raises if even the ordinary compilation fails.
    """
    try:
        lean = _compiled(function, OPTIONS)
    except Exception:  # noqa: BLE001 - whatever numba dislikes without allocation, the ordinary way says what it is
        return _compiled(function, ORDINARY), False
    if any(compiled.lifted for compiled in lean.overloads.values()):
        # It goes back to Python on its way, and without numba's runtime that would be given whole buffers for slices.
        return _compiled(function, ORDINARY), False
    return lean, True


def _compiled(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    dispatcher = njit(**options, fastmath=set(FASTMATH))(function)
    dispatcher.compile(SIGNATURE)
    dispatcher.disable_compile()
    (signature,) = dispatcher.nopython_signatures
    if signature.return_type != types.float64:
        raise TypeError("it never returns a number")
    return dispatcher


def block_of(compiled: Any, *, lean: bool) -> Any:
    """Return the block function of one compiled algorithm."""

    @njit(**(OPTIONS if lean else ORDINARY))
    def block(
        offsets: np.ndarray,
        timestamps: np.ndarray,
        values: np.ndarray,
        duplicates: np.ndarray,
        as_of: np.ndarray,
        full_duration: np.ndarray,
        switches: np.ndarray,
        outcomes: np.ndarray,
        scores: np.ndarray,
        scratch: np.ndarray,
        kept_t: np.ndarray,
        min_points: int,
        start: int,
        stop: int,
    ) -> int:
        """Write scores float64[n] of the analysed rows in start..stop; return the first row that raised, else -1.

        A row on which the algorithm raises scores NaN: it costs that row its vote and nothing else.
        full_duration int64[n]: seconds; scratch float64[>= user_room(longest)].
        """
        raised = -1
        for row in range(start, stop):
            if outcomes[row] != ANALYSED:
                continue
            t = timestamps[offsets[row] : offsets[row + 1]]
            x = values[offsets[row] : offsets[row + 1]]
            now = as_of[row]
            if now == OWN_AS_OF:
                now = t[t.size - 1]
            first, end = considered(t, now, full_duration[row], switches)
            t = t[first:end]
            x = x[first:end]
            scores[row] = 0.0
            try:
                if duplicates[row] != 0 and switches[LAST_WINS] != 0:
                    n = keep_last(t, x, kept_t, scratch)
                    free = scratch[x.size : x.size + USER_SCRATCH_PER_POINT * n]
                    if n >= min_points:
                        scores[row] = compiled(kept_t[:n], scratch[:n], now, free)
                elif x.size >= min_points:
                    scores[row] = compiled(t, x, now, scratch[: USER_SCRATCH_PER_POINT * x.size])
            except Exception:  # noqa: BLE001 - the user's own code
                scores[row] = np.nan
                if raised < 0:
                    raised = row
        return raised

    return block


def series_of(rows: Any, row: int) -> tuple[Any, Any, int]:
    """(t, x, as_of) of one row, as the block function gives them to the algorithm; `rows` has the block's arrays."""
    here = slice(rows.offsets[row], rows.offsets[row + 1])
    t, x, now = rows.timestamps[here], rows.values[here], int(rows.as_of[row])
    if now == OWN_AS_OF:
        now = int(t[-1])
    first, end = considered(t, now, rows.full_duration[row], rows.switches)
    t, x = t[first:end], x[first:end]
    if rows.duplicates[row] and rows.switches[LAST_WINS]:
        kept_t, kept_x = np.empty(len(t), np.int64), np.empty(len(x))
        count = keep_last(t, x, kept_t, kept_x)
        t, x = kept_t[:count], kept_x[:count]
    return t, x, now

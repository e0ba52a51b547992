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
        return _compiled(function, OPTIONS), True
    except Exception:  # noqa: BLE001 - whatever numba dislikes without allocation, the ordinary way says what it is
        return _compiled(function, ORDINARY), False


def _compiled(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    dispatcher = njit(**options, fastmath=set(FASTMATH))(function)
    dispatcher.compile(SIGNATURE)
    dispatcher.disable_compile()
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
        switches: np.ndarray,
        outcomes: np.ndarray,
        scores: np.ndarray,
        scratch: np.ndarray,
        kept_t: np.ndarray,
        min_points: int,
        start: int,
        stop: int,
    ) -> None:
        """Write scores float64[n] of the analysed rows in start..stop; scratch float64[>= user_room(longest)]."""
        for row in range(start, stop):
            if outcomes[row] != ANALYSED:
                continue
            t = timestamps[offsets[row] : offsets[row + 1]]
            x = values[offsets[row] : offsets[row + 1]]
            now = as_of[row]
            if now == OWN_AS_OF:
                now = t[t.size - 1]
            first, end = considered(t, now, switches)
            t = t[first:end]
            x = x[first:end]
            if x.size < min_points:
                scores[row] = 0.0
            elif duplicates[row] != 0 and switches[LAST_WINS] != 0:
                n = keep_last(t, x, kept_t, scratch)
                free = scratch[x.size : x.size + USER_SCRATCH_PER_POINT * n]
                scores[row] = compiled(kept_t[:n], scratch[:n], now, free) if n >= min_points else 0.0
            else:
                scores[row] = compiled(t, x, now, scratch[: USER_SCRATCH_PER_POINT * x.size])

    return block

"""Users' algorithms at every analysed step of a replay, each window given to their compiled functions."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.user_algorithms import UserAlgorithm, compiled
from ridgeline.kernels.replay.layout import ABOVE_ONE
from ridgeline.kernels.score.layout import ANALYSED, EMPTY, user_room

if TYPE_CHECKING:
    from ridgeline.engine.replay.steps import Steps
    from ridgeline.engine.score.plan import Policies

Series = tuple[NDArray[np.int64], NDArray[np.float64]]
STEPS_A_CALL: Final = 4096


def add_user_scores(
    series: Sequence[Series],
    steps: Steps,
    user: Sequence[UserAlgorithm],
    policies: Policies,
    switches: NDArray[np.int64],
    threads: int,
) -> None:
    """Write the users' rows of `steps.scores` and count their votes; `series` as replayed: duplicates folded or kept."""
    if not user:
        return
    rows = steps.scores[len(steps.scores) - len(user) :]
    rows[:] = np.nan
    stops = np.cumsum(steps.counts)
    window = int(switches[-1])
    for row, (t, x) in enumerate(series):
        here = np.arange(stops[row] - steps.counts[row], stops[row])
        here = here[steps.outcomes[here] == ANALYSED]
        for place, one in enumerate(user):
            limit = policies.user[policies.of_row[row], place]
            if np.isnan(limit) or not len(here):
                continue
            scores = _scores(t, x, steps.timestamps[here], window, one, switches, threads) / limit
            narrow = scores.astype(np.float32)
            rows[place, here] = np.where((scores > 1) & ~(narrow > 1), ABOVE_ONE, narrow)
            steps.votes[here] += scores > 1


def _scores(
    t: NDArray[np.int64],
    x: NDArray[np.float64],
    when: NDArray[np.int64],
    window: int,
    one: UserAlgorithm,
    switches: NDArray[np.int64],
    threads: int,
) -> NDArray[np.float64]:
    """Return one algorithm's scores at the given times, float64[steps]."""
    # The block function takes rows that follow one another. Windows overlap: each other row is a gap to step over.
    count = len(when)
    offsets = np.empty(2 * count, np.int64)
    offsets[0::2] = np.searchsorted(t, when - window, "right")
    offsets[1::2] = np.searchsorted(t, when, "right")
    outcomes = np.zeros(2 * count, np.uint8)
    outcomes[1::2] = EMPTY
    as_of = np.repeat(when, 2)
    scores = np.full(2 * count, np.nan)
    longest = int((offsets[1::2] - offsets[0::2]).max())
    inputs = [_frozen(array) for array in (offsets, t, x, np.zeros(2 * count, np.uint8))]
    block: Any = compiled(one).block

    def run(start: int) -> None:
        block(
            *inputs, as_of, switches, outcomes, scores, np.empty(user_room(longest)), np.empty(longest, np.int64),
            one.min_points, start, min(start + 2 * STEPS_A_CALL, 2 * count - 1),
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(0, 2 * count, 2 * STEPS_A_CALL)))
    return scores[0::2]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view

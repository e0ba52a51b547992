"""The compiled kernels: loaded, or made once per machine."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.kernels.native import loader

if TYPE_CHECKING:
    from ridgeline.engine.rules.user_algorithms import UserAlgorithm

GRACE: Final = 0.5  # seconds for the loader to say itself, and better, that its time was over


def compile_kernels(turn: Turn) -> None:
    """Have the kernels ready, users' included, if that can be had within the time for reading.

    A run whose deadline comes first has judged nothing and says so; compiling goes on, for a later run.
    """
    left = turn.budget.reading_left()
    try:
        slower = aside(partial(_ready, turn.kernels, turn.scorer.plan.user, left), left + GRACE, "compile")
    except loader.StillCompiling as waiting:
        _shed(turn, str(waiting))
    except Overdue:
        _shed(turn, "algorithms were still being compiled in this process when the time for reading was over")
    else:
        turn.compiled = True
        if slower:
            turn.warn(slower)


def _ready(kernels: tuple[str, ...], user: tuple[UserAlgorithm, ...], patience: float) -> str:
    loader.prepare(*kernels, patience=patience)
    if not user or "score" not in kernels:
        return ""
    from ridgeline.engine.rules.compilation import remark

    return remark(user)


def _shed(turn: Turn, why: str) -> None:
    turn.find(PARTIAL, f"no metric was judged: {why}")
    known = None if turn.source is None else turn.source.known(0)
    if turn.memory is not None:
        known = len(turn.memory.rows)
    turn.report.add_unscored(known or 0, "shed", "deadline")

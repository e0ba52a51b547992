"""The compiled kernels: loaded, or made once per machine."""

from __future__ import annotations

from functools import partial

from ridgeline.engine.rules.user_algorithms import UserAlgorithm, remark
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.kernels.native import loader


def compile_kernels(turn: Turn) -> None:
    """Have the kernels ready, users' included, if that can be had within the time for reading.

    A run whose deadline comes first has judged nothing and says so; the kernels are there for a later one.
    """
    try:
        slower = aside(partial(_ready, turn.scorer.plan.user), turn.budget.reading_left(), "compile")
    except Overdue:
        turn.find(
            PARTIAL,
            f"no metric was judged: the kernels were still being compiled after {turn.budget.spent():.0f} s, all that "
            "`[run] deadline` leaves; `ridgeline warmup` compiles them beforehand",
        )
        if turn.opened is not None:
            turn.report.add_unscored(turn.opened.known(0) or 0, "shed", "deadline")
        return
    turn.compiled = True
    if slower:
        turn.warn(slower)


def _ready(user: tuple[UserAlgorithm, ...]) -> str:
    loader.prepare("decode", "score")
    return remark(user)

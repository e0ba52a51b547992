"""What people are told about compiling: one line anywhere, every step on a terminal, a warning where it does not work."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

Report = Callable[[str], None]


@dataclass(slots=True)
class Telling:
    """Says it to `report`, if there is one, else on standard error. `problem` is the first complaint, "" without any."""

    report: Report | None = None
    problem: str = ""
    _announced: set[str] = field(default_factory=set)

    def announce(self, sentence: str) -> None:
        """What takes a while, said once, with or without a terminal: nobody is to wonder why a start takes so long."""
        if sentence not in self._announced:
            self._announced.add(sentence)
            self._print(sentence)

    def say(self, sentence: str) -> None:
        """A step, for a terminal."""
        if self.report is not None or (sys.stderr is not None and sys.stderr.isatty()):
            self._print(sentence)

    def complain(self, problem: str) -> None:
        """Why native code is not to be had, once."""
        if not self.problem:
            self.problem = problem
            warn(f"{problem}; until then kernels are compiled anew at each start, which is slow")

    def _print(self, sentence: str) -> None:
        if self.report is not None:
            self.report(sentence)
            return
        with contextlib.suppress(OSError, ValueError):  # closed, full, or nobody reads it
            print(f"ridgeline: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - progress


def warn(sentence: str) -> None:
    """A warning of the logger `ridgeline.kernels`."""
    import logging  # noqa: PLC0415 - 5 ms that most starts do not pay

    logging.getLogger("ridgeline.kernels").warning(sentence)

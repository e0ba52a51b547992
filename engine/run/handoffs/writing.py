"""Files for a sibling, one after the other: what fails is told once, and keeps none of the others back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ridgeline.io.errors import OutputError

Write = Callable[[], object]


class Writing:
    """Makes the writes of one sibling until `left`, in seconds, has run out.

    done     how many were made
    failed   how many could not, and `reason`: why the first could not
    late     how many were not come to
    """

    def __init__(self, writes: Iterator[Write], left: Callable[[], float]) -> None:
        self.done = self.failed = self.late = 0
        self.reason = ""
        self._writes, self._left = writes, left

    def run(self) -> None:
        """Make them all, or as many as there is time for."""
        for write in self._writes:
            if self._left() <= 0:
                self.late += 1
                continue
            try:
                write()
            except OutputError as error:
                self.failed += 1
                self.reason = self.reason or str(error)
            else:
                self.done += 1

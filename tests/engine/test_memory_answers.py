"""What is told of rows while their replies come in: every row once, in order, with its own new points."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ridgeline.engine.memory import answers
from ridgeline.engine.memory.answers import Answers

ROWS = 100
NOTHING = np.empty(0, np.uint8)


@pytest.mark.parametrize("at_once", [1, 7, ROWS + 1])
def test_every_row_is_told_of_once_with_its_own_points(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(answers, "PIECE", 10)
    rows = np.arange(ROWS) * 3
    handed = np.arange(ROWS) % 3
    stamps = np.arange(handed.sum())
    told: list[int] = []
    known: list[int] = []
    points: dict[int, list[int]] = {}

    def news(some: NDArray[np.int64], offsets: NDArray[np.int64], t: NDArray[np.int64], x: NDArray[np.float64]) -> None:
        told.extend(some.tolist())
        for row, first, last in zip(some.tolist(), offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            points[row] = t[first:last].tolist()
            assert x[first:last].view(np.int64).tolist() == [2 * stamp for stamp in points[row]]

    one = Answers(rows, stamps, 2 * stamps, handed, news, lambda some: known.extend(some.tolist()))
    take = one.following(lambda _data, at, _have, done: (at, min(done + at_once, ROWS), 0))
    done = 0
    while done < ROWS:
        _, done, _ = take(NOTHING, 0, 0, done)
    one.tell(ROWS)
    assert told == known == rows.tolist()
    ends = np.cumsum(handed).tolist()
    assert points == {
        row: list(range(end - count, end)) for row, end, count in zip(rows.tolist(), ends, handed.tolist(), strict=True)
    }


def test_rows_that_were_not_answered_are_not_told_of() -> None:
    known: list[int] = []
    one = Answers(
        np.arange(5), NOTHING.view(np.int64), NOTHING.view(np.int64), np.zeros(5, np.int64), None, known.extend
    )
    one.tell(3)
    assert known == [0, 1, 2]

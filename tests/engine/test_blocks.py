"""How rows are cut into blocks: alike, of no more than so many rows, and never for a thread that would gain nothing."""

import threading

import numpy as np
import pytest

from ridgeline.engine.score.blocks import KEPT, WORTH, block_size, scratch
from ridgeline.kernels.score.layout import score_room


@pytest.mark.parametrize("rows", [1, 2, 63, 100, 1023, 1025, 2100, 3000, 4000, 100_003])
@pytest.mark.parametrize("points", [1, 100, 1440, 20_000])
@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_blocks_are_alike_and_as_many_as_threads_have_use_for(rows, points, threads):
    size = block_size(rows, rows * points, 1024, threads)
    blocks = [min(size, rows - start) for start in range(0, rows, size)]
    assert sum(blocks) == rows
    assert 1 <= size <= 1024
    if len(blocks) > 1 and rows <= 1024:
        assert rows * points // WORTH >= 2, "split although one thread does it in no time"
        assert len(blocks) <= threads
    if rows * points >= threads * WORTH and rows >= 1000:
        assert len(blocks) >= threads
        assert sum(blocks[k] for k in range(0, len(blocks), threads)) <= rows / threads + 2 * len(blocks)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_points_are_no_trouble(rows):
    assert block_size(rows, 0, 1024, 2) >= 1


def test_a_thread_keeps_its_scratch_and_shares_it_with_none():
    floats, stamps = scratch(100)
    assert len(floats) >= score_room(100)
    assert len(stamps) >= 100
    assert scratch(50)[0] is scratch(100)[0]
    others = []
    thread = threading.Thread(target=lambda: others.append(scratch(100)[0]))
    thread.start()
    thread.join(60)
    assert not np.shares_memory(others[0], scratch(100)[0])
    assert len(scratch(KEPT + 1)[0]) >= score_room(KEPT + 1)
    assert len(scratch(10)[0]) < score_room(KEPT + 1), "what one long series needed is not kept"

"""Sections whose rows belong together: a commit is all there or not at all, whatever kills it; stripes keep their places."""

import random

import numpy as np
import pytest
from rigs.memory_files import HOT, NOW, OWNER, after_bytes, die, in_child, names

from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.header import read_header
from ridgeline.io.memory.redo import beside
from ridgeline.io.memory.sections import Section
from ridgeline.io.memory.summary import drop

STATE = Section("state", "1", 32, private=True, exact=True)
CELLS = Section("cells", "1", 24, private=False, exact=True, stripes=5)
SECTIONS = (HOT, STATE, CELLS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fleet.memory"


def write(path, age, count=0, cells=None, rows=None):
    """Let rows of all sections be of this age: a cell says its stripe, its row and its age."""
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        if count:
            memory.add(names(count, first=len(memory)))
        chosen = np.arange(len(memory)) if rows is None else np.asarray(rows)
        memory.rows("hot").view(np.int64)[chosen] = age
        memory.rows("state").view(np.int64)[chosen] = age
        for stripe in range(CELLS.stripes) if cells is None else cells:
            part = memory.stripes("cells")[stripe].view(np.int64)
            part[chosen] = np.stack([np.full(len(chosen), stripe), chosen, np.full(len(chosen), age)], axis=1)
            memory.touch("cells", chosen, stripe)
        changed = np.zeros(len(memory), np.bool_)
        changed[chosen] = True
        memory.commit(changed, NOW)


def read(path, **how):
    """(ages of the rows of `hot`, of `state`, of cells [stripe, row]); a cell that says it is another's fails."""
    with MemoryFile.open(path, OWNER, SECTIONS, **how) as memory:
        n = len(memory)
        cells = memory.stripes("cells")[:, :n].view(np.int64)
        some = cells[..., 2] > 0
        assert (cells[..., 0] == np.arange(CELLS.stripes)[:, None])[some].all()
        assert (cells[..., 1] == np.arange(n)[None])[some].all()
        return (
            *(memory.rows(name).view(np.int64)[:, 0].copy() for name in ("hot", "state")),
            cells[..., 2].copy(),
        )


def test_a_stripe_is_found_where_it_was_written(path):
    write(path, 1, 100)
    write(path, 2, cells=[3], rows=[7, 8, 50])
    _, state, cells = read(path)
    assert np.flatnonzero(state == 2).tolist() == [7, 8, 50]
    assert np.flatnonzero(cells[3] == 2).tolist() == [7, 8, 50]
    assert (np.delete(cells, 3, axis=0) == 1).all()


def test_new_keys_fill_spare_rows_and_then_a_larger_file(path):
    write(path, 1, 100)
    size = path.stat().st_size
    write(path, 2, 30, rows=range(100, 130))
    assert path.stat().st_size == size
    write(path, 3, 500, rows=range(130, 630))
    assert path.stat().st_size > size
    hot, state, cells = read(path)
    expected = [1] * 100 + [2] * 30 + [3] * 500
    assert state.tolist() == hot.tolist() == expected
    assert (cells == np.array(expected)).all()


def test_what_is_changed_and_not_committed_is_forgotten(path):
    write(path, 1, 20)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.stripes("cells")[2, 5] = 9
        memory.rows("state")[5] = 9
    assert (read(path)[2] == 1).all()


def test_a_section_of_another_version_begins_anew_alone(path):
    write(path, 1, 50)
    newer = (HOT, STATE, Section("cells", "2", 32, private=False, exact=True, stripes=3))
    with MemoryFile.open(path, OWNER, newer) as memory:
        assert memory.dropped == ("cells",)
        assert not memory.stripes("cells").any()
        memory.stripes("cells")[2, :50] = 7
        memory.touch("cells", np.arange(50), 2)
        memory.commit(np.zeros(50, np.bool_), NOW)
    with MemoryFile.open(path, OWNER, newer) as memory:
        assert memory.dropped == ()
        assert (memory.stripes("cells")[2, :50] == 7).all()
        assert (memory.rows("state").view(np.int64) == 1).all()


@pytest.mark.parametrize("more", [30, 500], ids=["in place", "as a larger file"])
def test_what_a_run_has_no_use_for_stays_where_the_file_grows(path, more):
    write(path, 1, 100)
    write(path, 2, cells=[3], rows=[7])
    with path.open("r+b") as file:  # as a power cut may leave it: a row that no key was ever written down for
        file.seek(read_header(file.fileno(), path, OWNER).places.parts["state"] + 110 * STATE.row_bytes)
        file.write(b"another's")
    with MemoryFile.open(path, OWNER, (HOT,)) as memory:
        assert memory.carried == (STATE, CELLS)
        memory.gone[5] = 1
        memory.add(names(more, first=100))
        memory.commit(np.ones(100 + more, np.bool_), NOW)
    kept = [at for at in range(100 + more) if more == 30 or at != 5]
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.dropped == ()
        state = memory.rows("state").view(np.int64)[:, 0]
        assert state.tolist() == [0 if at >= 100 else 2 if at == 7 else 1 for at in kept]
        cells = memory.stripes("cells")[:, : len(memory)].view(np.int64)
    old = [at for at in kept if at < 100]
    assert (cells[:, : len(old), 1] == old).all()
    assert (cells[:, : len(old), 0] == np.arange(5)[:, None]).all()
    assert np.argwhere(cells[..., 2] == 2).tolist() == [[3, old.index(7)]]
    assert not cells[:, len(old) :].any()


@pytest.mark.parametrize("kills", [24, pytest.param(200, marks=pytest.mark.long)])
def test_killed_at_any_byte_of_a_commit(path, kills):
    """All exact rows are of the commit before or of the one that was killed, and never behind those of other sections."""
    chance = random.Random(3)
    write(path, 1, 200)
    seen = set()
    state = np.full(200, 1)
    cells = np.full((CELLS.stripes, 200), 1)
    for age in range(2, 2 + kills):
        rows = sorted(chance.sample(range(len(state)), 60))
        stripes = chance.sample(range(CELLS.stripes), 2)
        added = chance.choice((0, 0, 3))
        before = state.copy(), cells.copy()

        def act(age=age, rows=rows, stripes=stripes, added=added):
            after_bytes(chance.randrange(90_000), die)
            write(path, age, added, stripes, rows)

        code = in_child(act)
        dry = read(path, writing=False)
        hot, state, cells = read(path)
        assert all(np.array_equal(one, other) for one, other in zip(dry, (hot, state, cells), strict=True))
        assert not beside(path).exists()
        old = len(before[0])
        new = before[0].copy(), before[1].copy()
        new[0][rows] = age
        new[1][np.ix_(stripes, rows)] = age
        found = [
            np.array_equal(state[:old], one[0]) and np.array_equal(cells[:, :old], one[1]) for one in (before, new)
        ]
        assert any(found), (age, code)
        assert (hot[:old] <= state[:old]).all()
        seen.add((code, found[1]))
    assert {(-9, False), (-9, True), (0, True)} <= seen


def test_a_note_of_another_file_or_time_is_not_followed(path):
    write(path, 1, 50)

    def act():
        after_bytes(50 * (32 + 24 * 5) + 6000, die)
        write(path, 2)

    assert in_child(act) == -9
    noted = beside(path).read_bytes()
    assert (read(path)[1] == 2).all()
    write(path, 3)
    write(path, 4)
    beside(path).write_bytes(noted)
    assert (read(path)[1] == 4).all()
    for damaged in (noted[:-9], noted[:40], b"", noted[:200] + b"\0\1\2\3" + noted[204:]):
        beside(path).write_bytes(damaged)
        assert (read(path)[1] == 4).all()
    beside(path).write_bytes(noted)
    assert drop(path, OWNER)
    assert not beside(path).exists()

"""The memory file: what one run writes is what the next one finds, row by row, and nothing of anybody else's."""

import numpy as np
import pytest
from rigs.memory_files import HOT, NOW, OWNER, QUEUE, SECTIONS, age_all, ages, begin, names, sealed

from ridgeline.io.memory.commit import KEPT
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.sections import Section


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "fleet.memory"


def test_what_is_committed_is_found(path):
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.anew == "there is none yet"
        assert memory.add(names(100)).tolist() == list(range(100))
        memory.gone[7] = NOW
        memory.assignment[:] = np.arange(100)
        memory.assigned = "abc"
        memory.notes = {"turn": 3, "cursor": "17"}
        age_all(memory, 1)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.anew is None
        assert not memory.dropped
        assert memory.keys.texts() == names(100).texts()
        assert memory.notes == {"turn": 3, "cursor": "17", "age": 1}
        assert memory.assignment.tolist() == list(range(100))
        assert memory.assigned == "abc"
        assert np.flatnonzero(memory.gone).tolist() == [7]
        for section in SECTIONS:
            assert memory.rows(section.name).shape == (100, section.row_bytes)
            number, age = ages(memory.rows(section.name))
            assert number.tolist() == list(range(100))
            assert set(age.tolist()) == {1}
        assert memory.rows("hot").flags.c_contiguous
        assert memory.rows("hot").flags.writeable
        assert not memory.rows("queue").flags.writeable
    assert path.stat().st_mode & 0o777 == 0o600


def test_rows_change_in_place_and_only_those_said(path):
    begin(path)
    before = path.stat().st_ino
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.rows("hot")[50] = 9  # not said to be changed, and too far from those that are
        age_all(memory, 2, [3, 4, 99])
    assert path.stat().st_ino == before
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        for section in SECTIONS:
            age = ages(memory.rows(section.name))[1]
            assert np.flatnonzero(age == 2).tolist() == [3, 4, 99]


def test_nothing_is_written_before_the_commit(path):
    begin(path)
    before = path.read_bytes()
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.rows("hot")[:] = 9
        memory.add(names(5, first=100))
        memory.put("queue", np.arange(3), sealed(np.arange(3), 2, QUEUE.row_bytes))
        memory.notes["age"] = 9
    assert path.read_bytes() == before


def test_new_keys_take_spare_rows_in_place(path):
    begin(path)
    before = path.stat().st_ino
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        rows = memory.add(names(30, first=100))
        assert rows.tolist() == list(range(100, 130))
        assert memory.assignment[100:].tolist() == [-1] * 30
        assert not memory.rows("hot")[100:].any()
        age_all(memory, 2, rows[:20])
    assert path.stat().st_ino == before
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.keys.texts() == names(130).texts()
        for section in SECTIONS:
            age = ages(memory.rows(section.name))[1]
            assert age.tolist() == [1] * 100 + [2] * 20 + [-1] * 10


def test_more_keys_than_rows_make_a_new_file(path):
    begin(path)
    before, size = path.stat().st_ino, path.stat().st_size
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        rows = memory.add(names(5000, first=100))
        memory.notes["cursor"] = "5"
        age_all(memory, 2, rows[::2])
    assert path.stat().st_ino != before
    assert path.stat().st_size > size
    assert {found.name for found in path.parent.iterdir()} == {"fleet.memory", "fleet.memory.lock"}
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.keys.texts() == names(5100).texts()
        assert memory.header.made == NOW
        for section in SECTIONS:
            number, age = ages(memory.rows(section.name))
            assert age.tolist() == [1] * 100 + [2, -1] * 2500
            assert (number[age > 0] == np.flatnonzero(age > 0)).all()


def test_long_keys_make_a_new_file_too(path):
    begin(path)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.add(Keys.of([b"y" * 100_000]))
        age_all(memory, 2, [100])
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.keys.texts()[100] == b"y" * 100_000
        assert ages(memory.rows("hot"))[1].tolist() == [1] * 100 + [2]


def test_a_key_that_is_gone_keeps_its_row_for_14_days(path):
    begin(path)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.gone[[10, 20]] = NOW, NOW - 1
        memory.add(names(5000, first=100))
        age_all(memory, 2, [30], now=NOW + KEPT)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert names(1, 10).texts()[0] in memory.keys.texts()
        assert names(1, 20).texts()[0] not in memory.keys.texts()
        assert len(memory) == 5099
        number = ages(memory.rows("hot"))[0]
        assert number[:99].tolist() == [*range(20), *range(21, 100)]
        assert memory.rows_of(names(5100)).tolist() == [*range(20), -1, *range(20, 5099)]
        queue = ages(memory.rows("queue"))
        assert (queue[0][:99] == number[:99]).all()
        assert np.flatnonzero(queue[1] == 2).tolist() == [29]


def test_a_clock_set_back_forgets_nobody(path):
    begin(path)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.gone[:] = NOW
        memory.add(names(5000, first=100))
        age_all(memory, 2, now=NOW - 40 * 86400)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert len(memory) == 5100


def test_a_fleet_that_shrank_leaves_a_small_file(path):
    begin(path, count=5000)
    size = path.stat().st_size
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.gone[:4000] = NOW
        age_all(memory, 2, [4500], now=NOW + KEPT + 1)
    assert path.stat().st_size < size / 2
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.keys.texts() == names(1000, first=4000).texts()
        assert ages(memory.rows("hot"))[0].tolist() == list(range(4000, 5000))
        assert np.flatnonzero(ages(memory.rows("queue"))[1] == 2).tolist() == [500]


def test_a_section_of_another_version_is_dropped_alone(path):
    begin(path)
    newer = (Section("hot", "2", 72, private=True), QUEUE, Section("walk", "1", 16, private=False))
    with MemoryFile.open(path, OWNER, newer) as memory:
        assert memory.dropped == ("hot", "walk")
        assert memory.rows("hot").shape == (100, 72)
        assert not memory.rows("hot").any()
        assert memory.rows("walk").shape == (0, 16)
        assert set(ages(memory.rows("queue"))[1].tolist()) == {1}
        memory.rows("hot")[5] = 3
        memory.put("walk", np.array([6]), np.full((1, 16), 4, np.uint8))
        memory.commit(np.arange(100) == 5, NOW)
    with MemoryFile.open(path, OWNER, newer) as memory:
        assert not memory.dropped
        assert np.flatnonzero(memory.rows("hot").any(axis=1)).tolist() == [5]
        assert np.flatnonzero(memory.rows("walk").any(axis=1)).tolist() == [6]
        assert set(ages(memory.rows("queue"))[1].tolist()) == {1}


def test_a_section_that_a_run_does_not_want_stays_in_place(path):
    begin(path)
    with MemoryFile.open(path, OWNER, (HOT,)) as memory:
        memory.rows("hot")[:] = sealed(np.arange(100), 2, HOT.row_bytes)
        memory.commit(np.ones(100, np.bool_), NOW)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert set(ages(memory.rows("hot"))[1].tolist()) == {2}
        assert set(ages(memory.rows("queue"))[1].tolist()) == {1}


def test_the_last_put_of_a_row_counts(path):
    begin(path)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        for age, rows in ((2, [3, 9]), (3, [3]), (4, [3, 50])):
            memory.put("queue", np.array(rows), sealed(np.array(rows), age, QUEUE.row_bytes))
        memory.commit(np.zeros(100, np.bool_), NOW)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        age = ages(memory.rows("queue"))[1]
        assert (age[9], age[3], age[50]) == (2, 4, 4)
        assert (age == 1).sum() == 97


@pytest.mark.parametrize("rows", [[9, 3], [3, 3]])
def test_rows_that_do_not_ascend_are_refused(path, rows):
    begin(path)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory, pytest.raises(ValueError, match="ascending"):
        memory.put("queue", np.array(rows), sealed(np.array(rows), 2, QUEUE.row_bytes))


def test_reading_makes_nothing_and_never_writes(path):
    with MemoryFile.open(path, OWNER, SECTIONS, writing=False) as memory:
        assert memory.anew
    assert not path.parent.exists()
    begin(path)
    with (
        MemoryFile.open(path, OWNER, SECTIONS) as writer,
        MemoryFile.open(path, OWNER, SECTIONS, writing=False) as reader,
    ):
        age_all(writer, 2)
        assert set(ages(reader.rows("hot"))[1].tolist()) == {1}
        with pytest.raises(ValueError, match="for reading"):
            reader.commit(np.zeros(100, np.bool_), NOW)


def test_notes_are_bounded(path):
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.notes["long"] = "x" * 65000
        with pytest.raises(ValueError, match="larger than"):
            memory.commit(np.zeros(0, np.bool_), NOW)


def test_runs_are_counted(path):
    for at in range(5):
        with MemoryFile.open(path, OWNER, SECTIONS) as memory:
            memory.commit(np.zeros(len(memory), np.bool_), NOW + at)
            memory.add(names(10, first=10 * at))
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert (memory.slot.runs, memory.slot.written, memory.header.made) == (5, NOW + 4, NOW)

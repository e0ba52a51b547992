"""What a memory file must stand: kills, damage, full disks, other writers, other owners. No row is ever wrong, nothing is lost."""

import errno
import faulthandler
import gc
import os
import random
import resource
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from rigs.memory_files import (
    NOW,
    OWNER,
    QUEUE,
    SECTIONS,
    after_bytes,
    age_all,
    ages,
    begin,
    die,
    in_child,
    names,
    sound,
    used_bytes,
)

from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.sections import HEADER_BYTES
from ridgeline.io.memory.unusable import Unusable

# How often a test kills: in the ordinary suite, and in the long one.
KILLS = [30, pytest.param(100, marks=pytest.mark.long)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fleet.memory"


def one_commit(path, age, added=0, rows=None):
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        if added:
            memory.add(names(added, first=len(memory)))
        age_all(memory, age, rows)


@pytest.mark.parametrize("kills", KILLS)
def test_killed_in_the_midst_of_writing_in_place(path, kills):
    """Many times at any byte of a commit, new keys among it; each time goes on from what the one before has left."""
    chance = random.Random(5)
    begin(path, 400)
    known = names(2000).texts()
    died = torn = 0
    for age in range(2, 2 + kills):
        left = chance.randrange(used_bytes(path))
        added = chance.choice((0, 0, 1, 5))

        def act(age=age, left=left, added=added):
            after_bytes(left, die)
            one_commit(path, age, added)

        died += in_child(act) == -signal.SIGKILL
        hot, _ = sound(path, known, most=age)
        torn += (hot == -2).sum()
    assert died > kills // 2
    assert torn > 0


@pytest.mark.parametrize("kills", [8, pytest.param(50, marks=pytest.mark.long)])
def test_killed_while_a_new_file_is_written(path, kills):
    """It is the old file or the new one; what was written in vain is swept."""
    chance = random.Random(6)
    known = names(4000).texts()
    for _ in range(kills):
        path.unlink(missing_ok=True)
        begin(path, 400)
        left = chance.randrange(2 * used_bytes(path))

        def act(left=left):
            after_bytes(left, die)
            one_commit(path, 2, added=100)

        code = in_child(act)
        hot, queue = sound(path, known, most=2)
        expected = (400, 1) if code else (500, 2)
        assert (len(hot), set(hot.tolist()), set(queue.tolist())) == (expected[0], {expected[1]}, {expected[1]})
    one_commit(path, 3, added=1000)
    assert {found.name for found in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.long)])
def test_killed_by_the_clock(path, kills):
    chance = random.Random(7)
    begin(path, 20_000)
    known = names(20_000).texts()
    newest = 1
    for _ in range(kills):

        def act(first=newest + 1):
            for age in range(first, first + 1000):
                one_commit(path, age)

        pid = os.fork()
        if not pid:
            try:
                act()
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.005, 0.08))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        hot, queue = sound(path, known, most=newest + 1000)
        newest = max(newest, int(hot.max()), int(queue.max()))
        with MemoryFile.open(path, OWNER, SECTIONS, writing=False) as memory:
            noted = memory.notes["age"]  # by the last thing that a commit writes
        assert (hot[hot >= 0] >= noted).all()
        assert (queue[queue >= 0] >= noted).all()


def spots(path):
    """The parts of a file that are used: the damage of a hole harms nobody."""
    with MemoryFile.open(path, OWNER, SECTIONS, writing=False) as memory:
        places, rows = memory.header.places, len(memory)
        yield 0, 900
        yield HEADER_BYTES, 1 << 17
        yield places.offsets, 8 * (rows + 1)
        yield places.hashes, 8 * rows
        yield places.data, int(memory.keys.offsets[-1])
        yield places.parts["gone"], 8 * rows
        yield places.parts["assignment"], 4 * rows
        for section in SECTIONS:
            yield places.parts[section.name], (rows + 10) * section.row_bytes


@pytest.mark.parametrize("times", [250, pytest.param(2500, marks=pytest.mark.long)])
def test_damaged_bytes(path, times):
    """Each in a file of its own: the rest is found, or nothing is, and nothing wrong."""
    chance = random.Random(8)
    begin(path, 100)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.add(names(20, first=100))
        memory.gone[5] = NOW
        memory.assignment[:] = 7
        memory.assigned = "abc"
        age_all(memory, 2)
    raw, known, parts = path.read_bytes(), names(120).texts(), list(spots(path))
    said = {"whole": 0, "anew": 0, "unusable": 0, "torn": 0}
    for _ in range(times):
        start, size = chance.choice(parts)
        at = start + chance.randrange(size)
        with path.open("r+b") as file:
            file.seek(at)
            file.write(bytes([raw[at] ^ (1 << chance.randrange(8))]))
        try:
            with MemoryFile.open(path, OWNER, SECTIONS) as memory:
                said["anew" if memory.anew else "whole"] += 1
                assert memory.keys.texts() == known[: len(memory)]
                assert len(memory) in ({0} if memory.anew else {100, 120})
                assert memory.gone.tolist() in ([0] * len(memory), [0] * 5 + [NOW] + [0] * (len(memory) - 6))
                assert set(memory.assignment.tolist()) <= ({7} if memory.assigned else {-1})
                for section in SECTIONS:
                    number, age = ages(memory.rows(section.name))
                    whole = age != -2
                    said["torn"] += (~whole).sum()
                    assert (~whole).sum() <= 1
                    assert (number[whole] == np.flatnonzero(whole)).all()
                    assert (age[whole] == 2).all()
        except Unusable:
            said["unusable"] += 1
        with path.open("r+b") as file:
            file.seek(at)
            file.write(raw[at : at + 1])
    assert said["anew"] > times // 10
    assert said["torn"] > times // 10
    assert 0 < said["unusable"] < times // 50  # the first bytes, which say that it is ours
    assert set(sound(path, known, most=2, least=2)[0].tolist()) == {2}


@pytest.mark.parametrize("times", [40, pytest.param(400, marks=pytest.mark.long)])
def test_pages_of_different_ages(path, times):
    """What a power cut may leave: any page of the old file or of the new one, keys added in between."""
    chance = random.Random(9)
    begin(path, 300)
    old = path.read_bytes()
    one_commit(path, 2, added=20)
    new, known = path.read_bytes(), names(320).texts()
    differing = [at for at in range(0, len(new), 512) if old[at : at + 512] != new[at : at + 512]]
    for _ in range(times):
        mixed = bytearray(old)
        for at in chance.sample(differing, chance.randrange(len(differing))):
            mixed[at : at + 512] = new[at : at + 512]
        path.write_bytes(mixed)
        rows = len(sound(path, known, most=2)[0])
        assert rows in {300, 320}
        with MemoryFile.open(path, OWNER, SECTIONS) as memory:
            others = memory.add(names(20, first=5000))
            assert not memory.rows("hot")[others].any()
            memory.commit(np.zeros(rows, np.bool_), NOW)
        with MemoryFile.open(path, OWNER, SECTIONS) as memory:
            found = memory.rows_of(names(20, first=5000))
            assert (found >= rows).all()
            assert not memory.rows("hot")[found].any()


@pytest.mark.parametrize("share", [0, 1e-6, 0.01, 0.3, 0.9, 0.9999])
def test_a_truncated_file_begins_anew(path, share):
    begin(path)
    os.truncate(path, int(path.stat().st_size * share))
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.anew in {"it is empty", "it is damaged", "it is truncated"}
        assert len(memory) == 0
        memory.add(names(10))
        age_all(memory, 3)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.anew is None
        assert set(ages(memory.rows("queue"))[1].tolist()) == {3}


def test_a_file_that_grew_begins_anew(path):
    begin(path)
    with path.open("ab") as file:
        file.write(b"\0")
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.anew == "it is truncated"


def test_shrunk_while_a_run_is_at_work(path):
    """Mapped pages that are no longer there end that run; the next one begins anew, as docs/memory.md says."""
    begin(path)

    def act():
        faulthandler.disable()  # pytest's, which would tell of what is meant to happen
        with MemoryFile.open(path, OWNER, SECTIONS) as memory:
            os.truncate(path, 4096)
            memory.rows("queue").sum()

    assert in_child(act) == -signal.SIGBUS
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.anew == "it is truncated"


def test_one_writer_at_a_time(path):
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.add(names(10))
        with pytest.raises(Unusable, match="cannot be locked: another process"), MemoryFile.open(path, OWNER, SECTIONS):
            pass

        def act():
            with MemoryFile.open(path, OWNER, SECTIONS):
                pass

        assert in_child(act) == 1
        age_all(memory, 1)
    begin(path.with_name("other"))
    one_commit(path, 2)
    assert set(sound(path, names(10).texts(), most=2)[0].tolist()) == {2}


def test_two_writers_at_once(path):
    """Of many processes that write at the same time each row is one's or another's, and none is torn."""
    begin(path, 2000)
    children = []
    for age in range(2, 6):
        pid = os.fork()
        if not pid:
            code = 1
            try:
                for _ in range(30):
                    try:
                        one_commit(path, age)
                    except Unusable:
                        time.sleep(0.001)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 4
    hot, queue = sound(path, names(2000).texts(), most=5)
    assert len(set(hot.tolist()) | set(queue.tolist())) == 1


@pytest.mark.parametrize(
    "other",
    [{"source": "redis h:1"}, {"database": "1"}, {"namespace": ""}, {"shard": "b"}, {"configuration": "/other.toml"}],
)
def test_the_file_of_another_owner_stays(path, other, monkeypatch):
    begin(path)
    before = path.read_bytes()
    theirs = replace(OWNER, **other)
    for _ in range(2):
        with pytest.raises(Unusable, match="is the memory of another"), MemoryFile.open(path, theirs, SECTIONS):
            pass
        monkeypatch.setattr("ridgeline.io.memory.header.FORMAT", "of the future")
    assert path.read_bytes() == before
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.anew == "another version of Ridgeline wrote it"
        age_all(memory, 1)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.anew is None


@pytest.mark.parametrize("content", [b"precious\n", b"\0" * 100 + b"x", b"ridgeline memor", os.urandom(9000)])
def test_a_file_that_is_no_memory_stays(path, content):
    path.write_bytes(content)
    with pytest.raises(Unusable, match="no memory file"), MemoryFile.open(path, OWNER, SECTIONS):
        pass
    assert path.read_bytes() == content


@pytest.mark.parametrize("ours", [True, False])
def test_replaced_by_another_between_opening_and_commit(path, ours):
    if ours:
        begin(path)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        theirs = path.with_name("theirs")
        begin(theirs, 30, age=9)
        theirs.replace(path)
        before = path.read_bytes()
        memory.add(names(1000, first=len(memory)))
        with pytest.raises(Unusable, match="by somebody else"):
            age_all(memory, 2)
    assert path.read_bytes() == before


def test_removed_between_opening_and_commit(path):
    begin(path)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        path.unlink()
        with pytest.raises(Unusable, match="removed by somebody else"):
            age_all(memory, 2)
    assert not path.exists()


@pytest.mark.parametrize("added", [0, 3, 1000])
@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.8])
@pytest.mark.parametrize(
    "code", [errno.ENOSPC, *(pytest.param(code, marks=pytest.mark.long) for code in (errno.EDQUOT, errno.EIO))]
)
def test_a_disk_that_is_full_midway(path, added, share, code):
    begin(path, 200)
    known = names(1200).texts()

    def fail():
        raise OSError(code, os.strerror(code))

    def act():
        after_bytes(int(used_bytes(path) * share), fail)
        with pytest.raises(Unusable, match=os.strerror(code)):
            one_commit(path, 2, added)

    assert in_child(act) == 0
    hot, _ = sound(path, known, most=2)
    assert len(hot) in {200, 200 + added % 1000}
    assert set(path.parent.iterdir()) == {path, path.with_name(f"{path.name}.lock")}
    one_commit(path, 3, added)
    assert set(sound(path, known, most=3)[0].tolist()) == {3}


@pytest.mark.parametrize("added", [0, 1000])
def test_a_limit_on_the_size_of_files(path, added):
    begin(path, 200)
    size = path.stat().st_size

    def act():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
        with pytest.raises(Unusable, match="File too large"):
            one_commit(path, 2, added)

    assert in_child(act) == 0
    assert len(sound(path, names(200).texts(), most=2)[0]) == 200


def test_a_limit_on_the_size_of_a_first_file(path):
    def act():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(Unusable, match="File too large"):
            begin(path)

    assert in_child(act) == 0
    assert not path.exists()


def test_another_name_of_the_file_is_the_same_memory(path, tmp_path):
    """Moved to another volume, or found after a reboot: nothing in it is of this machine or this place."""
    begin(path)
    moved = tmp_path / "elsewhere" / "m"
    moved.parent.mkdir()
    moved.write_bytes(path.read_bytes())
    os.utime(moved, (1, 1))
    assert set(sound(moved, names(100).texts(), most=1, least=1)[1].tolist()) == {1}


def test_a_clock_set_back_changes_no_row(path):
    begin(path)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        age_all(memory, 2, now=NOW - 10_000_000)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.slot.written == NOW - 10_000_000
        assert memory.notes["age"] == 2
    assert set(sound(path, names(100).texts(), most=2)[0].tolist()) == {2}


def test_rows_put_that_are_torn_do_not_reach_their_neighbours(path):
    begin(path, 50)

    def act():
        after_bytes(QUEUE.row_bytes // 2, die)
        one_commit(path, 2, rows=[20])

    assert in_child(act) == -signal.SIGKILL
    hot, queue = sound(path, names(50).texts(), most=1)
    assert np.flatnonzero(queue == -2).tolist() == [20]
    assert set(hot.tolist()) == {1}


def test_a_writer_that_nobody_waits_for_keeps_file_and_lock(path, monkeypatch):
    """A commit on a thread that a deadline leaves behind: what is opened next must not get its descriptor."""
    begin(path, 200)
    on_its_way, go_on = threading.Event(), threading.Event()
    write = os.pwrite

    def slowly(descriptor, data, at):
        on_its_way.set()
        assert go_on.wait(10)
        return write(descriptor, data, at)

    monkeypatch.setattr(os, "pwrite", slowly)
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        thread = threading.Thread(target=age_all, args=(memory, 2))
        thread.start()
        assert on_its_way.wait(10)
    with path.with_name("next").open("wb") as file:
        with pytest.raises(Unusable, match="locked it"), MemoryFile.open(path, OWNER, SECTIONS):
            pass
        go_on.set()
        thread.join(10)
        assert not thread.is_alive()
        assert os.fstat(file.fileno()).st_size == 0
    del memory, thread
    gc.collect()
    assert set(sound(path, names(200).texts(), most=2)[0].tolist()) == {2}


def test_a_commit_after_the_end_writes_nothing(path):
    begin(path)
    before = path.read_bytes()
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        pass
    with path.with_name("next").open("wb") as file, pytest.raises(Unusable, match="is closed"):
        age_all(memory, 2)
    assert path.read_bytes() == before
    assert file.closed

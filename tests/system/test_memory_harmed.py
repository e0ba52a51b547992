"""`ridgeline run` whose memory is harmed: killed at any moment, damaged in any byte, unusable. Never an error, never another verdict."""

import os
import resource
import signal
import time

import numpy as np
import pytest
from rigs.hostile.world import world
from rigs.memory_files import NOW, OWNER, SECTIONS, after_bytes, die, in_child, names
from rigs.remembering import differences

from ridgeline.io.memory import place
from ridgeline.io.memory.file import MemoryFile

FEW = ("gauge", "latency", "counter", "turning")
SMALL = {"steps": (60, 300), "kinds": FEW, "hostility": 0.02, "deep": 0}


def small(folder, seed):
    return world(folder, seed, **SMALL)


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.long)])
def test_killed_at_any_moment(tmp_path, kills):
    """In the midst of the commit, at any byte of it, or anywhere before; and the next run goes on from what is left."""
    died, chance = [], np.random.default_rng(kills)
    with small(tmp_path, 21) as fleet:

        def kill(now):
            ours = fleet.judges[0]
            if chance.random() < 0.6:
                size = int(chance.integers(0, 8_000))
                died.append(in_child(lambda: (after_bytes(size, die), ours.run(now))) == -signal.SIGKILL)
                return
            child = os.fork()
            if not child:
                try:
                    ours.run(now)
                finally:
                    os._exit(0)
            time.sleep(chance.uniform(0, 0.2))
            os.kill(child, signal.SIGKILL)
            died.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL)

        fleet.minute()
        fleet.before = kill
        reads = 0
        for _ in range(kills):
            seen = fleet.minute()
            assert seen.wrong == {}, seen.now
            assert seen.ours.code == seen.theirs.code
            reads += seen.ours.json["reads"].get("damaged", 0)
        assert sum(died) > kills // 4
        assert reads > 0 or kills < 20


def flipped(raw, chance, count):
    """The bytes with so many bits of them another, most of these where something is written."""
    spoilt, written = bytearray(raw), np.flatnonzero(np.frombuffer(raw, np.uint8))
    for _ in range(count):
        at = int(chance.choice(written)) if chance.random() < 0.8 else int(chance.integers(len(raw)))
        spoilt[at] ^= 1 << int(chance.integers(8))
    return bytes(spoilt)


@pytest.mark.parametrize("times", [12, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("rule", ["", '[[override]]\nmatch = "gauge"\nrule = "pages"\n'], ids=["plain", "walks"])
def test_damaged_in_any_byte(tmp_path, times, rule):
    """Header, slots, keys, rows, queues, what walks know: each bit in a file of its own."""
    chance = np.random.default_rng(times)
    with small(tmp_path, 22) as fleet:
        for judge in fleet.judges:
            judge.config.write_text(judge.config.read_text() + rule)
        fleet.variant = -1  # no other rules
        for _ in range(3):
            fleet.minute()
        ours, raw = fleet.judges[0], fleet.judges[0].kept.read_bytes()
        whole = fleet.again()
        for _ in range(times):
            ours.kept.write_bytes(flipped(raw, chance, 1))
            told = ours.run(whole.now)
            assert differences(told.recorder, whole.ours.recorder) == {}
            assert differences(told.recorder, whole.theirs.recorder).keys() <= whole.excused.keys()
            assert told.code == whole.theirs.code
            assert len(told.problems) <= len(whole.ours.problems) + 1


@pytest.mark.parametrize("minutes", [3, pytest.param(60, marks=pytest.mark.long)])
def test_damaged_between_all_runs(tmp_path, minutes):
    """What was damaged is not sealed into what is known later."""
    chance = np.random.default_rng(minutes)
    with small(tmp_path, 23) as fleet:
        fleet.minute()
        ours = fleet.judges[0]
        fleet.before = lambda _: ours.kept.write_bytes(flipped(ours.kept.read_bytes(), chance, 8))
        for _ in range(minutes):
            seen = fleet.minute()
            assert seen.wrong == {}
            assert seen.ours.code == seen.theirs.code


def truncated(path):
    os.truncate(path, path.stat().st_size // 3)


def emptied(path):
    os.truncate(path, 0)


def no_memory(path):
    path.write_bytes(b"precious")


def of_another(path):
    path.unlink()
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.add(names(3))
        memory.commit(np.ones(3, np.bool_), NOW)


def a_folder(path):
    path.unlink()
    path.mkdir()


def a_link(path):
    path.rename(path.with_name("there"))
    path.symlink_to(path.with_name("there"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (truncated, None),
        (emptied, None),
        (no_memory, "no memory file"),
        (of_another, "it stays as it is"),
        (a_folder, "is a folder"),
        (a_link, "link"),
    ],
)
def test_of_no_use(tmp_path, spoil, says):
    """What is not ours stays as it is, and that is said in one sentence; else it begins anew, and is of use from then on."""
    with small(tmp_path, 24) as fleet:
        path = fleet.judges[0].kept
        fleet.minute()
        spoil(path)
        before = path.read_bytes() if path.is_file() else b""
        for run in range(2):
            seen = fleet.again()
            assert (seen.wrong, seen.ours.code) == ({}, seen.theirs.code)
            said = [problem for problem in seen.ours.problems if problem not in seen.theirs.problems]
            if says is None:
                assert said == []
                assert (seen.ours.recorder.settled > 5) == (run > 0)
            else:
                assert [says in problem for problem in said] == [True]
                assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.parametrize("kind", ["NFS", "FUSE"])
def test_far_away(tmp_path, monkeypatch, kind):
    with small(tmp_path, 25) as fleet:
        monkeypatch.setattr(place, "far_kind", lambda _: kind)
        seen = fleet.minute()
        assert (seen.wrong, seen.ours.code) == ({}, seen.theirs.code)
        assert any(kind in problem for problem in seen.ours.problems)
        assert not fleet.judges[0].kept.exists()


def test_a_folder_that_may_not_be_written_to(tmp_path):
    with small(tmp_path, 26) as fleet:
        config = fleet.judges[0].config
        config.write_text(config.read_text().replace(str(fleet.judges[0].kept), "/proc/ridgeline/m"))
        seen = fleet.again()
        assert (seen.wrong, seen.ours.code) == ({}, seen.theirs.code)
        assert any("/proc/ridgeline/m" in problem for problem in seen.ours.problems)


def test_a_disk_that_is_full(tmp_path):
    """No more than some bytes of a file can be written, from the first run on or in the midst of its life."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with small(tmp_path, 27) as fleet:
        for _ in range(2):
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
            try:
                seen = fleet.minute()
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert (seen.wrong, seen.ours.code) == ({}, seen.theirs.code)
            assert [problem for problem in seen.ours.problems if "memory is not written" in problem] != []
            seen = fleet.minute()
            assert (seen.wrong, seen.ours.code) == ({}, seen.theirs.code)
        assert fleet.minute().ours.recorder.settled > 5

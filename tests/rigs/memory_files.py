"""Memory files for tests: sections of ours, whose rows carry a checksum of their own as those of kernels do."""

import os
import signal

import numpy as np

from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.owner import Owner
from ridgeline.io.memory.sections import Section

OWNER = Owner("unix:///run/redis.sock", "0", "metrics.", "", "/etc/ridgeline.toml")
HOT = Section("hot", "1", 64, private=True)
QUEUE = Section("queue", "1", 128, private=False)
SECTIONS = (HOT, QUEUE)
NOW = 1_700_000_000
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def names(count, first=0):
    return Keys.of([b"metrics.host%d.cpu.%s" % (at, b"x" * (at % 11)) for at in range(first, first + count)])


def sealed(rows, age, width):
    """Rows, uint8[m, width], that say whose they are and of what age, and a checksum of both in the last word."""
    words = np.empty((len(rows), width // 8), np.uint64)
    words[:, 0] = np.asarray(rows, np.uint64) + np.uint64(1)
    words[:, 1:-1] = np.uint64(age)
    words[:, -1] = _check(words)
    return words.view(np.uint8)


def ages(rows):
    """What sealed rows say: their numbers and ages, -1 for those of zeros, -2 for those that are torn."""
    words = np.ascontiguousarray(rows).view(np.uint64)
    sound = words[:, -1] == _check(words)
    nothing = ~words.any(axis=1)
    number = np.where(sound, words[:, 0].astype(np.int64) - 1, -2)
    age = np.where(sound, words[:, 1].astype(np.int64), -2)
    return np.where(nothing, -1, number), np.where(nothing, -1, age)


def _check(words):
    found = np.full(len(words), 7, np.uint64)
    for column in words[:, :-1].T:
        found = (found ^ column) * _PRIME
        found ^= found >> np.uint64(29)
    return found


def age_all(memory, age, rows=None, now=NOW):
    """Let some rows, or all, be of this age in both sections, and commit."""
    changed = np.zeros(len(memory), np.bool_)
    chosen = np.arange(len(memory)) if rows is None else np.asarray(rows)
    changed[chosen] = True
    memory.rows("hot")[chosen] = sealed(chosen, age, HOT.row_bytes)
    memory.put("queue", chosen, sealed(chosen, age, QUEUE.row_bytes))
    memory.notes["age"] = age
    memory.commit(changed, now)


def begin(path, count=100, age=1):
    """A file of `count` rows of one age."""
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        memory.add(names(count))
        age_all(memory, age)


def in_child(act):
    """How a process of its own ends that does this: 0, 1 where it raised, or the number of the signal, negative."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def after_bytes(left, act):
    """Let `act()` happen in the midst of the writing, once so many bytes have been written."""
    write = os.pwrite

    def pwrite(descriptor, data, at):
        nonlocal left
        size = len(memoryview(data).cast("B"))
        if size <= left:
            left -= size
            return write(descriptor, data, at)
        part = memoryview(data).cast("B")[:left]
        left = 0
        if part:
            return write(descriptor, part, at)
        return act()

    os.pwrite = pwrite


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def used_bytes(path):
    """How many bytes one commit of everything writes into this file, more or less."""
    with MemoryFile.open(path, OWNER, SECTIONS, writing=False) as memory:
        return len(memory) * (HOT.row_bytes + QUEUE.row_bytes) + 1000


def sound(path, known, most, least=0):
    """Open, and return the ages of all rows, asserted to be whole and of their own keys, or torn, or of zeros.

    known   keys in the order in which they were added
    """
    with MemoryFile.open(path, OWNER, SECTIONS) as memory:
        assert memory.keys.texts() == known[: len(memory)]
        found = []
        for section in SECTIONS:
            rows = memory.rows(section.name)
            number, age = ages(rows)
            whole = age >= 0
            assert (number[whole] == np.flatnonzero(whole)).all()
            assert (age[whole] <= most).all()
            assert (age[whole] >= least).all()
            found.append(age)
        return found

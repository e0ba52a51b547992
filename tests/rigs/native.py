"""A small entry of its own for tests of the native cache, and processes that use it."""

import json
import os
import subprocess
import sys

import numpy as np

ENTRY = '''
import math
import os
import signal
import time

from ridgeline.kernels._algorithm import kernel, never_inline

SIGNATURE = "i8(i8[::1], f8[:, ::1], u1[::1], i4[::1], f4[:, ::1], f8[::1], i8, f8)"


@kernel
def weigh(row, factor):
    """Sum of a row under an exponential, compiled apart."""
    never_inline()
    total = 0.0
    for i in range(row.shape[0]):
        total += math.exp(-factor * i) * row[i]
    return total


@kernel
def run(times, values, mask, counts, small, out, add, factor):
    """Touch every kind of argument."""
    for i in range(values.shape[0]):
        out[i] = weigh(values[i], factor) + times[i] + add
        if mask[i]:
            out[i] += counts[i] * small[i, small.shape[1] - 1]
    if add == 99:
        raise ValueError("no")
    return values.shape[0] + VERSION


VERSION = 1000
if "HERE" in os.environ:
    open(os.environ["HERE"], "w").close()
time.sleep(float(os.environ.get("SLOW", "0")))
if "DIE" in os.environ:
    os.kill(os.getpid(), int(os.environ["DIE"]))
'''
FACTS = """
from types import SimpleNamespace


def load():
    return {n: SimpleNamespace(summary=n.upper(), min_points=2, threshold=3.0, cost=i) for i, n in enumerate(("b", "a"))}
"""
# What a user's process does: load the fake entry, call it, say what it saw.
SCRIPT = """
import json, sys
sys.path.insert(0, {modules!r})
from pathlib import Path
from ridgeline.kernels.native.loader import Loader, Recipe
loader = Loader(Recipe({{"fake": "fake_entry"}}, (Path({modules!r}),), "fake_facts:load"))
{before}
entry = loader.prepare("fake", patience={patience})["fake"]
import numpy as np
out = np.zeros(3)
status = entry(np.arange(3), np.ones((3, 4)), np.ones(3, np.uint8), np.ones(3, np.int32),
               np.ones((3, 2), np.float32), out, 7, 0.5)
heavy = [m for m in sys.modules if m.split(".")[0] in ("numba", "llvmlite", "scipy", "polars", "pyarrow", "fake_entry")]
print(json.dumps([status, entry.origin, out.tolist(), heavy, sorted(loader.warmup().compiled), list(loader.facts())]))
"""
COMPILING = "ridgeline: compiling the kernels for this machine, once (10-30 s) ...\n"


def environment(root, **more):
    return {**os.environ, "RIDGELINE_CACHE_DIR": str(root), "TMPDIR": "/proc/nowhere", **more}


def arguments(rows=37, columns=53):
    random = np.random.default_rng(5)
    return [
        random.integers(0, 10**9, rows), random.normal(size=(rows, columns)), random.integers(0, 2, rows).astype("u1"),
        random.integers(-5, 5, rows).astype("i4"), random.normal(size=(rows, 3)).astype("f4"), np.zeros(rows), 7, 0.25,
    ]  # fmt: skip


def results(entry, given):
    given[5][:] = 0
    return entry(*given), given[5].tobytes()


def stamp_folder(root):
    (found,) = (path for path in root.iterdir() if path.is_dir())
    return found


def started(modules, root, *, before="", patience=None, **more):
    """A fresh process that uses the fake entry, in an empty environment as under `env -i`: no PATH, no HOME.

    It leads a group of its own, as a shell's foreground job does.
    """
    environ = {"RIDGELINE_CACHE_DIR": str(root), "TMPDIR": "/proc/nowhere", **more}
    code = SCRIPT.format(modules=str(modules), before=before, patience=patience)
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def answer(process):
    """Status, origin, out, heavy modules, compiled, facts, and what was said on standard error."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return *json.loads(out), err

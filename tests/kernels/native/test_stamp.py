"""The stamp follows all that machine code depends on, and nothing else."""

import os
import sys
from pathlib import Path

import pytest

from ridgeline.kernels.native import stamp as native_stamp
from ridgeline.kernels.native.loader import Recipe
from ridgeline.kernels.native.stamp import STAMP, cpu, stamp, version


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "notes.txt").write_text("1")
    return tmp_path


def test_it_is_the_same_for_the_same(sources):
    base = stamp([sources], "", {})
    assert STAMP.fullmatch(base)
    (sources / "notes.txt").write_text("2")
    assert stamp([sources], "", {"HOME": "/x", "RIDGELINE_CACHE_DIR": "/y"}) == base


HARMLESS = ["NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER", "NUMBA_THREADING_LAYER_PRIORITY"]


@pytest.mark.parametrize("flag", HARMLESS)
def test_flags_that_change_no_code_do_not_count(sources, flag):
    assert stamp([sources], "", {flag: "1"}) == stamp([sources], "", {})


@pytest.mark.parametrize("flag", ["NUMBA_BOUNDSCHECK", "NUMBA_OPT", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"])
def test_flags_that_change_code_do(sources, flag):
    assert len({stamp([sources], "", environ) for environ in ({}, {flag: "1"}, {flag: "2"})}) == 3


def edited(sources):
    (sources / "a.py").write_text("x = 2\n")


def added(sources):
    (sources / "sub").mkdir()
    (sources / "sub" / "b.py").write_text("")


def renamed(sources):
    (sources / "a.py").rename(sources / "b.py")


@pytest.mark.parametrize("change", [edited, added, renamed])
def test_sources_count(sources, change):
    before = stamp([sources], "", {})
    change(sources)
    assert stamp([sources], "", {}) != before


@pytest.mark.parametrize("package", ["numba", "numpy", "llvmlite", "scipy"])
def test_versions_count(sources, package, monkeypatch):
    before = stamp([sources], "", {})
    monkeypatch.setattr(native_stamp, "version", lambda name: "9" if name == package else version(name))
    assert stamp([sources], "", {}) != before


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [(native_stamp, "cpu", lambda: "another"), (sys, "platform", "plan9"), (sys, "version_info", (3, 99, 1, "final", 0))],
)  # fmt: skip
def test_the_machine_and_python_count(sources, module, name, value, monkeypatch):
    before = stamp([sources], "", {})
    with monkeypatch.context() as patched:
        patched.setattr(module, name, value)
        after = stamp([sources], "", {})
    assert after != before


def test_entries_and_facts_count(sources):
    recipes = [
        Recipe({"a": "m"}, (sources,), "f"),
        Recipe({"a": "n"}, (sources,), "f"),
        Recipe({"a": "m"}, (sources,), "g"),
    ]
    assert len({recipe.stamp({}) for recipe in recipes}) == 3


def test_the_cpu_counts_by_its_flags_and_not_by_its_speed(tmp_path):
    info = (
        "processor : 0\nmodel name\t: Abacus 9\ncpu MHz\t\t: {}\nflags\t\t: fpu {}\n\nprocessor : 1\nmodel name : x\n"
    )
    file = tmp_path / "cpuinfo"
    seen = []
    for mhz, flags in ((1000, "avx2"), (2000, "avx2"), (1000, "avx512f")):
        file.write_text(info.format(mhz, flags))
        seen.append(cpu(file))
    assert seen[0] == seen[1] == "model name=Abacus 9\nflags=fpu avx2"
    assert seen[2] != seen[0]
    assert os.uname().machine in cpu(tmp_path / "missing")


def test_versions_are_found_without_importing():
    import numba

    assert version("numba") == f"numba-{numba.__version__}.dist-info"
    assert version("no_such_package") == "none"


def test_a_package_in_a_folder_that_cannot_be_listed_is_told_by_its_own_file(monkeypatch):
    import numba

    def refuse(_):
        raise PermissionError

    monkeypatch.setattr(native_stamp.os, "listdir", refuse)
    found = Path(numba.__file__).stat()
    assert version("numba") == f"{found.st_size}-{found.st_mtime_ns}"

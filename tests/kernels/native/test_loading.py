"""Native kernel entries: same bits as numba, and a warm start without numba."""

import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from rigs.native import COMPILING, answer, arguments, environment, results, stamp_folder, started

from ridgeline.kernels.native import cache as native_cache
from ridgeline.kernels.native.entries import load_object
from ridgeline.kernels.native.loader import Loader


def test_importing_the_module_imports_nothing_heavy():
    code = (
        "import sys, ridgeline.kernels.native.loader, ridgeline.kernels; print([m for m in sys.modules if m.split('.')[0] in "
        "('numba', 'llvmlite', 'scipy', 'logging', 'subprocess') or m.startswith('ridgeline.kernels.') "
        "and '.native' not in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_warm_start_imports_neither_numba_nor_the_entry_nor_what_compiles(modules, built):
    before = (
        "import atexit; atexit.register(lambda: print([m for m in sys.modules if m.endswith(('making', 'logging'))]))"
    )
    out, err = started(modules, built, before=before).communicate(timeout=300)
    assert (out.splitlines()[1], err) == ("[]", "")
    status, origin, out, heavy, compiled, names, err = answer(started(modules, built))
    assert (status, origin, heavy, compiled, names, err) == (1003, "library", [], [], ["b", "a"], "")
    weights = float(np.exp(-0.5 * np.arange(4)).sum())
    assert out == pytest.approx([weights + 7 + 1 + i for i in range(3)], rel=1e-15)


def test_facts_come_from_the_cache_or_from_the_modules_alike(recipe, built, tmp_path):
    warm = Loader(recipe, environment(built)).facts()
    cold = Loader(recipe, environment(tmp_path)).facts()
    assert warm == cold
    assert list(warm) == list(cold) == ["b", "a"]
    assert warm["a"] == {"summary": "A", "min_points": 2, "threshold": 3.0, "cost": 1}
    assert not any(tmp_path.iterdir())  # asking for facts compiles nothing


def test_every_way_to_load_gives_the_same_bits(recipe, built, plain):
    import fake_entry

    code = (stamp_folder(built) / "fake.o").read_bytes()
    ways = [
        Loader(recipe, environment(built)).entry("fake"),
        load_object(code, "fake", fake_entry.SIGNATURE),
        plain,
    ]
    assert [way.origin for way in ways] == ["library", "object", "numba"]
    for shape in ((37, 53), (1, 1), (0, 4), (5, 0)):
        given = arguments(*shape)
        found = {results(way, given) for way in ways}
        assert len(found) == 1
        assert found.pop()[0] == 1000 + shape[0]


def test_read_only_arrays_are_taken_without_a_copy(recipe, built, plain):
    given = arguments()
    expected = results(plain, given)
    for array in given[:5]:
        array.flags.writeable = False
    assert results(plain, given) == results(Loader(recipe, environment(built)).entry("fake"), given) == expected


def test_threads_share_an_entry(recipe, built):
    loader = Loader(recipe, environment(built))
    found = []

    def work(seed):
        given = arguments(50 + seed % 7)
        expected = results(loader.entry("fake"), given)
        found.append(all(results(loader.entry("fake"), given) == expected for _ in range(50)))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6


@pytest.mark.long
def test_without_a_linker_the_object_itself_is_loaded(modules, tmp_path):
    first = answer(started(modules, tmp_path, PATH="/proc/nowhere"))
    assert first[1] == "object"
    assert first[-1] == COMPILING
    assert not list(tmp_path.rglob("*.so"))
    second = answer(started(modules, tmp_path, PATH="/proc/nowhere"))
    assert second[:3] == first[:3]
    assert second[4] == []
    assert {name.split(".")[0] for name in second[3]} == {"llvmlite"}


def test_a_library_that_may_not_be_mapped_gives_way_to_the_object(recipe, root, monkeypatch):
    def refuse(*_):
        raise OSError("failed to map segment: Operation not permitted")

    monkeypatch.setattr(native_cache, "load_library", refuse)
    loader = Loader(recipe, environment(root))
    assert loader.entry("fake").origin == "object"
    assert loader.warmup().compiled == {}


@pytest.mark.long
def test_two_libraries_of_one_name_do_not_take_each_others_place(modules, tmp_path, built, recipe, monkeypatch):
    """The dynamic loader knows a library by its path: a number of a descriptor used twice must not give the older one."""
    (tmp_path / "fake_entry2.py").write_text((modules / "fake_entry.py").read_text().replace("= 1000", "= 2000"))
    shutil.copy(modules / "fake_facts.py", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    from ridgeline.kernels.native.loader import Recipe

    other = Recipe({"fake": "fake_entry2"}, (tmp_path,), "fake_facts:load")
    cache = tmp_path / "cache"
    for _ in range(2):
        for known, folder, version in ((other, cache, 2000), (recipe, built, 1000)):
            assert results(Loader(known, environment(folder)).entry("fake"), arguments())[0] == version + 37

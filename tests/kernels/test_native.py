"""Native kernel entries: same bits as numba, a warm start without numba, and no way to be hurt by a bad cache."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ridgeline.kernels.native import cache as native_cache
from ridgeline.kernels.native import loader
from ridgeline.kernels.native.call import Packer, Slot, load_numba, load_object, parse
from ridgeline.kernels.native.loader import NativeCache, Recipe

ENTRY = '''
import math

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
'''
FACTS = """
from types import SimpleNamespace


def load():
    return {n: SimpleNamespace(summary=n.upper(), min_points=2, threshold=3.0, cost=i) for i, n in enumerate(("b", "a"))}
"""
# What a user's process does: load the fake entry, call it, say what it saw.
SCRIPT = """
import json, os, sys
sys.path.insert(0, {modules!r})
from pathlib import Path
from ridgeline.kernels.native.loader import NativeCache, Recipe
recipe = Recipe({{"fake": "fake_entry"}}, (Path({modules!r}),), "fake_facts:load")
cache = NativeCache(recipe)
entry = cache.entry("fake")
import numpy as np
out = np.zeros(3)
status = entry(np.arange(3), np.ones((3, 4)), np.ones(3, np.uint8), np.ones(3, np.int32),
               np.ones((3, 2), np.float32), out, 7, 0.5)
heavy = [m for m in sys.modules if m.split(".")[0] in ("numba", "llvmlite", "scipy", "polars", "pyarrow", "fake_entry")]
print(json.dumps([status, entry.origin, out.tolist(), heavy, sorted(cache.warmup().compiled), list(cache.facts())]))
"""


@pytest.fixture(scope="session")
def modules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    (folder / "fake_entry.py").write_text(ENTRY)
    (folder / "fake_facts.py").write_text(FACTS)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def recipe(modules):
    return Recipe({"fake": "fake_entry"}, (modules,), "fake_facts:load")


@pytest.fixture(scope="session")
def built(tmp_path_factory, recipe):
    """A cache folder in which the fake entry has been compiled."""
    root = tmp_path_factory.mktemp("built")
    said = []
    warmed = NativeCache(recipe, environment(root), report=said.append).warmup()
    assert warmed.origins == {"fake": "library"}
    assert warmed.folder.parent == root
    assert list(warmed.compiled) == ["fake"]
    assert "once" in said[0]
    assert "fake (1 of 1)" in said[1]
    assert str(warmed.folder) in said[3]
    return root


@pytest.fixture
def root(built, tmp_path):
    """A private copy of the built cache folder, to damage."""
    shutil.copytree(built, tmp_path / "cache")
    return tmp_path / "cache"


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


def started(modules, root, **more):
    """Output of a fresh process that uses the fake entry."""
    environ = {"RIDGELINE_CACHE_DIR": str(root), "TMPDIR": "/proc/nowhere", **more}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(modules=str(modules))],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def answer(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return *json.loads(out), err


# A warm start


def test_importing_the_module_imports_nothing_heavy():
    code = (
        "import sys, ridgeline.kernels.native.loader, ridgeline.kernels; print([m for m in sys.modules if m.split('.')[0] in "
        "('numba', 'llvmlite', 'scipy', 'logging', 'subprocess') or m.startswith('ridgeline.kernels.') and '.native' not in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_warm_start_imports_neither_numba_nor_the_entry(modules, built):
    # An empty environment, as under `env -i`: no PATH, no HOME.
    status, origin, out, heavy, compiled, names, err = answer(started(modules, built))
    assert (status, origin, heavy, compiled, names, err) == (1003, "library", [], [], ["b", "a"], "")
    weights = float(np.exp(-0.5 * np.arange(4)).sum())
    assert out == pytest.approx([weights + 7 + 1 + i for i in range(3)], rel=1e-15)


def test_facts_come_from_the_cache_or_from_the_modules_alike(recipe, built, tmp_path):
    warm = NativeCache(recipe, environment(built)).facts()
    cold = NativeCache(recipe, environment(tmp_path)).facts()
    assert warm == cold
    assert list(warm) == list(cold) == ["b", "a"]
    assert warm["a"] == {"summary": "A", "min_points": 2, "threshold": 3.0, "cost": 1}
    assert not any(tmp_path.iterdir())  # asking for facts compiles nothing


# The same bits on every way


@pytest.fixture(scope="session")
def plain(modules):
    import fake_entry

    return load_numba(fake_entry.run, "fake", fake_entry.SIGNATURE)


def test_every_way_to_load_gives_the_same_bits(recipe, built, plain):
    import fake_entry

    code = (stamp_folder(built) / "fake.o").read_bytes()
    ways = [
        NativeCache(recipe, environment(built)).entry("fake"),
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
    assert results(plain, given) == results(NativeCache(recipe, environment(built)).entry("fake"), given) == expected


def test_threads_share_an_entry(recipe, built):
    cache = NativeCache(recipe, environment(built))
    found = []

    def work(seed):
        given = arguments(50 + seed % 7)
        expected = results(cache.entry("fake"), given)
        found.append(all(results(cache.entry("fake"), given) == expected for _ in range(50)))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6


def test_without_a_linker_the_object_itself_is_loaded(modules, tmp_path, plain):
    first = answer(started(modules, tmp_path, PATH="/proc/nowhere"))
    assert first[1] == "object"
    assert not list(tmp_path.rglob("*.so"))
    second = answer(started(modules, tmp_path, PATH="/proc/nowhere"))
    assert second[:3] == first[:3]
    assert second[4] == []
    assert {name.split(".")[0] for name in second[3]} == {"llvmlite"}


def test_a_library_that_may_not_be_mapped_gives_way_to_the_object(recipe, root, monkeypatch):
    def refuse(*_):
        raise OSError("failed to map segment: Operation not permitted")

    monkeypatch.setattr(loader, "load_library", refuse)
    cache = NativeCache(recipe, environment(root))
    assert cache.entry("fake").origin == "object"
    assert cache.warmup().compiled == {}


# A cache that is damaged, stale or shared


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def overwrite(path):
    path.write_bytes(b"\x7fELF" + b"garbage" * 1000)


DAMAGE = {
    "truncated library": ("fake.so", truncate),
    "a flipped bit": ("fake.so", flip),
    "garbage": ("fake.so", overwrite),
    "an empty library": ("fake.so", lambda path: path.write_bytes(b"")),
    "no library": ("fake.so", Path.unlink),
    "truncated facts of an entry": ("fake.json", truncate),
    "a flipped bit in them": ("fake.json", flip),
    "none of them": ("fake.json", lambda path: path.write_bytes(b"")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_before_anything_is_loaded(recipe, root, damage, monkeypatch):
    name, spoil = DAMAGE[damage]
    spoil(stamp_folder(root) / name)
    monkeypatch.setattr(loader, "load_library", lambda *_: pytest.fail("damaged code was loaded"))
    monkeypatch.setattr(NativeCache, "_build", lambda *_: False)
    cache = NativeCache(recipe, environment(root))
    assert cache.entry("fake").origin == "numba"


def test_damage_costs_one_rebuild(recipe, root, plain):
    overwrite(stamp_folder(root) / "fake.so")
    cache = NativeCache(recipe, environment(root))
    assert results(cache.entry("fake"), arguments()) == results(plain, arguments())
    assert list(cache.warmup().compiled) == ["fake"]
    after = NativeCache(recipe, environment(root))
    assert after.warmup() == loader.Warmed(stamp_folder(root), {}, {"fake": "library"})


def test_code_that_cannot_be_loaded_even_afresh_leaves_numba(recipe, root, caplog, monkeypatch):
    builds = []
    monkeypatch.setattr(loader, "_load", lambda *_: None)
    monkeypatch.setattr(NativeCache, "_build", lambda *_: not builds.append(1))
    assert NativeCache(recipe, environment(root)).entry("fake").origin == "numba"
    assert len(builds) == 1
    assert "cannot be loaded, even made afresh" in caplog.text


def test_a_changed_source_gets_another_stamp_and_new_code(tmp_path, built, recipe, monkeypatch):
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "fake_entry2.py").write_text(ENTRY.replace("VERSION = 1000", "VERSION = 2000"))
    (folder / "fake_facts.py").write_text(FACTS)
    monkeypatch.syspath_prepend(str(folder))
    changed = Recipe({"fake": "fake_entry2"}, (folder,), "fake_facts:load")
    cache = NativeCache(changed, environment(built))
    assert results(cache.entry("fake"), arguments())[0] == 2037
    assert cache.entry("fake").origin == "library"
    assert results(NativeCache(recipe, environment(built)).entry("fake"), arguments())[0] == 1037
    shutil.rmtree(cache.folder())


def test_the_stamp_follows_sources_flags_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "notes.txt").write_text("1")
    base = native_cache.stamp([tmp_path], "", {})
    (tmp_path / "notes.txt").write_text("2")
    assert native_cache.stamp([tmp_path], "", {"NUMBA_NUM_THREADS": "1", "HOME": "/x", "NUMBA_CACHE_DIR": "/y"}) == base
    seen = {
        base,
        native_cache.stamp([tmp_path], "other entries", {}),
        native_cache.stamp([tmp_path], "", {"NUMBA_BOUNDSCHECK": "1"}),
    }
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.py").write_text("")
    seen.add(native_cache.stamp([tmp_path], "", {}))
    (tmp_path / "a.py").write_text("x = 2\n")
    seen.add(native_cache.stamp([tmp_path], "", {}))
    monkeypatch.setattr(native_cache, "cpu", lambda: "another CPU model")
    seen.add(native_cache.stamp([tmp_path], "", {}))
    monkeypatch.setattr(native_cache, "_version", lambda package: f"{package}-9.dist-info")
    seen.add(native_cache.stamp([tmp_path], "", {}))
    assert len(seen) == 7


def test_the_cpu_is_known_by_its_model_and_flags(tmp_path):
    info = "processor : 0\nmodel name\t: Abacus 9\ncpu MHz : {}\nflags\t\t: fpu {}\n\nprocessor : 1\nflags : none\n"
    file = tmp_path / "cpuinfo"
    seen = []
    for mhz, flags in ((1000, "avx2"), (2000, "avx2"), (1000, "avx512f")):
        file.write_text(info.format(mhz, flags))
        seen.append(native_cache.cpu(file))
    assert seen[0] == seen[1] == "model name=Abacus 9\nflags=fpu avx2"
    assert seen[2] != seen[0]
    assert os.uname().machine in native_cache.cpu(tmp_path / "missing")


def test_versions_are_found_without_importing():
    import numba

    assert native_cache._version("numba") == f"numba-{numba.__version__}.dist-info"
    assert native_cache._version("no_such_package") == "none"


# Folders that cannot be used


@pytest.mark.parametrize("where", ["/proc/nowhere/cache", "FILE/cache"])
def test_without_any_place_numba_does_the_work(recipe, tmp_path, plain, caplog, where):
    (tmp_path / "file").write_text("")
    where = where.replace("FILE", str(tmp_path / "file"))
    cache = NativeCache(recipe, environment(where))
    entry = cache.entry("fake")
    assert entry.origin == "numba"
    assert results(entry, arguments()) == results(plain, arguments())
    (record,) = caplog.records
    assert f"the kernel cache folder {where} cannot be used" in record.getMessage()
    assert "RIDGELINE_CACHE_DIR" in record.getMessage()
    assert not cache.save_table("grubbs", np.ones(3))
    assert cache.load_table("grubbs") is None
    warmed = cache.warmup()
    assert warmed.folder is None
    assert "cannot be used" in warmed.problem


def test_an_unusable_folder_gives_way_to_one_under_tmp(recipe, root, tmp_path, caplog):
    private = tmp_path / f"ridgeline-{os.geteuid()}"
    shutil.copytree(root, private)
    cache = NativeCache(recipe, environment("/proc/nowhere", TMPDIR=str(tmp_path)))
    assert cache.entry("fake").origin == "library"
    assert cache.folder().parent == private
    private.chmod(0o777)
    assert NativeCache(recipe, environment("/proc/nowhere", TMPDIR=str(tmp_path))).folder() is None


def test_without_a_folder_to_keep_it_code_is_made_for_one_process(recipe, tmp_path, plain, caplog):
    (tmp_path / f"ridgeline-{os.geteuid()}").mkdir(mode=0o777)
    (tmp_path / f"ridgeline-{os.geteuid()}").chmod(0o777)
    entry = NativeCache(recipe, environment("/proc/nowhere", TMPDIR=str(tmp_path))).entry("fake")
    assert entry.origin == "library"
    assert "compiled anew at each start" in caplog.text
    assert [path.name for path in tmp_path.rglob("*")] == [f"ridgeline-{os.geteuid()}"]
    assert results(entry, arguments()) == results(plain, arguments())


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
@pytest.mark.parametrize("which", ["root", "stamp"])
def test_a_folder_that_others_can_write_to_is_refused(recipe, root, caplog, mode, which):
    (root if which == "root" else stamp_folder(root)).chmod(mode)
    cache = NativeCache(recipe, environment(root))
    assert cache.entry("fake").origin == "numba"
    assert "other users can write to it" in caplog.text


@pytest.mark.parametrize("which", ["root", "stamp"])
def test_a_folder_of_another_user_is_refused(recipe, root, caplog, which):
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a folder away")
    os.chown(root if which == "root" else stamp_folder(root), 65534, 65534)
    assert NativeCache(recipe, environment(root)).entry("fake").origin == "numba"
    assert "belongs to another user" in caplog.text


def test_a_link_planted_by_another_user_is_refused(recipe, root, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a link away")
    link = tmp_path / "link"
    link.symlink_to(root)
    assert NativeCache(recipe, environment(link)).entry("fake").origin == "library"
    os.lchown(link, 65534, 65534)
    assert native_cache.refusal(link) == "it belongs to another user"


def test_roots_own_cache_serves_users_who_cannot_write(recipe, built, monkeypatch):
    """As in a container image: warmed up by root, run by somebody else."""
    if os.geteuid() != 0:
        pytest.skip("needs folders that root owns")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert NativeCache(recipe, environment(built)).entry("fake").origin == "library"


def test_cache_folders_are_tried_in_order(tmp_path):
    last = Path(f"/tmp/ridgeline-{os.geteuid()}")
    home = Path(native_cache.pwd.getpwuid(os.geteuid()).pw_dir)

    def first(**environ):
        found = list(native_cache.candidates(environ))
        assert found[1:] in ([last], [])
        return found[0]

    assert first(RIDGELINE_CACHE_DIR="/a/b", XDG_CACHE_HOME="/c", HOME="/d") == Path("/a/b")
    assert first(XDG_CACHE_HOME="/c", HOME="/d") == Path("/c/ridgeline")
    assert first(XDG_CACHE_HOME="relative", HOME=str(tmp_path)) == tmp_path / ".cache/ridgeline"
    assert first() == first(HOME="/proc/1/nowhere") == home / ".cache/ridgeline"


def test_a_user_without_a_name_or_home_still_gets_a_folder(monkeypatch):
    def unknown(_):
        raise KeyError

    monkeypatch.setattr(native_cache.pwd, "getpwuid", unknown)
    assert list(native_cache.candidates({"TMPDIR": "/t"})) == [Path(f"/t/ridgeline-{os.geteuid()}")]


# Builders


def test_two_first_starts_at_once_compile_once(modules, tmp_path):
    processes = [started(modules, tmp_path) for _ in range(2)]
    answers = [answer(process) for process in processes]
    assert [found[1] for found in answers] == ["library", "library"]
    assert answers[0][2] == answers[1][2]
    assert sorted(len(found[4]) for found in answers) == [0, 1]
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_failing_child_leaves_numba_and_says_why(recipe, tmp_path, monkeypatch, caplog, plain):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    entry = NativeCache(recipe, environment(tmp_path)).entry("fake")
    assert entry.origin == "numba"
    assert results(entry, arguments()) == results(plain, arguments())
    assert "compiling native kernels failed" in caplog.text
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_code_of_sources_that_changed_meanwhile_is_not_kept(recipe, tmp_path, monkeypatch):
    stamps = iter("ab")
    monkeypatch.setattr(NativeCache, "_stamp_now", lambda _: next(stamps) * 24)
    assert NativeCache(recipe, environment(tmp_path)).entry("fake").origin == "library"
    assert not [path for path in tmp_path.rglob("*") if path.suffix != ".lock"]


def test_an_entry_that_needs_the_interpreter_is_refused(modules):
    from ridgeline.kernels.native import builder

    with pytest.raises(builder.UnbuildableError, match="needs PyErr_SetString"):
        builder._refuse_foreign("fake", ["llvm.exp.f64", "exp", "PyErr_SetString"])
    with pytest.raises(builder.UnbuildableError, match="in a way that ridgeline does not know"):
        builder.wrapper("fake", "f", parse("i8(f8)"), ["ptr", "ptr", "i64"])


def test_an_unbuildable_entry_is_compiled_by_numba_without_trying_again(recipe, root, caplog):
    folder = stamp_folder(root)
    (folder / "fake.json").write_text(native_cache.seal({"unbuildable": "entry fake needs PyErr_SetString"}))
    cache = NativeCache(recipe, environment(root))
    assert cache.entry("fake").origin == "numba"
    assert "needs PyErr_SetString" in caplog.text
    assert cache.warmup().compiled == {}


def test_numba_switched_off_means_plain_python(recipe, built, monkeypatch):
    import fake_entry

    monkeypatch.setattr(fake_entry, "run", lambda *_: 5)
    assert NativeCache(recipe, environment(built, NUMBA_DISABLE_JIT="1")).entry("fake")(*arguments()) == 5


def test_a_sweep_keeps_the_newest_three_and_what_is_in_use(tmp_path):
    now = time.time()
    for age, name in enumerate("abcdef"):
        (tmp_path / (name * 24)).mkdir()
        os.utime(tmp_path / (name * 24), (now, now - age * 2000))
    for name, age in ((".build-x", 9999), (".build-new", 5), ("mine", 10**6)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (now, now - age))
    for stem in ("f" * 24, "a" * 24, "mine"):
        (tmp_path / f"{stem}.lock").touch()
        os.utime(tmp_path / f"{stem}.lock", (now, now - 10**6))
    native_cache.sweep(tmp_path)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"a" * 24, "b" * 24, "c" * 24, ".build-new", "mine", f"{'a' * 24}.lock", "mine.lock"}
    # The first two are in use: with three newer ones, they still stay.
    for name in "123":
        (tmp_path / (name * 24)).mkdir()
    native_cache.sweep(tmp_path)
    assert {"a" * 24, "b" * 24} <= {path.name for path in tmp_path.iterdir()}
    assert not (tmp_path / ("c" * 24)).exists()


def test_a_start_renews_the_time_of_its_folder(recipe, root):
    folder = stamp_folder(root)
    os.utime(folder, (1, 1))
    NativeCache(recipe, environment(root)).entry("fake")
    assert time.time() - folder.stat().st_mtime < 100


# Tables


def test_tables_outlive_the_process_and_are_checked(recipe, root):
    table = np.arange(12.0).reshape(3, 4)
    cache = NativeCache(recipe, environment(root))
    assert cache.load_table("grubbs") is None
    assert cache.save_table("grubbs", table)
    np.testing.assert_array_equal(NativeCache(recipe, environment(root)).load_table("grubbs"), table)
    for spoil in (flip, truncate, overwrite, lambda path: path.write_bytes(b"")):
        assert cache.save_table("grubbs", table)
        spoil(stamp_folder(root) / "grubbs.table")
        assert cache.load_table("grubbs") is None


# Signatures and arguments


def test_signatures_are_parsed():
    assert parse("i8(i8[::1], f8[:, ::1],u1[::1], f4[:,::1], i4[::1], i8, f8)") == [
        Slot("i8", 1), Slot("f8", 2), Slot("u1", 1), Slot("f4", 2), Slot("i4", 1), Slot("i8", 0), Slot("f8", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "signature", ["f8(f8)", "i8(f8[:])", "i8(u1)", "i8(f8[:, :, ::1])", "i8(c16[::1])", "i8()", "f8[::1]", "i8(f8,)"]
)
def test_other_signatures_are_refused(signature):
    with pytest.raises(ValueError, match="signature"):
        parse(signature)


WRONG = {
    "number of arguments": (lambda given: given.pop(), r"takes 8 arguments, not 7"),
    "dtype": (lambda given: given.__setitem__(0, given[0].astype("i4")), r"argument 1 .* int64 .* not int32"),
    "dimensions": (lambda given: given.__setitem__(1, given[1][0]), r"argument 2 .* 2 dimension.* not float64 of 1"),
    "strides": (lambda given: given.__setitem__(5, np.zeros(74)[::2]), r"argument 6 .* strided"),
    "order": (lambda given: given.__setitem__(1, np.asfortranarray(given[1])), r"argument 2 .* strided"),
    "byte order": (lambda given: given.__setitem__(5, given[5].astype(">f8")), r"argument 6 .* not >f8"),
    "a list": (lambda given: given.__setitem__(5, [0.0]), r"argument 6 .* not list"),
    "None": (lambda given: given.__setitem__(6, None), r"argument 7 .* must be a number, not NoneType"),
    "a float for an integer": (lambda given: given.__setitem__(6, 1.5), r"does not fit"),
    "a huge integer": (lambda given: given.__setitem__(6, 2**70), r"does not fit"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_arguments_are_named(recipe, built, plain, wrong):
    for entry in (NativeCache(recipe, environment(built)).entry("fake"), plain):
        given = arguments()
        WRONG[wrong][0](given)
        with pytest.raises(TypeError, match=f"entry fake|{WRONG[wrong][1]}") as caught:
            entry(*given)
        assert caught.match(WRONG[wrong][1])


def test_an_unaligned_array_is_refused():
    unaligned = np.frombuffer(b"x" * 33, dtype="u1")[1:].view("f8")
    with pytest.raises(TypeError, match="unaligned"):
        Packer("fake", "i8(f8[::1])")((unaligned,))


def test_numpy_scalars_are_taken(recipe, built):
    given = arguments()
    expected = results(NativeCache(recipe, environment(built)).entry("fake"), given)
    given[6:] = np.int64(7), np.float64(0.25)
    assert results(NativeCache(recipe, environment(built)).entry("fake"), given) == expected


def test_an_exception_in_native_code_is_an_error(recipe, built):
    given = arguments()
    given[6] = 99
    with pytest.raises(RuntimeError, match="kernel entry fake failed"):
        NativeCache(recipe, environment(built)).entry("fake")(*given)


# Ours


def test_every_entry_of_ours_is_native():
    """The real ones, in the real cache folder: compiled here if no test has needed them yet."""
    assert {"decode", "replay", "score"} >= set(loader.RECIPE.entries)
    warmed = loader.warmup()
    assert warmed.problem == ""
    assert set(warmed.origins.values()) <= {"library", "object"}
    assert loader.cache_directory() == warmed.folder
    for name in loader.RECIPE.entries:
        assert loader.entry(name).name == name
        with pytest.raises(TypeError, match="arguments, not 0"):
            loader.entry(name)()
    assert all(fact.keys() == {"summary", "min_points", "threshold", "cost"} for fact in loader.facts().values())


@pytest.mark.long
@pytest.mark.parametrize("name", ["score", "replay"])
def test_ours_give_the_bits_of_numba_itself(name, monkeypatch):
    """Every array that an entry was given is the same afterwards, native or compiled by numba in this process."""
    import importlib

    import pyarrow as pa
    from twins.strategies import KINDS, make_times, make_values

    import ridgeline

    module = importlib.import_module(loader.RECIPE.entries[name])
    real, native = loader.entry, loader.entry(name)
    numba = load_numba(module.run, name, module.SIGNATURE)

    def both(*given):
        copies = [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in given]
        status = native(*given)
        assert numba(*copies) == status
        for number, (argument, copy) in enumerate(zip(given, copies, strict=True)):
            if isinstance(argument, np.ndarray):
                assert argument.tobytes() == copy.tobytes(), f"argument {number}"
        return status

    monkeypatch.setattr(loader, "entry", lambda wanted: both if wanted == name else real(wanted))
    random = np.random.default_rng(3)
    times, values, metrics = [], [], []
    for number, kind in enumerate(KINDS * (20 if name == "score" else 2)):
        n = int(random.integers(90, 1500))
        times.append(make_times(random, str(random.choice(["minutes", "seconds", "gaps", "uneven"])), n).tolist())
        values.append((make_values(random, kind, n) * 10.0 ** random.integers(-6, 7) + 1e3).tolist())
        metrics.append(f"{kind}.{number}")
    columns = {
        "metric": metrics,
        "timestamp": pa.array(times, pa.large_list(pa.int64())),
        "value": pa.array(values, pa.large_list(pa.float64())),
    }
    for profile in ("native", "earthgecko", "earthgecko_batch"):
        if name == "replay":
            assert ridgeline.replay(pa.table(columns), profile=profile, threads=1).num_rows > 100
            continue
        for wanted in ({}, {"all_votes": True}, {"scores": True}):
            found = ridgeline.score(pa.table(columns), profile=profile, as_of="last", threads=1, **wanted)
            assert found.num_rows == len(metrics)

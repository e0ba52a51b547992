"""Compiling: once, in a process of its own, no longer than the caller has time, and nothing left behind by a crash."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from rigs.native import COMPILING, FACTS, answer, arguments, environment, results, stamp_folder, started
from rigs.waiting import until

from ridgeline.kernels.native import children, compiler, making
from ridgeline.kernels.native.cache import Cache
from ridgeline.kernels.native.children import BuildError
from ridgeline.kernels.native.folder import opened
from ridgeline.kernels.native.loader import Loader, Recipe, StillCompiling
from ridgeline.kernels.native.seal import Known
from ridgeline.kernels.native.stamp import stamp
from ridgeline.kernels.native.sweep import sweep, sweep_orphans
from ridgeline.kernels.native.telling import Telling
from ridgeline.kernels.native.waiting import Patience, locked


def building(root):
    return list(root.glob(".build-*")) if root.is_dir() else []


def processes(word):
    """Process ids of those that have a word in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


# Slowness and death are for the processes that compile, not for numba in the process that asks.
FOR_CHILDREN = "import os; loader.environ = dict(os.environ); os.environ.pop('SLOW', 0); os.environ.pop('DIE', 0)"


def leftovers(root):
    return [path.name for path in root.iterdir() if path.name.startswith(".")]


def test_two_first_starts_at_once_compile_once(modules, tmp_path):
    starts = [started(modules, tmp_path) for _ in range(2)]
    answers = [answer(process) for process in starts]
    assert [found[1] for found in answers] == ["library", "library"]
    assert answers[0][2] == answers[1][2]
    assert sorted(len(found[4]) for found in answers) == [0, 1]
    assert sum(found[-1] == COMPILING for found in answers) == 1
    assert leftovers(tmp_path) == []


# No longer than the caller has time


def test_a_caller_without_time_is_told_so_and_the_next_start_finds_the_code(modules, tmp_path):
    process = started(modules, tmp_path, patience=0.5, SLOW="2", MARK=str(tmp_path))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "StillCompiling: the kernels are still being compiled" in err.splitlines()[-1]
    assert err.startswith(COMPILING)
    assert processes(str(tmp_path)), "nobody goes on"
    status, origin, _, heavy, compiled, *_, err = answer(started(modules, tmp_path))
    assert (status, origin, heavy, compiled) == (1003, "library", [], [])
    assert "another process is compiling" in err
    until(lambda: not processes(str(tmp_path)))
    assert leftovers(tmp_path) == []


@pytest.mark.long
def test_so_is_one_that_waits_for_another_process(modules, tmp_path):
    first = started(modules, tmp_path, SLOW="3")
    until(lambda: building(tmp_path))
    second = started(modules, tmp_path, patience=0.2)
    _, err = second.communicate(timeout=120)
    assert "StillCompiling" in err
    assert answer(first)[4] == ["fake"]


def test_the_same_process_may_ask_again(recipe, tmp_path):
    loader = Loader(recipe, environment(tmp_path, SLOW="1"))
    with pytest.raises(StillCompiling, match="ridgeline warmup"):
        loader.prepare("fake", patience=0.2)
    waited = loader.seconds_compiling
    assert waited > 0
    assert loader.entry("fake").origin == "library"
    assert loader.seconds_compiling > waited
    again = loader.seconds_compiling
    loader.prepare("fake", patience=0)
    assert loader.seconds_compiling == again
    until(lambda: all(compiler.poll() is not None for compiler in making._left))


def test_a_warm_start_needs_no_patience(recipe, built):
    loader = Loader(recipe, environment(built))
    assert loader.prepare("fake", patience=0)["fake"].origin == "library"
    assert loader.seconds_compiling == 0


def test_without_a_place_for_it_a_caller_without_time_leaves_nobody_behind(recipe, tmp_path):
    (tmp_path / f"ridgeline-{os.geteuid()}").mkdir()
    (tmp_path / f"ridgeline-{os.geteuid()}").chmod(0o777)
    environ = environment("/proc/nowhere", TMPDIR=str(tmp_path), SLOW="60", MARK=str(tmp_path))
    with pytest.raises(StillCompiling, match="/proc/nowhere cannot be used"):
        Loader(recipe, environ).prepare("fake", patience=1.0)
    assert processes(f"MARK={tmp_path}") == []
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.long
def test_another_threads_compilation_is_waited_for_no_longer_than_there_is_time(recipe, tmp_path):
    import threading

    loader = Loader(recipe, environment(tmp_path, SLOW="2"))
    thread = threading.Thread(target=loader.entry, args=["fake"])
    thread.start()
    until(lambda: building(tmp_path))
    with pytest.raises(StillCompiling):
        loader.prepare("fake", patience=0.2)
    thread.join()
    assert loader.prepare("fake", patience=0)["fake"].origin == "library"


def test_a_lock_is_waited_for_and_then_done_without(tmp_path):
    waited = []
    with opened(tmp_path) as folder, locked(folder, "a.lock", Patience(None), pytest.fail):
        with locked(folder, "a.lock", Patience(None), lambda: waited.append(1), most=0.2):
            assert waited
        with pytest.raises(StillCompiling), locked(folder, "a.lock", Patience(0.1), lambda: None):
            pytest.fail("a held lock was given")


def test_what_vouches_for_code_is_published_after_it():
    moved = []
    folder = SimpleNamespace(
        names=lambda: ["b.json", "a.so", "facts.json", "a.o", "a.json", "b.o"], move=lambda name, *_: moved.append(name)
    )
    compiler._publish(folder, None)
    assert sorted(moved[:3]) == ["a.o", "a.so", "b.o"]
    assert sorted(moved[3:]) == ["a.json", "b.json", "facts.json"]


# Crashes


def test_a_start_killed_while_compiling_leaves_its_work_to_the_next(modules, tmp_path):
    """With its whole group, as by Ctrl-C."""
    first = started(modules, tmp_path, SLOW="2", MARK=str(tmp_path))
    until(lambda: building(tmp_path))
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=60)
    status, origin, _, _, compiled, *_ = answer(started(modules, tmp_path))
    assert (status, origin, compiled) == (1003, "library", [])
    until(lambda: not processes(f"MARK={tmp_path}"))
    assert leftovers(tmp_path) == []


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_compiler_takes_its_builders_along_and_the_next_start_clears_up(modules, tmp_path, how):
    here = tmp_path.with_name(f"{tmp_path.name}-here")
    first = started(modules, tmp_path, before=FOR_CHILDREN, SLOW="600", MARK=str(tmp_path), HERE=str(here))
    until(here.exists)
    (folder,) = building(tmp_path)
    os.kill(int(folder.name.rpartition("-")[2]), how)
    status, origin, *_, err = answer(first)
    assert (status, origin) == (1003, "numba")
    assert "compiling native kernels failed" in err
    until(lambda: not processes(f"MARK={tmp_path}"))
    assert bool(building(tmp_path)) == (how == signal.SIGKILL)
    status, origin, _, _, compiled, *_ = answer(started(modules, tmp_path))
    assert (status, origin, compiled) == (1003, "library", ["fake"])
    assert leftovers(tmp_path) == []


def test_a_failing_child_leaves_numba_and_says_why(recipe, tmp_path, monkeypatch, caplog, plain):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    entry = Loader(recipe, environment(tmp_path)).entry("fake")
    assert entry.origin == "numba"
    assert results(entry, arguments()) == results(plain, arguments())
    assert "compiling native kernels failed (exit code 1)" in caplog.text
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_without_an_interpreter_to_start_numba_does_the_work(recipe, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(sys, "executable", "/proc/nowhere/python")
    assert Loader(recipe, environment(tmp_path)).entry("fake").origin == "numba"
    assert "cannot start /proc/nowhere/python" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE])
def test_code_that_dies_is_left_to_numba(tmp_path, number):
    child = subprocess.Popen([sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(number)})"])
    child.wait(60)
    children.judge(child, tmp_path / "fake.log")
    assert f"dies of signal {int(number)}" in Known.read((tmp_path / "fake.json").read_bytes()).unbuildable


def test_a_killed_builder_may_try_again(tmp_path):
    """Memory that ran out is no fault of the code's."""
    child = subprocess.Popen([sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"])
    child.wait(60)
    (tmp_path / "fake.log").write_text("")
    with pytest.raises(BuildError, match="exit code -9"):
        children.judge(child, tmp_path / "fake.log")


@pytest.mark.long
def test_code_that_dies_is_not_tried_again(modules, tmp_path):
    before = f"{FOR_CHILDREN}; os.umask(0)"  # what is remembered must be ours alone, or it is not believed
    first = answer(started(modules, tmp_path, before=before, DIE=str(int(signal.SIGSEGV))))
    assert first[:2] == (1003, "numba")
    assert f"dies of signal {int(signal.SIGSEGV)}" in first[-1]
    assert Known.read((stamp_folder(tmp_path) / "fake.json").read_bytes()).unbuildable
    second = answer(started(modules, tmp_path))
    assert (second[1], second[4]) == ("numba", [])


# Sources and entries


@pytest.mark.long
def test_sources_edited_meanwhile_are_compiled_again_under_their_own_stamp(recipe, tmp_path, monkeypatch):
    stamps = iter(["0" * 24, stamp(recipe.sources, recipe.extra, environment(tmp_path))])
    monkeypatch.setattr(Recipe, "stamp", lambda *_: next(stamps))
    assert Loader(recipe, environment(tmp_path)).entry("fake").origin == "library"
    assert stamp_folder(tmp_path).name != "0" * 24
    assert leftovers(tmp_path) == []


@pytest.mark.long
def test_sources_that_never_rest_are_left_to_numba(recipe, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(Recipe, "stamp", lambda *_: "0" * 24)
    assert Loader(recipe, environment(tmp_path)).entry("fake").origin == "numba"
    assert "sources change while they are compiled" in caplog.text
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_an_unbuildable_entry_is_compiled_by_numba_without_trying_again(recipe, root, caplog):
    (stamp_folder(root) / "fake.json").write_bytes(Known(unbuildable="entry fake needs PyErr_SetString").sealed())
    loader = Loader(recipe, environment(root))
    assert loader.entry("fake").origin == "numba"
    assert "needs PyErr_SetString" in caplog.text
    assert loader.warmup().compiled == {}


def test_numba_switched_off_means_plain_python(recipe, built, monkeypatch):
    import fake_entry

    monkeypatch.setattr(fake_entry, "run", lambda *_: 5)
    assert Loader(recipe, environment(built, NUMBA_DISABLE_JIT="1")).entry("fake")(*arguments()) == 5


def test_an_unknown_entry_is_a_key_error(recipe, built):
    with pytest.raises(KeyError, match="no kernel entry is called 'other'"):
        Loader(recipe, environment(built)).entry("other")


def test_what_cannot_be_compiled_fails_as_numba_fails(tmp_path, monkeypatch):
    """A mistake in a kernel is told by numba itself, in the process that asks."""
    from numba.core.errors import NumbaError

    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "broken_entry.py").write_text(
        "from ridgeline.kernels._algorithm import kernel\nSIGNATURE = 'i8(i8)'\n\n\n"
        "@kernel\ndef run(n):\n    '''None.'''\n    return n + 'text'\n"
    )
    (folder / "fake_facts.py").write_text(FACTS)
    monkeypatch.syspath_prepend(str(folder))
    loader = Loader(Recipe({"broken": "broken_entry"}, (folder,), "fake_facts:load"), environment(tmp_path / "cache"))
    with pytest.raises(NumbaError):
        loader.entry("broken")


# A place to keep it


@pytest.fixture
def full_disk(tmp_path):
    """A file system of 64 KiB."""
    place = tmp_path / "full"
    place.mkdir(mode=0o700)
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k,mode=700", "none", place], check=False).returncode
    ):
        pytest.skip("needs root, to mount a small file system")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.long
@pytest.mark.parametrize("room", [24576, 0, 4096])
def test_on_a_full_disk_the_next_folder_is_taken_and_found_again(modules, full_disk, tmp_path, room):
    (full_disk / "ballast").write_bytes(bytes(65536 - room))
    other = tmp_path / f"ridgeline-{os.geteuid()}"
    first = answer(started(modules, full_disk, TMPDIR=str(tmp_path)))
    assert first[:2] == (1003, "library")
    assert f"the kernel cache folder {full_disk} cannot be used: No space left on device" in first[-1]
    assert f"kept in {other} instead" in first[-1]
    assert stamp_folder(other).is_dir()
    assert leftovers(full_disk) == []
    second = answer(started(modules, full_disk, TMPDIR=str(tmp_path)))
    assert (*second[:2], second[3], second[4], second[-1]) == (1003, "library", [], [], "")


@pytest.mark.parametrize("where", ["/proc/nowhere/cache", "FILE/cache"])
def test_without_any_place_numba_does_the_work(recipe, tmp_path, plain, caplog, where):
    (tmp_path / "file").write_text("")
    where = where.replace("FILE", str(tmp_path / "file"))
    loader = Loader(recipe, environment(where))
    entry = loader.entry("fake")
    assert entry.origin == "numba"
    assert results(entry, arguments()) == results(plain, arguments())
    (record,) = caplog.records
    assert f"the kernel cache folder {where} cannot be used" in record.getMessage()
    assert "RIDGELINE_CACHE_DIR" in record.getMessage()
    warmed = loader.warmup()
    assert warmed.folder is None
    assert "cannot be used" in warmed.problem


@pytest.mark.long
def test_without_a_folder_to_keep_it_code_is_made_for_one_process(recipe, tmp_path, plain, caplog):
    (tmp_path / f"ridgeline-{os.geteuid()}").mkdir(mode=0o777)
    (tmp_path / f"ridgeline-{os.geteuid()}").chmod(0o777)
    before = os.umask(0)
    try:
        entry = Loader(recipe, environment("/proc/nowhere", TMPDIR=str(tmp_path))).entry("fake")
    finally:
        os.umask(before)
    assert entry.origin == "library"
    assert "compiled anew at each start" in caplog.text
    assert [path.name for path in tmp_path.rglob("*")] == [f"ridgeline-{os.geteuid()}"]
    assert results(entry, arguments()) == results(plain, arguments())


def test_nor_is_it_made_in_a_temporary_folder_that_others_can_change(recipe, tmp_path, caplog):
    tmp_path.chmod(0o777)
    assert Loader(recipe, environment("/proc/nowhere", TMPDIR=str(tmp_path))).entry("fake").origin == "numba"
    assert list(tmp_path.iterdir()) == []


# Sweeping


def aged(tmp_path, name, age, *, folder=True):
    (tmp_path / name).mkdir() if folder else (tmp_path / name).touch()
    now = time.time()
    os.utime(tmp_path / name, (now, now - age))


def test_a_sweep_keeps_the_newest_three_and_what_is_in_use(tmp_path):
    for number, letter in enumerate("abcdef"):
        aged(tmp_path, letter * 24, number * 2000)
    aged(tmp_path, "mine", 10**6)
    for stem in ("f" * 24, "a" * 24, "mine"):
        aged(tmp_path, f"{stem}.lock", 10**6, folder=False)
    with opened(tmp_path) as place:
        sweep(place)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"a" * 24, "b" * 24, "c" * 24, "mine", f"{'a' * 24}.lock", "mine.lock"}
    # The first two are in use: with three newer ones, they still stay.
    for name in "123":
        (tmp_path / (name * 24)).mkdir()
    with opened(tmp_path) as place:
        sweep(place)
    assert {"a" * 24, "b" * 24} <= {path.name for path in tmp_path.iterdir()}
    assert not (tmp_path / ("c" * 24)).exists()


def test_orphans_are_what_no_lock_vouches_for(tmp_path):
    names = {letter: f".build-{letter * 24}-7" for letter in "abcd"}
    for letter in "abcd":
        aged(tmp_path, names[letter], 9999 if letter == "d" else 5)
    for name in (".build-mine", f".build-{'a' * 24}", "build"):
        aged(tmp_path, name, 10**6)
    aged(tmp_path, f"{'b' * 24}.lock", 0, folder=False)
    with opened(tmp_path) as place, locked(place, f"{'c' * 24}.lock", Patience(None), pytest.fail):
        aged_locks = {path.name for path in tmp_path.iterdir() if path.suffix == ".lock"}
        sweep_orphans(place, held="e" * 24)
        # a has no lock file, as on a file system without locks: it may be at work. b's lock is free. d is too old.
        assert {path.name for path in tmp_path.iterdir()} - aged_locks == {
            names["a"], names["c"], ".build-mine", f".build-{'a' * 24}", "build",
        }  # fmt: skip
        sweep_orphans(place, held="a" * 24)
        assert not (tmp_path / names["a"]).exists()
        assert (tmp_path / names["c"]).exists()


def test_a_start_renews_the_time_of_its_folder(recipe, root):
    folder = stamp_folder(root)
    os.utime(folder, (1, 1))
    Loader(recipe, environment(root)).entry("fake")
    assert time.time() - folder.stat().st_mtime < 3000
    os.utime(folder, (1, time.time() - 1800))
    before = folder.stat().st_mtime
    assert Cache(folder.name, environment(root)).load(["fake"])
    assert folder.stat().st_mtime == before  # at most once an hour


# What is said


def test_steps_are_for_a_terminal_one_line_is_for_everybody(capsys):
    telling = Telling()
    telling.say("a step")
    telling.announce("this takes a while")
    telling.announce("this takes a while")
    assert capsys.readouterr().err == "ridgeline: this takes a while\n"
    heard = []
    telling = Telling(heard.append)
    telling.say("a step")
    telling.announce("this takes a while")
    assert heard == ["a step", "this takes a while"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("error", [OSError("full"), ValueError("closed"), None])
def test_nobody_listening_is_no_error(monkeypatch, error):
    class Deaf(io.StringIO):
        def write(self, _):
            raise error

    monkeypatch.setattr(sys, "stderr", error and Deaf())
    Telling().announce("this takes a while")
    Telling().say("a step")

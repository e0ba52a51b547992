"""Pictures are drawn in another process, which may hang, crash, babble or be missing: then they are missing, and no more."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from ridgeline.engine.report import drawings
from ridgeline.engine.report.drawings import Drawings
from ridgeline.engine.report.picture import Lanes, Picture
from ridgeline.kernels.native import children

pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
END = 1_700_000_000
PNG = b"\x89PNG"
LONG = 60.0


def picture(name, points=200):
    values = np.sin(np.arange(points) / 7)
    return Picture(name, END - 60 * np.arange(points)[::-1], values, np.arange(points) == points - 1, 0.0, (-1.0, 1.0))


def processes(module):
    """Our child processes that run a module's `main`."""
    return [child for child in psutil.Process().children() if f"'{module}'" in " ".join(child.cmdline())]


@pytest.fixture
def painter(tmp_path, monkeypatch):
    """Puts a painter of one's own in the place of ours."""

    def place(body):
        name = f"painter_{tmp_path.name}"
        (tmp_path / f"{name}.py").write_text(
            f"import base64, os, sys, time\nfrom ridgeline.kernels.native.children import tell\n{body}"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(drawings, "PAINTER", name)
        return name

    return place


def drawn(names, seconds=LONG):
    found = Drawings()
    found.draw([picture(name) for name in names], seconds)
    return found


def test_pictures_are_drawn_by_a_process_that_was_never_forked(monkeypatch):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    forks = []
    os.register_at_fork(before=lambda: forks.append(1))
    import numba  # noqa: F401 - the library whose threads a fork would break

    monkeypatch.setenv("MPLBACKEND", "no.such.backend")
    found = drawn(["a", "$\n\udc80"])
    assert found.problem == ""
    assert list(found.drawn) == ["a", "$\n\udc80"]
    assert all(png.startswith(PNG) and png.rstrip().endswith(b"IEND\xaeB`\x82") for png in found.drawn.values())
    assert found.drawn["a"] != found.drawn["$\n\udc80"]
    assert not forks
    assert not processes(drawings.PAINTER)


def test_a_user_without_a_home_keeps_matplotlibs_files_beside_the_kernels(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    cache, temporary = tmp_path / "cache", tmp_path / "tmp"
    for folder in (cache, temporary):
        folder.mkdir(mode=0o700)
    for name in ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/proc/nowhere")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("RIDGELINE_CACHE_DIR", str(cache))
    assert list(drawn(["a"]).drawn) == ["a"]
    assert list((cache / "matplotlib").glob("fontlist*.json"))
    assert not list(temporary.iterdir()), "nothing is left behind at each run"
    cache.chmod(0o777)
    assert not drawings._own_folder(), "another user could put settings there"


def test_one_that_cannot_be_drawn_costs_no_other():
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    broken = Picture("b", np.arange(3), np.arange(2.0), np.zeros(5, bool))
    found = Drawings()
    found.draw([picture("a"), broken, picture("c")], LONG)
    assert list(found.drawn) == ["a", "c"]
    assert found.problem.startswith("a picture cannot be drawn: ")


def test_a_painter_that_hangs_is_killed_and_what_it_has_drawn_counts(painter):
    name = painter(
        "def main(request):\n"
        "    print('hello')\n"
        "    tell(1, at=0, png=base64.b64encode(b'first').decode())\n"
        '    os.write(1, b\'{"at": 1, "png": "\')\n'
        "    time.sleep(600)\n"
    )
    started = time.monotonic()
    found = drawn(["a", "b"], 4.0)
    assert time.monotonic() - started < 40
    assert found.drawn == {"a": b"first"}
    assert found.problem == "drawing was broken off after 4.0 s"
    assert not processes(name)


def test_a_painter_that_does_not_even_listen_holds_nobody_up(painter, monkeypatch):
    stuck = [sys.executable, "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr(drawings, "command", lambda _module: stuck)
    found = Drawings()
    found.draw([picture("a", 200_000)], 0.5)  # far more than a pipe holds
    assert (found.drawn, found.problem) == ({}, "drawing was broken off after 0.5 s")
    assert not [child for child in psutil.Process().children() if child.cmdline() == stuck]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("def main(request): os._exit(3)", "ended with exit code 3"),
        ("def main(request): os.kill(os.getpid(), 11)", "ended with exit code -11"),
        ("raise ImportError", "ended with exit code 1"),
        ("def main(request): os.write(1, b'\\x00\\xff{[\\n7\\n{}\\n' * 99)", "ended with exit code 0"),
    ],
)
def test_a_painter_that_fails_is_told_of(painter, body, problem):
    painter(body)
    found = drawn(["a"])
    assert found.drawn == {}
    assert found.problem.endswith(problem)


def test_where_no_process_can_be_started_it_is_told(monkeypatch):
    monkeypatch.setattr(drawings, "command", lambda _module: ["/nowhere/python"])
    found = drawn(["a"])
    assert (found.drawn, found.problem) == ({}, "the process that draws cannot be started: No such file or directory")


def test_told_to_stop_it_leaves_no_process_behind(painter):
    name = painter("def main(request): time.sleep(600)")

    def stop(*_):
        raise SystemExit(143)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(SystemExit):
            drawn(["a"])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not processes(name)


def test_the_process_ends_with_the_one_that_asked():
    code = (
        "import os, subprocess, sys\n"
        "from ridgeline.kernels.native.children import asked, command\n"
        "child = subprocess.Popen(command('ridgeline.engine.report.painter'), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True)\n"
        "child.stdin.write(asked({'pictures': [PICTURE] * 5000, 'parent': os.getpid()})); child.stdin.close()\n"
        "sys.stdin.read()\n"
    ).replace("PICTURE", repr(picture("a", 3).as_json()))
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    child = psutil.Process(int(parent.stdout.readline()))
    time.sleep(1)
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 120
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "it goes on by itself"
        time.sleep(0.05)


def test_without_matplotlib_no_process_is_started_and_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    found = drawn(["a"])
    assert found.drawn == {}
    assert found.problem == "matplotlib is not installed: pip install 'ridgeline[plot]'"


def test_a_picture_survives_the_way_to_another_process():
    import json

    lanes = Lanes(("grubbs", "ks_test"), np.array([[True, False], [False, False], [True, True]]))
    values = np.array([1e300, -np.inf, 5e-324])
    first = Picture("\udc80$", np.array([1, 2, 3]), values, np.array([True, False, True]), 0.5, (-np.inf, 1.0), 7, "n", ("a",), ("b",), lanes, ((1, 2),))  # fmt: skip
    request = json.loads(children.asked({"pictures": [first.as_json()]}))
    second = Picture.from_json(request["pictures"][0])
    for name in ("timestamps", "values", "anomalous"):
        np.testing.assert_array_equal(getattr(second, name), getattr(first, name))
        assert getattr(second, name).dtype == getattr(first, name).dtype
    for name in ("metric", "median", "expected", "since", "note", "voted", "silent", "labels"):
        assert json.dumps(getattr(second, name)) == json.dumps(getattr(first, name))
    assert second.lanes.names == lanes.names
    np.testing.assert_array_equal(second.lanes.fired, lanes.fired)

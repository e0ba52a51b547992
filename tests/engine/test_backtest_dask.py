"""A Dask cluster that is nonsense, empty, silent, lost or wrong ends in one sentence, within bounds."""

import contextlib
import gzip
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

import pytest

import ridgeline
from ridgeline.engine.backtest import runners
from ridgeline.io.errors import InputError, SourceUnavailable
from ridgeline.io.text import redact

pytest.importorskip("distributed")


def slow(job, part):
    time.sleep(job)
    return part


def begins(job, part):
    """Say so by a file, and go on for longer than anybody waits."""
    with open(job, "a"):  # noqa: PTH123 - one call, on another process
        time.sleep(60)
    return part


def refuses(job, part):
    with open(job, "a") as file:  # noqa: PTH123 - one call, on another process
        file.write("x")
    raise InputError(f"part {part} cannot be read")


@contextlib.contextmanager
def cluster(workers=1):
    """A scheduler in a process of its own, and so many workers: its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1"]
    with contextlib.ExitStack() as stack:
        started = []
        for command in [scheduler, *[worker] * workers]:
            started.append(stack.enter_context(subprocess.Popen([*command, "--no-dashboard"], **quiet)))
            stack.callback(started[-1].kill)
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield address, started[0]


def on(address, job, parts, run):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runners, "run_part", run)
        return list(runners.on_dask(job, parts, scheduler=address, workers=0))


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://127.0.0.1:1", "", "tcp://", "127.0.0.1"])
def test_an_address_where_no_scheduler_is(monkeypatch, address):
    monkeypatch.setattr(runners, "CONNECT_SECONDS", 1)
    with pytest.raises(SourceUnavailable, match="no Dask scheduler answers"):
        on(address or "tcp://127.0.0.1:2", 0, [1], slow)


def test_a_password_in_the_address_is_not_repeated(monkeypatch):
    monkeypatch.setattr(runners, "CONNECT_SECONDS", 1)
    with pytest.raises(SourceUnavailable, match="no Dask scheduler answers") as caught:
        on("tcp://ops:Pa55-of-dask@127.0.0.1:1", 0, [1], slow)
    assert "Pa55-of-dask" not in str(caught.value)
    assert "Pa55-of-dask" not in redact("".join(traceback.format_exception(caught.value)))


def test_what_accepts_and_never_answers(monkeypatch):
    monkeypatch.setattr(runners, "CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceUnavailable, match="no Dask scheduler"):
        on(f"tcp://127.0.0.1:{silent.getsockname()[1]}", 0, [1], slow)


def test_a_scheduler_without_workers(monkeypatch):
    monkeypatch.setattr(runners, "WORKERS_SECONDS", 1)
    with cluster(workers=0) as (address, _), pytest.raises(SourceUnavailable, match="has no workers"):
        on(address, 0, [1], slow)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGSTOP])
def test_a_scheduler_that_is_lost_on_the_way(monkeypatch, tmp_path, stop):
    monkeypatch.setattr(runners, "POLL_SECONDS", 0.5)
    monkeypatch.setattr(runners, "ANSWER_SECONDS", 1)
    from rigs.waiting import until  # here, as a worker that computes a part imports this file, without the rigs

    begun = tmp_path / "begun"
    with cluster() as (address, process):
        stopper = threading.Thread(target=lambda: until(begun.exists) and process.send_signal(stop))
        stopper.start()
        with pytest.raises(SourceUnavailable, match="was lost with 2 parts to go"):
            on(address, str(begun), [1, 2], begins)
        stopper.join()


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGSTOP])
def test_a_scheduler_that_is_lost_while_workers_are_awaited(monkeypatch, stop):
    """It has answered, and says no more."""
    monkeypatch.setattr(runners, "ANSWER_SECONDS", 1)
    real = runners._ask

    def then_stops(client):
        found = real(client)
        process.send_signal(stop)
        return found

    monkeypatch.setattr(runners, "_ask", then_stops)
    with cluster(workers=0) as (address, process), pytest.raises(SourceUnavailable, match="lost before any part"):
        on(address, 0, [1], slow)


def test_a_part_that_cannot_be_read_is_told_once(tmp_path):
    log = tmp_path / "log"
    with cluster() as (address, _), pytest.raises(InputError, match="part 7 cannot be read"):
        on(address, str(log), [7], refuses)
    assert log.read_text() == "x"


def test_workers_elsewhere_replay_a_copy_of_csv(tmp_path):
    text = "metric,timestamp,value\n" + "".join(
        f"m{name},{1_700_000_000 + 60 * i},{i * 7 % 13 + name}\n" for name in range(3) for i in range(120)
    )
    path = tmp_path / "in.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    alone = ridgeline.backtest(path, tmp_path / "alone")
    with cluster() as (address, _):
        there = ridgeline.backtest(path, tmp_path / "there", scheduler=address)
    for name in ("m0", "m1", "m2"):
        assert there.scores(name).equals(alone.scores(name))
    assert len(there.scores("m2")) == 120

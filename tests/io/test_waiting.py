"""Waits end: what hangs for ever holds up neither its caller, nor a signal, nor the end of the process."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from ridgeline.io.errors import SourceUnavailable
from ridgeline.io.parquet import waiting
from ridgeline.io.parquet.waiting import ahead, bounded, patience

SECRET = "verysecretsecret"


def reading():
    return [thread for thread in threading.enumerate() if thread.name == waiting.READING]


def settled():
    """Whether every reading thread has ended, after at most a minute."""
    deadline = time.monotonic() + 60
    while reading() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not reading()


def test_items_come_in_order_one_ahead():
    fetched, waited = [], []

    def items():
        for i in range(5):
            fetched.append(i)
            yield i

    found = []
    for item in ahead(items(), None, "x", waited.append):
        found.append(item)
        assert len(fetched) <= item + 2
    assert found == [0, 1, 2, 3, 4]
    assert len(waited) == 6
    assert settled()


def test_errors_come_after_what_was_before_them():
    def items():
        yield 1
        raise ValueError("broken")

    found = []
    with pytest.raises(ValueError, match="broken"):
        found.extend(ahead(items(), None, "x"))
    assert settled()


def test_whoever_stops_early_leaves_nothing_running():
    closed = []

    def items():
        try:
            yield from range(10)
        finally:
            closed.append(True)

    stream = ahead(items(), None, "x")
    assert next(stream) == 0
    stream.close()
    assert settled()
    assert closed == [True]


def test_what_hangs_is_unavailable():
    release = threading.Event()

    def items():
        yield 1
        release.wait(30)
        yield 2

    stream = ahead(items(), lambda: 0.05, "there")
    assert next(stream) == 1
    with pytest.raises(SourceUnavailable, match=r"there: nothing came within 0\.1 s"):
        next(stream)
    with pytest.raises(SourceUnavailable, match="here"):
        bounded(lambda: release.wait(30), lambda: 0.05, "here")
    release.set()
    assert settled()
    assert bounded(lambda: 7, lambda: 5.0, "here") == bounded(lambda: 7, None, "here") == 7


def test_patience():
    assert patience(None, remote=False) is None
    assert patience(None, remote=True)() == waiting.PATIENCE
    assert patience(lambda: 3.0, remote=True)() == patience(lambda: 3.0, remote=False)() == 3.0
    assert patience(lambda: 1e9, remote=True)() == waiting.PATIENCE


@contextmanager
def silent_endpoint():
    """An address that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield server


def score(server, tmp_path, patience):
    uri = f"s3://AKIAKEY1KEY1:{SECRET}@bucket/data?endpoint_override=127.0.0.1:{server.getsockname()[1]}&scheme=http&region=x"
    code = (
        f"import sys; from ridgeline.io.parquet import waiting; waiting.PATIENCE = {patience};"
        "from ridgeline.engine.cli.main import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "score", uri, str(tmp_path / "out.parquet")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})


def test_a_silent_remote_file_system_is_given_up(tmp_path):
    with silent_endpoint() as server:
        process = score(server, tmp_path, 0.5)
        out, said = process.communicate(timeout=120)
    assert process.returncode == 69
    assert "cannot be listed: nothing came within 0.5 s" in said
    assert SECRET not in out + said
    assert "AKIAKEY1KEY1" not in out + said


def test_sigterm_ends_a_listing_that_hangs(tmp_path):
    with silent_endpoint() as server:
        process = score(server, tmp_path, 600)
        server.settimeout(60)
        connection, _ = server.accept()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=120)
        connection.close()
    assert process.returncode == 143
    assert SECRET not in said

"""Standard output that is closed, full or unread: told by the exit code, never a bug, never a result half said."""

import os
import subprocess
import sys

import pytest

PRINTING = [["--version"], ["--help"], ["score", "--help"], ["config", "init", "-"], []]


def ridgeline(arguments, redirection):
    """Run by a shell, which alone can close a stream before Python starts."""
    command = f'exec "$0" -m ridgeline "$@" {redirection}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_closed_or_full_output_is_74(arguments):
    for redirection, reason in ((">&-", "closed"), (">/dev/full", "No space left")):
        done = ridgeline(arguments, redirection)
        assert done.returncode == 74, (redirection, done)
        assert len(done.stderr.strip().splitlines()) == 1
        assert reason in done.stderr


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_remarks_that_cannot_be_said_are_no_failure_and_never_go_into_the_result(redirection):
    done = ridgeline(["--version"], redirection)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ridgeline ")
    done = ridgeline(["nosuchcommand"], redirection)
    assert (done.returncode, done.stdout) == (2, "")


def test_both_closed():
    assert ridgeline(["--version"], ">&- 2>&-").returncode == 74


def test_a_reader_that_has_gone_ends_it_as_sigpipe_would():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as unread:
        done = subprocess.run(
            [sys.executable, "-m", "ridgeline", "--help"], stdout=unread, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")

"""Errors a person can act on.

RidgelineError          one sentence: what, where, what to do; carries the exit code
  InputError            2   usage, configuration or unreadable input
  NoData                66  no metrics, or too few that could be judged
  SourceUnavailable     69  the source cannot be reached
  OutputError           74  a result cannot be written
    UnsafeTarget        2   it would replace a device, a link, or what is being read
  LockHeld              75  another run holds the lock
  AuthenticationFailed  77  the source refused the credentials
"""

from __future__ import annotations

from typing import ClassVar

from ridgeline.io.text import redact


class RidgelineError(Exception):
    """Base of all errors that end a command with one sentence and an exit code.

    The sentence is redacted as the error is made, so that nobody who shows, sends or stores it needs to.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, sentence: object = "") -> None:
        super().__init__(redact(sentence))


class InputError(RidgelineError):
    """Usage, configuration or unreadable input."""

    exit_code = 2


class NoData(RidgelineError):  # noqa: N818 - reads as the sentence it is
    """No metrics, or fewer than half of them could be judged."""

    exit_code = 66


class SourceUnavailable(RidgelineError):  # noqa: N818 - reads as the sentence it is
    """The source cannot be reached or broke off."""

    exit_code = 69


class OutputError(RidgelineError):
    """A result could not be written; the old file, if any, is intact."""

    exit_code = 74


class UnsafeTarget(OutputError):  # noqa: N818 - reads as the sentence it is
    """The output named would replace a device, a pipe, a link, or a file that is being read; nothing was touched."""

    exit_code = 2


class LockHeld(RidgelineError):  # noqa: N818 - reads as the sentence it is
    """Another run holds the lock."""

    exit_code = 75


class AuthenticationFailed(RidgelineError):  # noqa: N818 - reads as the sentence it is
    """The source refused the credentials or denied a command."""

    exit_code = 77

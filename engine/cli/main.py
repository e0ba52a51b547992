"""The `ridgeline` command: finds the command asked for, runs it, and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence

from ridgeline.engine.cli.commands import Command, every, find
from ridgeline.engine.cli.parser import Parser
from ridgeline.engine.cli.signals import exit_on_signals
from ridgeline.engine.cli.sparing import spare
from ridgeline.engine.cli.streams import abandon, sound_streams
from ridgeline.io.errors import RidgelineError
from ridgeline.io.text import escape, redact

INTRODUCTION = """\
usage: ridgeline COMMAND [OPTIONS]

Vectorized batch anomaly detection over whole fleets of metric time series.
"""
CLOSING = """\
`ridgeline COMMAND --help` explains one command. Exit codes: 0 ok, 1 bug or difference, 2 usage or configuration,
66 no data, 69 source unavailable, 70 partial, 74 output, 75 locked by another run, 77 authentication, 129, 130, 143
ended by SIGHUP, SIGINT, SIGTERM."""
# New objects between two searches for garbage. Python's 700 are for programs that make it: imports make objects that stay,
# and a search through them all, again and again, took a sixth of the CPU of a short command. A short command makes fewer.
YOUNG = 100_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; None: that of this process."""
    if argv is not None:
        return _run(list(argv), own_process=False)
    gc.set_threshold(YOUNG)
    spare()
    with sound_streams():
        code = _run(sys.argv[1:], own_process=True)
    gc.freeze()  # an interpreter that ends searches all objects twice more, a tenth of the CPU of a short command
    if "ridgeline.io.parquet.waiting" in sys.modules:  # else nothing was read that could hang
        from ridgeline.engine.cli.watchdog import end_if_reading_hangs

        end_if_reading_hangs(code)
    return code


def _run(arguments: list[str], *, own_process: bool) -> int:
    """Run one command line; whatever goes wrong becomes one line and an exit code."""
    debug = os.environ.get("RIDGELINE_TRACEBACK", "") not in {"", "0"}
    if arguments[:1] == ["--debug"]:
        debug = True
        del arguments[0]
    try:
        with exit_on_signals():
            code = _code(arguments, own_process=own_process)
            sys.stdout.flush()  # a disk that is full says so only here
            return code
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it, not even by the interpreter's last flush.
        abandon(sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("ridgeline: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except RidgelineError as error:
        _explain(error, debug=debug or "--debug" in arguments)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug is reported, never dumped on the user
        _report_bug(error, debug=debug or "--debug" in arguments)
        return 1


def _code(arguments: list[str], *, own_process: bool) -> int:
    """The exit code of one command, also of one that left by SystemExit: argparse, a signal."""
    try:
        return _dispatch(arguments, own_process=own_process)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)


def _dispatch(arguments: list[str], *, own_process: bool) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        _print_help()
        return 0 if arguments else 2
    if arguments[0] in {"-V", "--version"}:
        from ridgeline import __version__

        print(f"ridgeline {__version__}")
        return 0
    command = find(arguments[0])
    if command is None:
        raise SystemExit(_refuse(arguments[0]))
    parser = build_parser(command)
    args = parser.parse_args(arguments[1:])
    args.own_process = own_process
    return command.run(args)


def build_parser(command: Command) -> Parser:
    """Return the parser of one command."""
    summary = command.SUMMARY[0].upper() + command.SUMMARY[1:].rstrip(".") + "."
    description = getattr(command, "DESCRIPTION", summary)
    parser = Parser(f"ridgeline {command.NAME}", description, getattr(command, "EPILOG", None))
    fill(parser, command)
    return parser


def fill(parser: argparse.ArgumentParser, command: Command) -> None:
    """Declare the arguments of one command, and those of every command."""
    command.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show a Python traceback when something goes wrong")


def _print_help() -> None:
    print(INTRODUCTION)
    group = None
    for command in every():
        if group != command.GROUP:
            print(f"{'' if group is None else chr(10)}{command.GROUP}")
            group = command.GROUP
        print(f"  {command.NAME:<10} {command.SUMMARY}")
    print(f"\n{CLOSING}")


def _refuse(word: str) -> int:
    """Say that there is no such command or option, and what comes close."""
    from difflib import get_close_matches

    known = [command.NAME for command in every()]
    close = get_close_matches(word, known, n=1)
    hint = f"did you mean `ridgeline {close[0]}`?" if close else "`ridgeline --help` lists the commands"
    kind = "option" if word.startswith("-") else "command"
    print(f"ridgeline: there is no {kind} {escape(repr(word))}; {hint}", file=sys.stderr)
    return 2


def _explain(error: RidgelineError, *, debug: bool) -> None:
    if debug:
        _print_traceback(error)
    # Configuration errors hold one problem per line; no other message may break its line.
    for line in getattr(error, "lines", (str(error),)):
        print(f"ridgeline: {escape(line)}", file=sys.stderr)


def _report_bug(error: Exception, *, debug: bool) -> None:
    if debug:
        _print_traceback(error)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "" if debug else "; RIDGELINE_TRACEBACK=1 or --debug shows where"
    print(f"ridgeline: this is a bug: {escape(redact(what))}{hint}", file=sys.stderr)


def _print_traceback(error: BaseException) -> None:
    import traceback

    print(redact("".join(traceback.format_exception(error))), end="", file=sys.stderr)

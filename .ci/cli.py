"""Print docs/cli.md, every command and its options from the parsers: `python .ci/cli.py > docs/cli.md`."""

import argparse
import re
import sys
from collections.abc import Iterator

from ridgeline.engine.cli.commands import every
from ridgeline.engine.cli.main import build_parser

HEAD = """# Commands

Every command with its arguments, from the parsers; do not edit this page, run `python .ci/cli.py > docs/cli.md`.
`ridgeline COMMAND --help` says the same. Every command also takes `--debug`, which shows a Python traceback when something
goes wrong. Exit codes: [outcomes.md](outcomes.md#exit-codes)."""


def page() -> str:
    """The whole page."""
    parts, group = [HEAD], None
    for command in every():
        if group != command.GROUP:
            group = command.GROUP
            parts.append(f"## {group}")
        parts += section(build_parser(command), f"### ridgeline {command.NAME}")
    return "\n\n".join(parts)


def section(parser: argparse.ArgumentParser, heading: str) -> Iterator[str]:
    """What one parser takes, then what those below it take."""
    yield heading
    if parser.description:
        yield parser.description.strip()
    shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    below = next((action for action in shown if isinstance(action, argparse._SubParsersAction)), None)
    rows = [
        row(action) for action in shown if action is not below and not {"--help", "--debug"} & {*action.option_strings}
    ]
    if rows:
        yield "\n".join(["| argument | |", "|---|---|", *rows])
    if parser.epilog and below is None:
        yield f"```\n{parser.epilog.strip()}\n```"
    if below is not None:
        for name, inner in below.choices.items():
            yield from section(inner, f"#### {heading.removeprefix('### ')} {name}".replace("#### #### ", "#### "))
        if parser.epilog:
            yield f"```\n{parser.epilog.strip()}\n```"


def row(action: argparse.Action) -> str:
    """One argument."""
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    takes = action.nargs != 0 or not action.option_strings
    names = [f"{name} {value}" if takes and name.startswith("--") else name for name in action.option_strings] or [
        value
    ]
    shown = ", ".join(f"`{name}`" for name in names).replace("|", "\\|")
    return f"| {shown} | {text(action)} |"


def text(action: argparse.Action) -> str:
    """Its help on one line, the default filled in, what would break the table escaped."""
    filled = (action.help or "") % {**vars(action), "prog": "ridgeline"}
    return re.sub(r"\s+", " ", filled).replace("|", "\\|").replace("<", "\\<")


if __name__ == "__main__":
    sys.stdout.write(page() + "\n")

"""A configuration made by translating, held against our own reader: what that refuses becomes a comment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.problems import ConfigError, Problem, dotted

ROUNDS: Final = 20  # each comments something out; one problem may uncover another
EXTRA: Final = "pip install"  # a problem that installing mends is nothing to leave out


def mend(text: str, path: Path, environ: Mapping[str, str]) -> tuple[str, list[str], list[str]]:
    """The text without what `config check` would refuse; a sentence for each thing left out; what is still to be done.

    That is what no comment mends: something to be installed, or something that is lacking.
    """
    left_out: list[str] = []
    for _ in range(ROUNDS):
        try:
            parse_config(text.encode(), path, environ)
        except ConfigError as error:
            wrong = [problem for problem in error.problems if problem.line is not None and EXTRA not in problem.text]
            if not wrong:
                return text, left_out, [f"{dotted(problem.path)}: {problem.text}" for problem in error.problems]
            text = _without(text, wrong)
            left_out += [f"{dotted(problem.path)}: {problem.text}" for problem in wrong]
        else:
            break
    return text, left_out, []


def _without(text: str, problems: Iterable[Problem]) -> str:
    """The text with the lines of the problems commented out; of a header, all that is below it."""
    lines = text.split("\n")
    for number in sorted({problem.line for problem in problems if problem.line is not None}):
        at = number - 1
        last = at
        if lines[at].startswith("["):
            last = next((after for after in range(at, len(lines)) if not lines[after]), len(lines)) - 1
        for place in range(at, last + 1):
            if not lines[place].startswith("#"):
                lines[place] = f"# {lines[place]}"
    return "\n".join(lines)

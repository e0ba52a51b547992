"""What is wrong with a configuration: all of it, each with its key path and line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from ridgeline.engine.config.asked import Notes
from ridgeline.engine.config.lines import KeyPath
from ridgeline.io.errors import InputError
from ridgeline.io.text import redact


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct. `line` counts from 1; None where the text is not known."""

    path: KeyPath
    line: int | None
    text: str

    def show(self, file: str) -> str:
        """Return `FILE:LINE: KEY: what is wrong`, as compilers write it; without a file, `KEY: what is wrong`."""
        where = f"{file}:{self.line}" if self.line is not None else file
        return ": ".join(part for part in (where, dotted(self.path), self.text) if part)


class ConfigError(InputError):
    """A configuration with problems; `lines` holds one sentence for each of them."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line is None, p.line or 0)))
        self.lines = tuple(redact(problem.show(file)) for problem in self.problems)
        super().__init__("\n".join(self.lines))


@dataclass(slots=True)
class Problems:
    """Collects problems, warnings, and notes of what was asked for, while a configuration is read."""

    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    found: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)

    def add(self, path: KeyPath, text: str) -> None:
        """Note an error at a key; its line is that of the nearest key above it that stands in the text."""
        self.found.append(Problem(path, self.line(path), text))

    def warn(self, path: KeyPath, text: str) -> None:
        """Note something that works but should not be."""
        self.warnings.append(Problem(path, self.line(path), text))

    def line(self, path: KeyPath) -> int | None:
        """The line of a key, or of the nearest one above it that stands in the text."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


def dotted(path: KeyPath) -> str:
    """Return a key path as people write it: `override[0].thresholds.grubbs`."""
    shown = ""
    for part in path:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "x"?`, or the whole list where nothing comes close."""
    candidates = list(dict.fromkeys(known))
    close = get_close_matches(word, candidates, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known: {', '.join(candidates)}" if candidates else "none are known"

"""An expression written out as a program: characters to read, choices, anchors. Thompson's construction.

Instructions are (operation, argument), each followed by the next:

read      a predicate over the next character
choose    the places to go on from
anchor    its name and the flags in force
match     the end
"""

from __future__ import annotations

import re
from typing import Any, Final

from ridgeline.engine.rules.expression.syntax import CHARACTERS, REPEATS, UNENDING, single

LARGEST: Final = 2000  # instructions: a bounded repeat is written out
ANCHORS: Final = frozenset(
    {"AT_BEGINNING", "AT_BEGINNING_STRING", "AT_END", "AT_END_STRING", "AT_BOUNDARY", "AT_NON_BOUNDARY"}
)
ALPHABETS: Final = int(re.ASCII | re.LOCALE | re.UNICODE)  # of which one holds at a time

Instruction = tuple[str, Any]


class NoProgramError(ValueError):
    """The expression needs more than a machine without a memory, or a larger one than is reasonable."""


def program_of(tree: Any) -> list[Instruction]:
    """Write the program of an expression. Raises NoProgramError."""
    writer = _Writer()
    writer.write(tree, int(tree.state.flags))
    writer.add("match", None)
    return writer.program


class _Writer:
    def __init__(self) -> None:
        self.program: list[Instruction] = []

    def add(self, operation: str, argument: Any) -> int:
        """Append an instruction; return its place."""
        if len(self.program) >= LARGEST:
            raise NoProgramError(f"it takes over {LARGEST} steps when its repeats are written out")
        self.program.append((operation, argument))
        return len(self.program) - 1

    def write(self, tree: Any, flags: int) -> None:
        """Append a sequence."""
        for node in tree:
            operation, argument = str(node[0]), node[1]
            if operation in CHARACTERS:
                self.add("read", single(node, flags).match)
            elif operation == "AT" and str(argument) in ANCHORS:
                self.add("anchor", (str(argument), flags))
            elif operation == "SUBPATTERN":
                _, added, removed, body = argument
                kept = flags & ~ALPHABETS if added & ALPHABETS else flags
                self.write(body, (kept | added) & ~removed)
            elif operation == "BRANCH":
                self._branch(argument[1], flags)
            elif operation in REPEATS:
                self._repeat(argument, flags)
            elif operation == "FAILURE":
                self.add("choose", ())
            else:
                raise NoProgramError("it looks ahead or back, or never tries again")

    def _branch(self, branches: list[Any], flags: int) -> None:
        choice = self.add("choose", None)
        starts, ends = [], []
        for branch in branches:
            starts.append(len(self.program))
            self.write(branch, flags)
            ends.append(self.add("choose", None))
        self.program[choice] = ("choose", tuple(starts))
        for end in ends:
            self.program[end] = ("choose", (len(self.program),))

    def _repeat(self, argument: tuple[int, int, Any], flags: int) -> None:
        low, high, body = argument
        for _ in range(low):
            before = len(self.program)
            self.write(body, flags)
            if len(self.program) == before:
                return  # nothing, however often
        choices = []
        for _ in range(1 if high == UNENDING else high - low):
            choices.append(self.add("choose", None))
            self.write(body, flags)
        if high == UNENDING:
            self.add("choose", tuple(choices))
        for choice in choices:
            self.program[choice] = ("choose", (choice + 1, len(self.program)))

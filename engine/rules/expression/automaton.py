r"""Expressions without backtracking: a machine that reads each character of a name once.

It follows all ways through a program at once: a set of places that can be reached is a state, and where a character
leads from a state is worked out when it is first met.
What a character is, Python's own compiler says; so flags, classes and cases mean here what they mean to `re`.

Whether an expression matches needs no groups and no greed. What looks ahead, behind or back (`(?=`, `\1`) has no
place in such a machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ridgeline.engine.rules.expression.program import program_of

MOST_MOVES: Final = 100_000  # kept; then they are found anew
# Tokens that stand for no plain character: the end of a name, and a line break as its last character.
END: Final = ""
LAST_BREAK: Final = "\n\n"
# What came before, as far as anchors ask.
START, BREAK, ASCII_WORD, WORD, OTHER = range(5)

# Pythons differ in whether `\B` holds in a name without characters.
_INSIDE_NOTHING: Final = re.compile(r"\B").match("") is not None

Places = frozenset[int]


class State:
    """Places that can be reached with so much of a name read, and where each character leads from there.

    `moves`: token to the next state; None: nothing can match any more; True: it has matched.
    """

    __slots__ = ("before", "moves", "places")

    def __init__(self, places: Places, before: int) -> None:
        self.places = places
        self.before = before
        self.moves: dict[str, State | bool | None] = {}


class Automaton:
    """Says whether an expression matches from the start of a name, in time that grows as the name's length."""

    def __init__(self, tree: Any) -> None:
        """Raises NoProgramError."""
        self._program = program_of(tree)
        self._states: dict[tuple[Places, int], State] = {}
        self._moves = 0

    def matches(self, name: str) -> bool:
        """Whether the expression matches from the start of `name`."""
        state = self._state(frozenset({0}), START)
        for token in _tokens(name):
            found = state.moves[token] if token in state.moves else self._move(state, token)
            if found is True:
                return True
            if not found:
                return False
            state = found
        return False

    def _state(self, places: Places, before: int) -> State:
        if self._moves >= MOST_MOVES:
            self._states.clear()
            self._moves = 0
        return self._states.setdefault((places, before), State(places, before))

    def _move(self, state: State, token: str) -> State | bool | None:
        """Follow one token from a state, and remember where it led."""
        found: State | bool | None = None
        after = set()
        for place in self._reached(state, token):
            operation, argument = self._program[place]
            if operation == "match":
                found = True
                break
            if token != END and argument(token[0]):
                after.add(place + 1)
        else:
            found = self._state(frozenset(after), _kind(token[0])) if after else None
        state.moves[token] = found
        self._moves += 1
        return found

    def _reached(self, state: State, token: str) -> Iterator[int]:
        """Yield the characters and ends that are reached without reading: choices taken, anchors that hold passed."""
        seen, waiting = set(state.places), list(state.places)
        while waiting:
            place = waiting.pop()
            operation, argument = self._program[place]
            following: Iterable[int] = ()
            if operation == "choose":
                following = argument
            elif operation == "anchor":
                following = (place + 1,) if _holds(argument, state.before, token) else ()
            else:
                yield place
            for one in following:
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)


def _tokens(name: str) -> Iterator[str]:
    if name.endswith("\n"):
        yield from name[:-1]
        yield LAST_BREAK
    else:
        yield from name
    yield END


def _kind(character: str) -> int:
    if character == "\n":
        return BREAK
    if character == "_" or character.isalnum():
        return ASCII_WORD if character.isascii() else WORD
    return OTHER


def _holds(anchor_and_flags: tuple[str, int], before: int, token: str) -> bool:
    """Whether an anchor holds between what came before and the token that is read next."""
    anchor, flags = anchor_and_flags
    line_ends = {END, LAST_BREAK, "\n"} if flags & re.MULTILINE else {END, LAST_BREAK}
    line_starts = {START, BREAK} if flags & re.MULTILINE else {START}
    if anchor == "AT_BEGINNING":
        return before in line_starts
    if anchor == "AT_BEGINNING_STRING":
        return before == START
    if anchor == "AT_END":
        return token in line_ends
    if anchor == "AT_END_STRING":
        return token == END
    if before == START and token == END:
        return anchor == "AT_NON_BOUNDARY" and _INSIDE_NOTHING
    words = {ASCII_WORD} if flags & re.ASCII else {ASCII_WORD, WORD}
    edge = (before in words) != (token != END and _kind(token[0]) in words)
    return edge == (anchor == "AT_BOUNDARY")

"""Texts in a picture: hostile names made to fit and to be legible in the one font that every matplotlib brings."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Final

from ridgeline.io.text import escape

Width = Callable[[str], float]  # of a text, in pixels
DOTS: Final = "..."
LONGEST: Final = 1000  # characters of a text that are looked at, from either end


def legible(text: str, glyphs: Container[int]) -> str:
    r"""One line in which a character without a glyph reads `\u4e2d` instead of an empty box."""
    shown = escape(text)
    return shown if shown.isascii() else "".join(c if ord(c) in glyphs else _spelled(c) for c in shown)


def _spelled(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode()


def shortened(text: str, width: Width, most: float) -> str:
    """The text, as much of its middle left out as makes it fit into `most` pixels.

    >>> shortened("stats.web01.requests", len, 13)
    'stats...uests'
    """
    if len(text) <= LONGEST and width(text) <= most:
        return text
    fits, too_many = 0, min(len(text), LONGEST)
    while too_many - fits > 1:
        tried = (fits + too_many) // 2
        if width(_without_middle(text, tried)) <= most:
            fits = tried
        else:
            too_many = tried
    return _without_middle(text, fits)


def _without_middle(text: str, kept: int) -> str:
    return text[: (kept + 1) // 2] + DOTS + text[len(text) - kept // 2 :]


def wrapped(head: str, words: Sequence[str], width: Width, most: float, lines: int) -> list[str]:
    """`head` and the words, comma between, in at most so many lines of `most` pixels; "and N more" for those left out.

    >>> wrapped("voted:", ["grubbs", "ks_test", "a", "b", "c"], len, 18, 2)
    ['voted: grubbs,', 'ks_test and 3 more']
    """
    made = [head]
    for at, word in enumerate(words):
        left = len(words) - at - 1
        last = len(made) == lines
        ending = f" and {left} more" if last and left else ","
        if width(f"{made[-1]} {word}{ending}") <= most or (last and not left and width(f"{made[-1]} {word}") <= most):
            made[-1] += f" {word}" + ("," if left else "")
        elif not last:
            made.append(f"{word}," if left else word)
        else:
            made[-1] = f"{made[-1].removesuffix(',')} and {left + 1} more"
            break
    return made

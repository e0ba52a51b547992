"""A draft as TOML, each key with the setting it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from ridgeline.engine.config.skyline.draft import Draft, Entry, SecretKey, Section
from ridgeline.io.text import encodable, escape

BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH: Final = 60
Told = Callable[[SecretKey], tuple[str, str]]  # the key that says where a secret is, and its value


def to_toml(draft: Draft, head: str, told: Told) -> str:
    """The text of the file; `head` is a comment at its beginning."""
    lines = [f"# {escape(head)}"]
    for section in draft.sections:
        lines += ["", *_section(section, told)]
    return "\n".join(lines) + "\n"


def _section(section: Section, told: Told) -> Iterator[str]:
    name = ".".join(part if BARE.fullmatch(part) else _text(part) for part in section.path)
    yield f"[[{name}]]" if section.array else f"[{name}]"
    for entry in section.entries:
        key, value = (entry.key, entry.value) if isinstance(entry, Entry) else told(entry)
        line = f"{key if BARE.fullmatch(key) else _text(key)} = {value_of(value)}"
        yield f"{line:<{_WIDTH}} # {escape(entry.origin)}" if entry.origin else line


def value_of(value: Any) -> str:
    """A value in TOML; what is no text, number, boolean, list or dict is shown as text."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list() | tuple():
            return "[" + ", ".join(map(value_of, value)) + "]"
        case dict():
            inner = ", ".join(f"{_text(str(key))} = {value_of(item)}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is."""
    return json.dumps(encodable(text), ensure_ascii=False).replace("\x7f", "\\u007f")

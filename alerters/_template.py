"""Bodies of a user's own shape: a JSON document whose texts may hold `{names}`.

The template is read as JSON first and filled in afterwards, so no metric name can break out of its text. A text that
is one name alone becomes the value itself: `"{value}"` is a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ridgeline.alerters._message import Message
from ridgeline.alerters._payloads import ridgeline
from ridgeline.alerters._words import lines
from ridgeline.io.small import read_small

LARGEST: Final = 1 << 20
_NAME: Final = re.compile(r"\{([a-z_]*)\}")
# Of the whole message; of its top alert; made for people.
_MESSAGE: Final = ("status", "headline", "strategy", "rule", "severity", "dedup_key", "count", "fleet", "storm", "test")
_ALERT: Final = (
    "metric",
    "value",
    "timestamp",
    "direction",
    "votes",
    "first_seen",
    "ongoing",
    "since",
    "full_duration",
)
NAMES: Final = (*_MESSAGE, *_ALERT, "low", "high", "algorithms", "why", "body", "more", "alerts")


def read_template(path: Path) -> Any:
    """The template in a file, checked. ValueError, with a sentence that begins with the setting, for one that cannot work."""
    try:
        raw = read_small(path, LARGEST)
    except (OSError, ValueError) as error:
        raise ValueError(f"template_file {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        template = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"template_file {path} is not JSON: {error}") from error
    unknown: set[str] = set()
    _walk(template, lambda text: unknown.update(set(_NAME.findall(text)) - set(NAMES)))
    if unknown:
        shown = ", ".join(f"{{{name}}}" for name in sorted(unknown))
        raise ValueError(f"template_file {path} holds {shown}; known names: {', '.join(NAMES)}")
    return template


def fill(template: Any, message: Message) -> Any:
    """The template with every name replaced."""
    whole = ridgeline(message)
    top = whole["alerts"][0]
    low, high = top["expected"] or (None, None)
    values = {
        **{name: whole[name] for name in _MESSAGE},
        **{name: top[name] for name in _ALERT},
        "low": low,
        "high": high,
        "algorithms": ", ".join(top["algorithms"]),
        "why": top["why"],
        "body": "\n".join(lines(message)),
        "more": message.more,
        "alerts": whole["alerts"],
    }

    def text(found: str) -> Any:
        alone = _NAME.fullmatch(found)
        return values[alone[1]] if alone else _NAME.sub(lambda name: _shown(values[name[1]]), found)

    return _walk(template, text)


def _shown(value: Any) -> str:
    """A value amid a text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _walk(value: Any, text: Callable[[str], Any]) -> Any:
    """The same document with every text, keys excepted, put through `text`."""
    if isinstance(value, dict):
        return {key: _walk(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [_walk(inner, text) for inner in value]
    return text(value) if isinstance(value, str) else value

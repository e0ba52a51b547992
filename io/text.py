"""Text from outside, made safe to show, to send and to name files by.

Metric names, server replies and exception texts are opaque until they pass through here.
"""

from __future__ import annotations

import hashlib
import re

_UNSAFE_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: object) -> str:
    r"""One printable line: control, bidirectional, invisible and broken characters become `\n`, `\x1b`, `\u202e`.

    No text passed through here can forge a log line, move a terminal's cursor or reverse the reading direction.
    Escaping twice changes nothing, so every layer may escape without asking what the others did.

    >>> escape("cpu\nERROR all is lost")
    'cpu\\nERROR all is lost'
    """
    shown = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)
    if shown.isprintable():  # false for exactly the classes Other and Separator, the plain space excepted
        return shown
    return "".join(c if c.isprintable() else _escaped(c) for c in shown)


def _escaped(character: str) -> str:
    r"""The backslash form of one character: `\n`, `\x1b`, `\u202e`, `\U000e0001`."""
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def encodable(text: str) -> str:
    r"""The same text with lone surrogates, which UTF-8 cannot carry, written out as `\udc80`.

    >>> encodable("cpu\udc80").encode()
    b'cpu\\udc80'
    """
    return text if text.isascii() else _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def truncate(text: str, limit: int, ending: str = "...") -> str:
    """The longest beginning of `text` that, `ending` included, takes at most `limit` bytes of UTF-8.

    No character is split. A limit too small for the ending drops the ending.

    >>> truncate("smörgåsbord", 8)
    'smör...'
    """
    encoded = encodable(text).encode()
    if len(encoded) <= limit:
        return encoded.decode()
    tail = ending if len(ending.encode()) <= limit else ""
    return encoded[: max(limit - len(tail.encode()), 0)].decode(errors="ignore") + tail


def file_name(name: str, suffix: str = "") -> str:
    """A file name for any metric name: its first 40 safe characters, `-`, and 16 hex digits of its sha256.

    Holds no separator, is never hidden nor an option, and differs for different names even where case is ignored.

    >>> file_name("../../etc/cron.d/x", ".png")
    'etc_cron.d_x-ea88c59c899b43a4.png'
    """
    readable = _UNSAFE_IN_FILE_NAMES.sub("_", name).strip("._-")[:40] or "metric"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{readable}-{digest}{suffix}"

"""Text from outside, made safe to show, to send and to name files by.

Metric names, server replies and exception texts are opaque until they pass through here.
"""

from __future__ import annotations

import hashlib
import re

_UNSAFE_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MASK = "********"
_CREDENTIALS = re.compile(r"(?<=://)[^\s'\"<>]*@")
_ASSIGNED = re.compile(
    r"(?i)(\b[\w-]*(?:password|passwd|secret|token|api_?key|access_?key|routing_?key|signature|credential)[\w-]*=)[^&\s'\"]+"
)
_HEADER = re.compile(r"(?i)\b(authorization\W+(?:(?:bearer|basic|token) +)?+)[\w.~+/=-]+")
_SHORTEST_SECRET = 4  # shorter ones would mask parts of ordinary words
_secrets: set[str] = set()
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


def conceal(secret: str) -> None:
    """Let `redact` mask this text from now on, also as it appears in URLs."""
    from urllib.parse import quote, quote_plus

    _secrets.update(
        form for form in (secret, quote(secret, safe=""), quote_plus(secret)) if len(form) >= _SHORTEST_SECRET
    )


def conceal_user(address: str) -> None:
    """Let `redact` mask the user and password of an address, also where others repeat them without its scheme."""
    user, at, _ = address.rpartition("@")
    if at:
        conceal(user.rpartition("://")[2])


def redact(text: object) -> str:
    """The same text without secrets: those that were concealed, and whatever looks like a credential.

    For messages that quote others: a server's words, a library's error, an address from the configuration.

    >>> redact("cannot list s3://AKIA12:abc/def@bucket/data?token=x1y2")
    'cannot list s3://********@bucket/data?token=********'
    """
    shown = str(text)
    for secret in sorted(_secrets, key=len, reverse=True):
        shown = shown.replace(secret, _MASK)
    shown = _CREDENTIALS.sub(f"{_MASK}@", shown)
    shown = _ASSIGNED.sub(rf"\1{_MASK}", shown)
    return _HEADER.sub(rf"\1{_MASK}", shown)


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

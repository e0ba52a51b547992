"""Links of a message: addresses from the configuration with a metric's name and window filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from ridgeline.io.text import encodable

NAMES: Final = ("metric", "from", "until")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")


def link_problem(address: str) -> str:
    """What is wrong with the address of a link, in words that follow its key; empty where nothing is."""
    unknown = sorted(set(_PLACE.findall(address)) - set(NAMES))
    if unknown:
        return f"holds {{{unknown[0]}}}; known: {', '.join(f'{{{name}}}' for name in NAMES)}"
    if not address.isascii() or not address.isprintable() or " " in address:
        return "must be plain ASCII without spaces; percent-encode other characters"
    try:
        parts = urlsplit(_PLACE.sub("x", address))
    except ValueError:
        return "is malformed: give https://HOST/PATH"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must begin with http:// or https:// and a host"
    if "{" in urlsplit(address.replace("{", "%7B{")).netloc:
        return "must not take its host from a metric"
    return ""


def fill_links(
    links: Sequence[tuple[str, str]], metric: str, timestamp: int, full_duration: int
) -> tuple[tuple[str, str], ...]:
    """The links of one alert, every value percent-encoded: the window ends at `timestamp`, epoch seconds.

    >>> fill_links([("graph", "https://g/?m={metric}&from={from}")], "a b&c", 1000, 600)
    (('graph', 'https://g/?m=a%20b%26c&from=400'),)
    """
    if not links:
        return ()
    values = {"metric": quote(encodable(metric), safe=""), "from": timestamp - full_duration, "until": timestamp}
    return tuple((name, _PLACE.sub(lambda place: str(values[place[1]]), address)) for name, address in links)

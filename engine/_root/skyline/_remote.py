"""One answer of another host's Skyline, for its name `get_remote_data`: as the settings there describe that host."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import quote

from ridgeline.engine.api.found import Kept
from ridgeline.engine.config.model import RemoteFiles
from ridgeline.io.net.address import Endpoint
from ridgeline.io.secret import Secret

if TYPE_CHECKING:
    from ridgeline.io.net.peer import Peer

LONGEST: Final = 30.0  # seconds of one answer
# What may stand in an address as it is (RFC 3986); the rest is escaped, and what is escaped stays so.
ALLOWED: Final = "!$%&'()*+,/:;=?@[]~"
_KNOWN: Final[Kept[tuple[tuple[Peer, ...], RemoteFiles]]] = Kept(lambda config: (config.remotes, config.remote_files))


def remote_peer(instance: Any) -> Peer:
    """The peer that `[url, user, password, host]` describes, by the authorities that the `[[remote]]` of that name trusts.

    Raises ValueError where it describes none.
    """
    from ridgeline.io.net.peer import Peer

    if not isinstance(instance, list | tuple) or not instance or not isinstance(instance[0], str):
        raise ValueError("a remote instance is [url, user, password, host]")
    url, user, password, host = (*instance[:4], None, None, None)[:4]
    base = Endpoint.parse(url)
    name = str(host) if host else base.host
    ca_file = next((peer.ca_file for peer in _KNOWN.get()[0] if peer.name == name), None)
    if not user or not password:
        return Peer(name, base, ca_file=ca_file)
    return Peer(name, base, str(user), Secret(str(password)), ca_file)


def ask(peer: Peer, wanted: str, endpoint: str) -> Any:
    """What its answer holds as `data[wanted]`. Raises PeerError."""
    return peer.ask(quote(endpoint, safe=ALLOWED), wanted, time.monotonic() + LONGEST)


def save(peer: Peer, endpoint: str, path: bool | str | os.PathLike[str]) -> None:
    """Its answer as the file `path`, whole or as it was. Raises PeerError, OutputError, and ValueError for no path."""
    from ridgeline.io.disk.atomic import write_atomic

    if isinstance(path, bool):
        raise ValueError("save_file is the path of a file, or False")  # noqa: TRY004 - said, not raised, by whoever calls
    target = Path(path)

    def write(fill: Callable[[BinaryIO], object]) -> None:
        write_atomic(target, fill)

    peer.fetch(quote(endpoint, safe=ALLOWED), write, _KNOWN.get()[1].max_file, time.monotonic() + LONGEST)

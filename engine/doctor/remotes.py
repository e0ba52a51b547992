"""Other hosts' Skyline: whether each answers, lets us in, and says what `ridgeline remote sync` asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.doctor.check import Check, green, red, yellow
from ridgeline.engine.remote.answers import training_sets
from ridgeline.io.net.peer import Peer, PeerError

PATIENCE: Final = 5.0  # seconds for each peer
TOGETHER: Final = 8  # peers at a time
# What only another configuration mends; all else may be over by the next sync.
WRONG: Final = frozenset({"unauthorised", "redirected"})


def look_at_remotes(config: Config) -> Iterator[Check]:
    """One check for each `[[remote]]` but this host itself, none without any."""
    peers = [peer for peer in config.remotes if peer.name != config.shards.host]
    if peers and config.remote_files.directory is None:
        yield yellow("remote", "there is no folder for files of remote instances", "give [remote_files] directory")
    with ThreadPoolExecutor(TOGETHER) as pool:
        yield from pool.map(_look, peers)


def _look(peer: Peer) -> Check:
    try:
        found, _ = training_sets(peer.ask("api?training_data", "metrics", time.monotonic() + PATIENCE))
    except PeerError as error:
        if error.reason in WRONG:
            return red("remote", str(error), "see to its url, username and password in [[remote]]")
        return yellow("remote", str(error), "see that it runs; a sync goes on without it")
    except ValueError as error:
        return yellow("remote", f"{peer}: {error}", "see that its url is that of Skyline's web application")
    return green("remote", f"{peer} answers, and lists {len(found):,} sets of training data")

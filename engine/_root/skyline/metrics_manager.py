"""Skyline's Metrics_Manager: the thread that keeps the lists of metrics true, and a cluster's hosts in step.

Every five minutes there is one `ridgeline manage`, every minute one `ridgeline remote sync`, by the configuration that
`RIDGELINE_CONFIG` names, else `ridgeline.toml` in the working directory; what goes wrong in it is told on standard error, and
costs no later cycle.
"""

from __future__ import annotations

import math
import os
import time
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.api.found import Kept, found_config
from ridgeline.engine.score.pairs import shown
from ridgeline.io.errors import InputError, OutputError, RidgelineError
from ridgeline.io.shard import Shards
from ridgeline.skyline._remote import ask, remote_peer, save
from ridgeline.skyline._worker import Worker, say

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.manage.report import Report
    from ridgeline.engine.remote.tally import Synced

__all__ = ["Metrics_Manager"]

PERIOD: Final = 300.0  # seconds from the start of a pass over the lists to that of the next, as Skyline's
SYNC: Final = 60.0  # the same of syncs
_SHARDS: Final[Kept[Shards]] = Kept(attrgetter("shards"))


class Metrics_Manager(Worker):
    """Manages while the process `parent_pid` lives. `report`: what the newest pass changed; None before the first."""

    def __init__(self, parent_pid: int) -> None:
        super().__init__(parent_pid)
        self.report: Report | None = None
        self._managed = -math.inf  # seconds of the monotonic clock

    def assigned_to_shard(self, metric_name: str) -> str:
        """Name of the host that a metric belongs to, by its base name: this one, unless `[shards]` names several.

        Raises InputError where the configuration cannot be read, or the name is no text.
        """
        if not isinstance(metric_name, str):
            raise InputError(f"a metric's name is a text, not {shown(metric_name)}")
        return _SHARDS.get().owner(metric_name)

    def get_remote_data(
        self,
        remote_skyline_instance: Any,
        data_required: str,
        endpoint: str,
        save_file: bool | str | os.PathLike[str] = False,
    ) -> Any:
        """`data[data_required]` of what another host answers to `endpoint`, or with a path whether its answer is there, whole.

        Where it is not: [] or False, and one sentence on standard error, which never holds a secret.
        """
        from ridgeline.io.net.peer import PeerError

        try:
            peer = remote_peer(remote_skyline_instance)
            if not save_file:
                return ask(peer, data_required, endpoint)
            save(peer, endpoint, save_file)
        except (PeerError, OutputError, ValueError, TypeError) as error:
            say(f"get_remote_data: {error}")
            return False if save_file else []
        return True

    def sync_cluster_files(self, i: int) -> None:
        """Fetch what other hosts have and this one has not, as `ridgeline remote sync` does, within 60 seconds.

        Raises InputError where there is no `[[remote]]` or no folder for files. What went wrong otherwise is said.
        """
        from ridgeline.engine.remote.sync import sync_remotes

        try:
            sentences = sync_remotes(found_config()).problems
        except InputError:
            raise
        except RidgelineError as error:
            sentences = [str(error)]
        for sentence in sentences:
            say(f"sync_cluster_files: {sentence}")

    def metric_management_process(self, i: int) -> Report:
        """Do one pass over the lists, as `ridgeline manage`, and say what changed: `report`. `i` is of no account.

        Raises RidgelineError where nothing could be read, or another pass is at work.
        """
        return self._manage(found_config())

    def run(self) -> None:
        """Manage every five minutes and sync every minute, where there are other hosts, until the parent is gone.

        Called rather than started, it does so on the caller's thread.
        """
        self.repeat(self._cycle, min(PERIOD, SYNC))

    def _cycle(self) -> None:
        now = time.monotonic()
        if now - self._managed >= PERIOD:
            self._managed = now
            self.cycle(self._manage)
        self.cycle(_sync)

    def _manage(self, config: Config) -> Report:
        from ridgeline.engine.manage.once import Request, manage_once

        self.report = manage_once(Request(config))
        return self.report


def _sync(config: Config) -> Synced:
    """Fetch from other hosts, if there are any and a folder for their files."""
    from ridgeline.engine.remote.sync import sync_remotes
    from ridgeline.engine.remote.tally import Synced

    others = [peer for peer in config.remotes if peer.name != config.shards.host]
    return sync_remotes(config) if others and config.remote_files.directory else Synced()

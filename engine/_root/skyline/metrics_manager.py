"""Skyline's Metrics_Manager: the thread that keeps the lists of metrics true, and a cluster's hosts in step.

Its part of the engine is not in this version: what needs it says so.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final, NoReturn

from ridgeline.engine.api.found import Kept
from ridgeline.engine.score.pairs import shown
from ridgeline.io.errors import InputError
from ridgeline.io.shard import Shards
from ridgeline.skyline._worker import Worker, lacking

__all__ = ["Metrics_Manager"]

LISTS: Final = "the management of metrics' lists"
REMOTE: Final = "remote instances"
_SHARDS: Final[Kept[Shards]] = Kept(attrgetter("shards"))


class Metrics_Manager(Worker):
    """Would manage while the process `parent_pid` lives."""

    def assigned_to_shard(self, metric_name: str) -> str:
        """Name of the host that a metric belongs to, by its base name: this one, unless `[shards]` names several.

        Raises InputError where the configuration cannot be read, or the name is no text.
        """
        if not isinstance(metric_name, str):
            raise InputError(f"a metric's name is a text, not {shown(metric_name)}")
        return _SHARDS.get().owner(metric_name)

    def get_remote_data(
        self, remote_skyline_instance: Any, data_required: str, endpoint: str, save_file: bool | str = False
    ) -> NoReturn:
        """Raise InputError: there are no remote instances yet."""
        raise lacking("Metrics_Manager.get_remote_data", REMOTE)

    def sync_cluster_files(self, i: int) -> NoReturn:
        """Raise InputError: there are no remote instances yet."""
        raise lacking("Metrics_Manager.sync_cluster_files", REMOTE)

    def metric_management_process(self, i: int) -> NoReturn:
        """Raise InputError: lists are not managed yet."""
        raise lacking("Metrics_Manager.metric_management_process", LISTS)

    def run(self) -> NoReturn:
        """Raise InputError: lists are not managed yet."""
        raise lacking("Metrics_Manager.run", LISTS)

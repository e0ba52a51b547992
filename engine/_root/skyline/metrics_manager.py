"""Skyline's Metrics_Manager: the thread that keeps the lists of metrics true, and a cluster's hosts in step.

Its part of the engine is not in this version: what needs it says so.
"""

from __future__ import annotations

import os
from typing import Any, Final, NoReturn

from ridgeline.skyline._worker import Worker, lacking

__all__ = ["Metrics_Manager"]

LISTS: Final = "the management of metrics' lists"
REMOTE: Final = "remote instances"


class Metrics_Manager(Worker):
    """Would manage while the process `parent_pid` lives."""

    def assigned_to_shard(self, metric_name: str) -> str:
        """Name of the host that a metric belongs to: this one, for a fleet cannot be sharded yet."""
        return os.uname().nodename

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

"""Opens the state of a run: in Redis beside the source, else in a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.io.disk.lock import state_folder
from ridgeline.io.state.bounded import BoundedState
from ridgeline.io.state.interface import State
from ridgeline.io.state.recorder import Recorder

STATE_FILE: Final = "state.db"
TIMEOUT: Final = 2.0  # seconds for one operation
BUDGET: Final = 6.0  # seconds that a run waits for its state in all; what is slower must not eat up the time for alerts
FLUSH: Final = 3.0  # seconds at the end for what is still to be recorded


@contextlib.contextmanager
def open_run_state(config: Config) -> Iterator[State]:
    """The state for a `with` block: in Redis with a Redis source, unless `output.state` names a file.

    Nothing is connected, read or created before the first use, and every use ends in time. State that cannot be reached
    is no reason to keep an alert back: it fails at each use, which delivery allows for.
    """
    with contextlib.closing(_bounded(config)) as state:
        yield state


@contextlib.contextmanager
def open_recorder(config: Config) -> Iterator[Recorder]:
    """A recorder into the same state, on a connection and a thread of its own; written out at the end of the block."""
    recorder = Recorder(_bounded(config))
    try:
        yield recorder
    finally:
        recorder.close(FLUSH)


def _bounded(config: Config) -> BoundedState:
    in_redis = config.source.kind == "redis" and config.output.state is None
    name = f"state in Redis at {config.source.settings}" if in_redis else f"the state file {_state_file(config)}"
    return BoundedState(
        lambda: _in_redis(config) if in_redis else _in_file(config), name, timeout=TIMEOUT, budget=BUDGET
    )


def _in_redis(config: Config) -> State:
    from ridgeline.io.redis.client import connect
    from ridgeline.io.state.in_redis import RedisState

    settings = config.source.settings
    brisk = replace(settings, timeout=min(settings.timeout, TIMEOUT), retries=0, connect_budget=TIMEOUT)
    return RedisState(connect(brisk))


def _in_file(config: Config) -> State:
    from ridgeline.io.state.in_sqlite import SqliteState

    return SqliteState(_state_file(config), timeout=TIMEOUT)


def _state_file(config: Config) -> Path:
    if config.output.state is not None:
        return config.output.state
    return (config.output.directory or state_folder()) / STATE_FILE

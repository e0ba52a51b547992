"""Opens the state of a run: in Redis beside the source, else in a file."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
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
SHARE: Final = 1 / 3  # of the time left, if that is less
FLUSH: Final = 3.0  # seconds at the end for what is still to be recorded


@contextlib.contextmanager
def open_run_state(config: Config, left: float = math.inf) -> Iterator[State]:
    """The state for a `with` block: in Redis with a Redis source, unless `output.state` names a file.

    It keeps its user waiting for a share of the `left` seconds at most.

    Nothing is connected, read or created before the first use, and every use ends in time. State that cannot be reached
    is no reason to keep an alert back: it fails at each use, which delivery allows for.
    """
    budget = min(BUDGET, max(SHARE * left, 0.0))
    with contextlib.closing(_bounded(config, min(TIMEOUT, budget), budget)) as state:
        yield state


@contextlib.contextmanager
def open_recorder(config: Config, left: Callable[[], float] = lambda: math.inf) -> Iterator[Recorder]:
    """A recorder into the same state, on a connection and a thread of its own; written out at the end of the block.

    That takes at most half of the seconds that are `left` then.
    """
    recorder = Recorder(_bounded(config, TIMEOUT, BUDGET))
    try:
        yield recorder
    finally:
        recorder.close(min(FLUSH, left() / 2))


def _bounded(config: Config, timeout: float, budget: float) -> BoundedState:
    in_redis = config.source.kind == "redis" and config.output.state is None
    name = f"state in Redis at {config.source.settings}" if in_redis else f"the state file {_state_file(config)}"
    opening = partial(_in_redis if in_redis else _in_file, config)
    return BoundedState(opening, name, timeout=timeout, budget=budget)


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

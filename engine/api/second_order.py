"""Skyline's second order by its own name: a caller's triggers of a metric, remembered apart from those of runs.

A run has its own memory of what it alerted (`ridgeline.engine.alerts.lately`). What a script asks must not silence a run.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import Final

from ridgeline.engine.alerts.lately_table import decode_triggers, encode_triggers
from ridgeline.engine.alerts.second_order import triggered
from ridgeline.engine.api.ensemble import instant
from ridgeline.engine.api.found import Kept
from ridgeline.engine.config.model import Config, Output
from ridgeline.engine.run.state import STATE_FILE, open_run_state
from ridgeline.engine.score.pairs import shown
from ridgeline.io.disk.lock import state_folder
from ridgeline.io.errors import InputError
from ridgeline.io.state.names import triggers

KEPT_FOR: Final = 7 * 86400  # seconds after a metric's last trigger


def _same(config: Config) -> Config:
    return config


_CONFIG: Final = Kept(_same)


def asks_for_second_order() -> bool:
    """Whether the configuration that is found asks for it. Raises InputError where it cannot be read."""
    return _CONFIG.get().analysis.second_order


def trigger(metric_name: str, datapoint: float) -> bool:
    """Remember that a metric has triggered now; whether it did so out of its rhythm.

    Raises StateError where what is remembered cannot be read or written, InputError for what is no number.
    """
    value = _number(datapoint)
    config = _CONFIG.get()
    if config.path is None:  # then there is no Redis to rely on
        config = replace(config, output=Output(state=state_folder() / STATE_FILE))
    key = triggers(str(metric_name).removeprefix(config.source.each["redis"].namespace))
    with open_run_state(config) as state:
        stored, before = state.get(key), None
        with contextlib.suppress(TypeError, ValueError, OverflowError):  # damaged, or not there: as if it was the first
            before = decode_triggers(stored)
        after = triggered(before, instant(), value)
        state.set(key, encode_triggers(after), KEPT_FOR)
    return after.news


def _number(datapoint: object) -> float:
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        value = float(datapoint)  # type: ignore[arg-type]  # whether it is one is the question
        if math.isfinite(value):
            return value
    raise InputError(f"the datapoint is {shown(datapoint)}: give a finite number")

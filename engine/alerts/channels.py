"""The alerters of a run, built from configuration."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ridgeline.alerters import Alerter, load
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.io.errors import InputError


def build_alerters(
    settings: Iterable[tuple[str, str, Any]], rows: Sequence[AlertRow], *, json: bool = False
) -> dict[str, Alerter]:
    """An alerter for every strategy that a row names: (strategy, kind, channel settings) or the kind's defaults.

    With `json` standard output belongs to the JSON object, so the console writes to standard error. Raises InputError.
    """
    from ridgeline.alerters.console import Console

    channels = load()
    configured = {strategy: (kind, values) for strategy, kind, values in settings}
    built: dict[str, Alerter] = {}
    for strategy in dict.fromkeys(strategy for row in rows for strategy in row.strategies):
        kind, values = configured.get(strategy, (strategy, None))
        if kind not in channels:
            raise InputError(f"there is no alerter {strategy!r}; known kinds: {', '.join(channels)}")
        try:
            built[strategy] = channels[kind].build(channels[kind].settings() if values is None else values)
        except (TypeError, ValueError) as error:  # TypeError: a setting without default is missing
            raise InputError(f"[alerters.{strategy}] is not usable: {error}") from error
        if json and kind == "console":
            built[strategy] = Console(lambda: sys.stderr)
    return built

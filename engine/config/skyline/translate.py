"""Skyline's settings as a draft of Ridgeline's configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ridgeline.engine.config.skyline.alerting import translate_alerts
from ridgeline.engine.config.skyline.analysis import (
    translate_airgaps,
    translate_analysis,
    translate_preparation,
    translate_source,
)
from ridgeline.engine.config.skyline.draft import Draft
from ridgeline.engine.config.skyline.elsewhere import unused
from ridgeline.engine.config.skyline.remotes import translate_remotes
from ridgeline.engine.config.skyline.settings import Settings
from ridgeline.engine.config.skyline.siblings import (
    translate_batch,
    translate_external,
    translate_handoffs,
    translate_shards,
    translate_statistics,
)

TABLES: Final[tuple[Callable[[Settings, Draft], None], ...]] = (
    translate_source,
    translate_analysis,
    translate_preparation,
    translate_airgaps,
    translate_alerts,
    translate_external,
    translate_handoffs,
    translate_statistics,
    translate_batch,
    translate_shards,
    translate_remotes,
)


def translate(settings: Settings) -> Draft:
    """Every table that the settings have something for."""
    draft = Draft()
    for table in TABLES:
        table(settings, draft)
    return draft


def left_out(settings: Settings, draft: Draft, name: str) -> list[str]:
    """What of the file `name` is not in the draft and why, a line each as compilers write it, in its order."""
    said = [*settings.problems, *unused(settings)]
    said += [(settings.lines.get(setting, 0), setting, why) for setting, why in draft.dropped]
    return [f"{name}:{line}: {setting}: {why}" for line, setting, why in sorted(said, key=lambda one: one[:2])]

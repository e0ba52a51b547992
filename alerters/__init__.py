"""Tells people: one module per channel, one method per alerter."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ridgeline.alerters._alerter import SENT, Alert, Alerter, Channel, Outcome, Secret

__all__ = ["SENT", "Alert", "Alerter", "Channel", "Outcome", "Secret", "load"]


def load() -> dict[str, Channel]:
    """Every channel of this folder by its kind (`console`, `http`, `syslog`, ...), found by scanning the folder."""
    names = (module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    channels: list[Channel] = [import_module(f"{__name__}.{name}").CHANNEL for name in names]
    return {channel.kind: channel for channel in sorted(channels, key=lambda channel: channel.kind)}

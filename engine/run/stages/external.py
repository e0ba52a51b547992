"""External alerts: their services are asked before anything else begins."""

from __future__ import annotations

from ridgeline.engine.run.turn import Turn


def ask_services(turn: Turn) -> None:
    """Ask for external rules, where the configuration names services and alerts are sent at all."""
    config = turn.request.config
    if config.external_alerts and not turn.request.dry_run:
        from ridgeline.engine.run.external import Asking

        turn.external = Asking.begin(config, turn.wall(), turn.budget.clock)

"""The numbers of a run, told where they are watched: a textfile, Graphite, a heartbeat. Only of runs over the whole fleet.

What tells them is imported where it is configured: a run from cron is a new process every minute.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from ridgeline.engine.run.statistics.telling import LEAST, replace_textfile, send_lines
from ridgeline.engine.run.turn import Turn

HTTP: Final = "http"  # the channel whose waiting alerts Skyline calls its http queue


def write_textfile(turn: Turn) -> None:
    """Write the metrics for Prometheus; also at the end of a run that failed, which keeps the time of the last success."""
    path = turn.request.config.statistics.prometheus_textfile
    if path is not None and _is_told(turn):
        replace_textfile(path, partial(_rendered, turn, path), turn.find, turn.budget.left)


def _rendered(turn: Turn, path: Path) -> bytes:
    from ridgeline.engine.run.statistics.previous import previous
    from ridgeline.engine.run.statistics.textfile import Ending, render

    before, code = previous(path), turn.exit_code()
    last_success = before.last_success if code else turn.as_of
    outbox = before.outbox if turn.waiting is None else turn.waiting.total()
    return render(turn.report, Ending(code, turn.as_of, last_success, outbox), turn.request.config.shards.name)


def send_numbers(turn: Turn) -> None:
    """Send the numbers to Graphite."""
    statistics = turn.request.config.statistics
    if statistics.graphite is None or not _is_told(turn):
        return
    from ridgeline.engine.run.statistics.canary import CanarySink
    from ridgeline.engine.run.statistics.graphite import batch
    from ridgeline.engine.run.statistics.names import Numbers, numbers_of, prefix

    seconds, canary = turn.budget.spent(), turn.sink(CanarySink)
    hours = None if canary is None else canary.hours
    projected = None if canary is None else canary.projected(seconds)
    numbers = numbers_of(Numbers(turn.report, seconds, hours, projected, turn.handoffs.sent, _waiting_for_http(turn)))
    names = prefix(statistics.name, turn.request.config.shards.name)
    send_lines(statistics.graphite, batch(names, numbers, turn.as_of), "run", turn.warn, turn.budget.left)


def _waiting_for_http(turn: Turn) -> int | None:
    """Alerts for webhooks in the outbox; None where there are no webhooks, or it is not known."""
    webhooks = [name for name, channel, _ in turn.request.config.alerters.settings if channel.kind == HTTP]
    if turn.waiting is None or not webhooks:
        return None
    return sum(turn.waiting[name] for name in webhooks)


def send_heartbeat(turn: Turn) -> None:
    """Ask for the heartbeat's address if the run succeeded."""
    url = turn.request.config.statistics.heartbeat_url
    if url is None or turn.exit_code() or not _is_told(turn):
        return
    from ridgeline.engine.run.statistics.heartbeat import beat
    from ridgeline.io.net.transport import TransportError

    try:
        beat(url, max(turn.budget.left(), LEAST))
    except TransportError as error:
        turn.warn(f"the heartbeat did not arrive: {error}")


def _is_told(turn: Turn) -> bool:
    """Whether this run stands for the fleet: a part of it would look like a loss of metrics."""
    request = turn.request
    return not (request.dry_run or request.check_airgaps_only) and request.everything

"""Fairness where there is not time for all: in which order metrics are read, what was shed, where the next run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.shedding import Covers, Places, places_after, reading_order
from ridgeline.engine.run.state import open_run_state
from ridgeline.engine.run.turn import Turn
from ridgeline.io.disk.lock import source_hash
from ridgeline.io.source import Order
from ridgeline.io.state.interface import StateError
from ridgeline.io.state.names import reading

if TYPE_CHECKING:
    from ridgeline.engine.alerts.rule import AlertRow
    from ridgeline.io.state.interface import State

KEPT: Final = 3600  # seconds for which it matters where a run stopped


def order_reading(turn: Turn) -> None:
    """Begin where the last run stopped, if it did; else have metrics with an alert rule preferred once time runs short.

    With a memory it is known later what is to be read at all.
    """
    if turn.memory is None:
        order_what_is_left(turn)


def order_what_is_left(turn: Turn) -> None:
    """The same, of what is still to be read."""
    if turn.source is None or turn.source.list() is None:
        return
    order = order_of(turn)
    turn.source.arrange(order, at_once=turn.places is not None)


def order_of(turn: Turn) -> Order:
    """The order in which metrics are read: at once, where the turn has `places` then; else once time runs short."""
    turn.places, rows = _look_back(turn)
    return partial(_order, turn, rows)


def _order(turn: Turn, rows: Sequence[AlertRow], names: Sequence[str]) -> NDArray[np.int64]:
    return reading_order(names, _covers(turn, rows), turn.places or Places())


def tell_shed(turn: Turn) -> None:
    """Say how many metrics were shed, and how many of them have an alert rule, where their names are known."""
    shed = turn.report.outcomes["shed"]
    if not shed:
        return
    names = None if turn.source is None else turn.source.list()
    covered = None if names is None else int(_covers(turn)([names[at] for at in _missed(turn).tolist()]).sum())
    turn.report.shed = {"metrics": shed, "alert_covered": covered}


def remember_shed(turn: Turn) -> None:
    """Keep where the next run is to go on, if this one's time ran out; whatever else ended it says nothing of that."""
    names = None if turn.source is None else turn.source.list()
    if names is None or turn.scan is None or turn.scan.lost is not None or turn.request.dry_run:
        return
    missed = _missed(turn)
    if not len(missed):
        return
    places = places_after(names, missed, turn.scan.tried, _covers(turn), turn.places or Places())
    try:
        aside(partial(_keep_places, turn, places), turn.budget.books_left(), "reading")
    except (StateError, Overdue):
        turn.warn("where reading stopped could not be kept: the next run begins with the same metrics again")


def _covers(turn: Turn, known: Sequence[AlertRow] = ()) -> Covers:
    """By all rules: those of the configuration, and external ones, as far as they have come; until then those `known`."""
    asked = turn.external
    external = asked.found.result().rows if asked is not None and asked.found.done() else known
    return Patterns([row.match for row in (*turn.request.config.alerts, *external)]).any


def _missed(turn: Turn) -> NDArray[np.int64]:
    """Positions, in the order of reading, of the metrics that were not judged for want of time or source; ascending."""
    if turn.scan is None:
        known = None if turn.source is None else turn.source.known(0)
        return np.arange(known or 0)
    return np.concatenate([np.empty(0, np.int64), *(np.arange(*piece) for piece in sorted(turn.scan.missed))])


def _key(turn: Turn) -> str:
    """Of this source, this host and these metrics; looking for airgaps only has a pace of its own."""
    request = turn.request
    part = f"{'airgaps ' if request.check_airgaps_only else ''}{request.match or ''}"
    if host := request.config.shards.name:
        part = f"{host} {part}"
    return reading(source_hash(request.config.source.settings.identity(), part))


def _look_back(turn: Turn) -> tuple[Places | None, Sequence[AlertRow]]:
    """Where the last run stopped, and the external rules that it knew.

    The places are good for one run: were that to fail there, the next would begin as usual.
    """
    if turn.request.dry_run:
        return None, ()
    try:
        with open_run_state(turn.request.config, turn.budget.reading_left()) as state:
            places = Places.read(state.get(_key(turn)))
            if places is not None:
                with state.batch() as batch:
                    batch.delete(_key(turn))
            return places, _external(turn, state)
    except StateError:
        return None, ()  # that the state is out of reach, the alerts say


def _external(turn: Turn, state: State) -> Sequence[AlertRow]:
    """The external rules that the last run knew. Raises StateError."""
    if not turn.request.config.external_alerts:
        return ()
    from ridgeline.engine.run.external import known_rows

    return known_rows(turn.request.config, state)


def _keep_places(turn: Turn, places: Places) -> None:
    with open_run_state(turn.request.config, turn.budget.books_left()) as state:
        state.set(_key(turn), places.as_json(), KEPT)

"""A card as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from ridgeline.engine.explain.card import ANALYSED, Card, Opinion
from ridgeline.engine.report.colour import PLAIN, Paint
from ridgeline.engine.report.rules import rule_words
from ridgeline.engine.report.sparkline import sparkline
from ridgeline.engine.units import spoken
from ridgeline.io.text import escape

WIDTH: Final = 60  # bars of the sparkline
WHY: Final = {
    "too_short": "it has {points:,} points, and 100 are needed",
    "stale": "its newest point is {age} older than the instant it is judged as of, and stale after {stale} (--as-of last)",
    "boring": "its newest 100 values are all the same",
    "empty": "it has no points up to that instant",
    "rejected": "what is stored under its name cannot be used",
    "missing": "there is nothing under its name",
}
HELD: Final = {
    "direction": "its change goes the way that the configuration does not ask for",
    "min_change": "its change is smaller than the configuration asks for",
}


def as_lines(card: Card, paint: Paint = PLAIN) -> Iterator[str]:
    """The card: what was found, why, and what would have made it otherwise."""
    yield paint(escape(card.metric), "bold")
    if len(card.values):
        yield f"  {sparkline(card.values, WIDTH)}"
        yield f"  {len(card.values):,} points, {_instant(int(card.stamps[0]))} to {_instant(int(card.stamps[-1]))}"
    yield f"  {paint(_verdict(card), 'red' if card.anomalous else 'green' if card.outcome == ANALYSED else 'yellow')}"
    if card.datapoint is not None and card.expected is not None:
        low, high = card.expected
        side = "above" if card.datapoint > high else "below" if card.datapoint < low else "within"
        yield f"  newest value {card.datapoint:.6g}, {side} the expected {low:.6g} to {high:.6g}"
    if card.prepared:
        yield f"  judged after {card.prepared}"
    if card.negatives:
        yield "  it holds values below zero"
    if card.owner is not None:
        yield f"  it belongs to the host {card.owner}"
    yield from _airgaps(card)
    yield from _channels(card)
    yield from _algorithms(card, paint)
    yield from _would(card)
    yield from _alerts(card)


def _verdict(card: Card) -> str:
    if card.outcome != ANALYSED:
        age = "" if card.as_of is None or card.timestamp is None else spoken(card.as_of - card.timestamp)
        why = WHY.get(card.outcome, "").format(points=len(card.values), age=age, stale=spoken(card.stale_period))
        reason = f" ({card.reason})" if card.reason else ""
        return f"not judged: {card.outcome}{reason}{f', {why}' if why else ''}"
    if card.channels:
        return _spoken(card)
    count = f"{card.votes} of {len(card.algorithms)} algorithms voted, {card.consensus} are needed"
    if card.anomalous:
        return f"ANOMALOUS: {count}"
    if card.reason in HELD:
        return f"not anomalous: {count}, but {HELD[card.reason]}"
    return f"not anomalous: {count}{_nearest(card)}"


def _spoken(card: Card) -> str:
    """What the channels of its rule say."""
    loudest = max(card.channels, key=lambda one: one.score)
    if card.anomalous:
        return f"ANOMALOUS: {', '.join(one.name for one in card.channels if one.score > 1)}"
    if card.learning:
        return "not anomalous: what is usual for it is still being learned"
    held = f", but {HELD[card.reason]}" if card.reason in HELD else ""
    return f"not anomalous: loudest is {loudest.name} (score {loudest.score:.2g}){held}"


def _channels(card: Card) -> Iterator[str]:
    if not card.channels:
        return
    yield ""
    yield f"  {'channel':<28} {'speaks':<6} {'score':>7}  the newest values that it expected"
    for one in card.channels:
        band = "-" if one.low is None or one.high is None else f"from {one.low:.6g} to {one.high:.6g}"
        yield f"  {one.name:<28} {'yes' if one.score > 1 else 'no':<6} {one.score:>7.3g}  {band}"


def _nearest(card: Card) -> str:
    """The algorithms that were nearest to making it one, as many as were lacking."""
    lacking = card.consensus - (card.votes or 0)
    silent = [one for one in card.algorithms if one.vote is False and one.score is not None]
    silent.sort(key=lambda one: -(one.score or 0.0))
    if lacking < 1 or len(silent) < lacking:
        return ""
    return f"; nearest to voting: {', '.join(f'{one.name} (score {one.score:.2g})' for one in silent[:lacking])}"


def _airgaps(card: Card) -> Iterator[str]:
    """What is missing of its points, and whether they were stored in order."""
    closed, opened = card.airgaps["closed"], card.airgaps["open"]
    if closed:
        first, last = closed[-1]
        count = "1 airgap" if len(closed) == 1 else f"{len(closed)} airgaps, the last"
        yield f"  {count} from {_instant(first)} to {_instant(last)}"
    if opened is not None:
        yield f"  an airgap since {_instant(opened)}"
    if card.airgaps["unordered"]:
        yield "  its points are stored out of order"


def _algorithms(card: Card, paint: Paint) -> Iterator[str]:
    if not card.algorithms:
        return
    yield ""
    yield f"  {'algorithm':<28} {'vote':<5} {'score':>8}  what it saw, and the newest values without its vote"
    for one in card.algorithms:
        if one.score is None:
            yield f"  {one.name:<28} {'-':<5} {'-':>8}  it failed"
        else:
            vote = paint(f"{'yes' if one.vote else 'no':<5}", *(("red",) if one.vote else ()))
            yield f"  {one.name:<28} {vote} {one.score:>8.3g}  {_seen(one)}"


def _seen(one: Opinion) -> str:
    unit = f" {one.unit}" if one.unit else ""
    limit = "at most" if one.name == "histogram_bins" else "limit"
    seen = "" if one.statistic is None else f"{one.statistic:.4g}{unit}, {limit} {one.threshold:.4g}; "
    if one.low is None and one.high is None:
        return f"{seen}no vote whatever the value" if one.unit else f"{seen}it would vote whatever the value"
    if one.low is None:
        return f"{seen}up to {one.high:.6g}"
    return f"{seen}from {one.low:.6g}" + ("" if one.high is None else f" to {one.high:.6g}")


def _would(card: Card) -> Iterator[str]:
    """The largest consensus at which it would have been anomalous."""
    found = [least for least, anomalous in card.would.items() if anomalous]
    if card.would:
        yield ""
        yield f"  anomalous at a consensus of up to {max(found)}" if found else "  anomalous at no consensus"


def _alerts(card: Card) -> Iterator[str]:
    for alert in card.alerts:
        until = alert["suppressed_until"]
        quiet = "" if until is None else f", suppressed until {_instant(until)}"
        yield f"  alerts through {escape(alert['strategy'])}, by {escape(rule_words(alert['rule']))}{quiet}"


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")

"""What the memory holds, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ridgeline.alerters import utc
from ridgeline.engine.report.text import number
from ridgeline.engine.units import spoken
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.memory.known import Known
    from ridgeline.io.memory.owner import Owner
    from ridgeline.io.memory.summary import Summary


def summary_lines(found: Summary, owner: Owner, now: float) -> Iterator[str]:
    """The file, whose it is, how old and large."""
    yield escape(f"{found.path}, {sized(found.disk_bytes)} on the disk")
    yield escape(f"  of {found.owner}")
    if found.owner != owner:
        yield "  which is not this configuration: its runs do without this memory"
    gone = f", {found.gone:,} of them listed no more" if found.gone else ""
    yield f"  {number(found.metrics, 'metric')}{gone}; room for {found.spare:,} more"
    for name, known in found.known.items():
        if known is not None:
            yield escape(f"  {name}: {number(known, 'metric')} known")
    written = f"{number(found.runs, 'run')} have written it" if found.runs != 1 else "1 run has written it"
    yield f"  made {utc(found.made)}; {written}, the last {age(found.written, now)}"


def age(then: int, now: float) -> str:
    """How long ago, or that it lies ahead."""
    return f"{spoken(now - then)} ago" if now >= then else f"{spoken(then - now)} ahead of this clock"


def known_lines(known: Known) -> Iterator[str]:
    """One metric, a fact a line."""
    yield escape(known.metric)
    step = "" if known.resolution is None else f", mostly one each {spoken(known.resolution)}"
    yield f"  newest point {known.value:.6g} at {utc(known.timestamp)}; {number(known.count, 'point')} in the window{step}"
    if known.mean is not None and known.deviation is not None:
        below = f", {known.negatives:,} below 0" if known.negatives else ""
        yield f"  mean {known.mean:.6g}, standard deviation {known.deviation:.6g} without the newest{below}"
    if known.counter:
        yield "  a counter: judged by how much it rises"
    if known.outcome is not None:
        before = "" if known.previous is None else f", {known.previous} the run before"
        yield f"  {known.outcome} when last judged{before}"
    if known.odd:
        yield "  read in full in each run, for what its points are like"
    else:
        yield f"  read in full after {number(known.leaving, 'more point')} have left the window, or before"
    if known.gone is not None:
        yield f"  listed no more since {utc(known.gone)}"


def sized(size: int) -> str:
    """Bytes for people."""
    return f"{size / (1 << 20):,.1f} MiB" if size >= 1 << 20 else f"{size / (1 << 10):,.0f} KiB"

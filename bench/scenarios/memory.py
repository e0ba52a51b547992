"""What runs keep of a fleet, and what it costs to open, to bring up to date and to write it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ridgeline.bench import warm
from ridgeline.bench.axes import Axes
from ridgeline.bench.growing import Growing, growing
from ridgeline.bench.measure import Timing, repeat
from ridgeline.bench.row import Row
from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.model import Config
from ridgeline.engine.memory.sections import HOT, QUEUE
from ridgeline.engine.memory.tails import Tails
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.place import place_of
from ridgeline.engine.run.stages.listing import list_metrics
from ridgeline.engine.run.stages.memory import open_memory
from ridgeline.engine.run.turn import Request, Turn
from ridgeline.io.errors import InputError
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.redis.tails import Consume, Ranges
from ridgeline.kernels.memory.layout import QUIET

if TYPE_CHECKING:
    from ridgeline.engine.memory.tails import Ints
    from ridgeline.engine.run.remembered import Remembered

SUMMARY: Final = (
    "what runs remember: bytes a metric, opening, the ends of series and the kernel that reads them, writing"
)
REQUEST: Final = b"*4\r\n$8\r\nGETRANGE\r\n$%d\r\n\r\n$4\r\n-326\r\n$2\r\n-1\r\n"
GROWTH: Final = 600  # seconds for all that is done with a turn


def measure(axes: Axes) -> Iterator[Row]:
    """Yield rows about the memory of one fleet, of which each metric has new points since it was written."""
    with (
        growing(axes, steps=axes.delta, end=int(time.time()) - axes.delta * axes.step, counters=0.0) as fleet,
        tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder,
    ):
        path = warm.configured(axes, fleet, Path(folder, "run"), warm.PLAIN)
        warm.run(path, fleet)
        fleet.grow(axes.delta)
        config = load_config(path)
        yield from _file(config, len(fleet), axes)
        yield from _asking(config, fleet, axes)


def _file(config: Config, metrics: int, axes: Axes) -> Iterator[Row]:
    """Opening the file, with its size."""
    place = place_of(config)
    if place is None:
        raise InputError("the configuration that is measured keeps no memory")
    size = place.path.stat().st_size

    def open_it(*, touched: bool) -> None:
        with MemoryFile.open(place.path, place.owner, (HOT, QUEUE), writing=False) as memory:
            if touched:
                memory.rows(HOT.name).sum()

    told = (f"the file takes {size / metrics:,.0f} bytes a metric, room for more metrics included",)
    opened = repeat(partial(open_it, touched=False), runs=axes.runs)
    yield Row("memory", "opening the file", opened, metrics, 0, 0, None, None, _parameters(axes), told)
    opened = repeat(partial(open_it, touched=True), runs=axes.runs)
    yield Row("memory", "opening it and looking at every row", opened, metrics, 0, 0, None, None, _parameters(axes))


def _asking(config: Config, fleet: Growing, axes: Axes) -> Iterator[Row]:
    """Asking for the ends of series: all of it, and the kernel alone."""
    now = float(fleet.end + 1)
    with ExitStack() as stack:
        turn = Turn.begin(Request(config), Budget.begin(GROWTH, time.monotonic), lambda: now)
        stack.enter_context(turn.cleanup)
        open_memory(turn)
        list_metrics(turn)
        memory = turn.memory
        if memory is None or turn.source is None:
            raise InputError("the configuration that is measured keeps no memory")
        before, kernel, wall, spent = memory.hot.copy(), list[float](), list[float](), list[float]()
        for number in range(axes.runs + 1):
            memory.hot[:] = before
            heard = _Heard(_ranges(turn, memory))
            cpu, began = time.process_time(), time.perf_counter()
            _ask(turn, memory, heard)
            if number:  # the first touches what no later one has to
                wall.append(time.perf_counter() - began)
                spent.append(time.process_time() - cpu)
                kernel.append(heard.seconds)
        settled = np.count_nonzero(memory.codes[memory.rows] <= QUIET) / len(fleet)
        parameters, metrics, size = _parameters(axes), len(fleet), heard.ranges.bytes_read
        commands = sum(len(key) + len(REQUEST) for key in fleet.keys)
        told = (
            f"{settled:.1%} of the metrics are settled by the ends of their series",
            f"on the wire {size / metrics:,.0f} bytes a metric come, and {commands / metrics:,.0f} go",
        )
        yield Row("memory", "asking for the ends of all series", Timing(tuple(wall)), metrics, 0, size, None, None,
                  parameters, told)  # fmt: skip
        yield Row("memory", "asking for the ends of all series; CPU", Timing(tuple(spent)), metrics, 0, 0, None, None,
                  parameters)  # fmt: skip
        yield Row("memory", "... of which the kernel that reads them; CPU", Timing(tuple(kernel)), metrics, 0, 0, None,
                  None, parameters)  # fmt: skip


def _ranges(turn: Turn, memory: Remembered) -> Ranges:
    source: Any = turn.source
    keys = memory.file.keys
    return Ranges(source.client, source.settings, keys.offsets, keys.data, turn.budget.reading_left)


def _ask(turn: Turn, memory: Remembered, heard: _Heard) -> None:
    """What a run does to settle what needs not be read."""
    tails = Tails(memory.hot, memory.queue, memory.judging(turn.scorer, turn.as_of), memory.codes)
    ranges: Any = heard
    tails.ask(ranges, memory.known(), turn.as_of - memory.before)


@dataclass(slots=True)
class _Heard:
    """Asks as `ranges` does. `seconds`: of CPU, spent in what takes the replies in."""

    ranges: Ranges
    seconds: float = field(default=0.0)

    @property
    def answered(self) -> int:
        """Rows of the last question that were answered."""
        return self.ranges.answered

    def tails(self, rows: Ints, size: int, consume: Consume) -> int:
        """Ask for ends."""
        return self.ranges.tails(rows, size, self._timed(consume))

    def heads(self, rows: Ints, consume: Consume) -> int:
        """Ask for beginnings."""
        return self.ranges.heads(rows, self._timed(consume))

    def _timed(self, consume: Consume) -> Consume:
        clock: Callable[[], float] = time.thread_time

        def timed(*given: Any) -> tuple[int, int, int]:
            began = clock()
            taken = consume(*given)
            self.seconds += clock() - began
            return taken

        return timed


def _parameters(axes: Axes) -> dict[str, Any]:
    return {"points": axes.points, "step": axes.step, "delta": axes.delta, "spikes": axes.spikes}

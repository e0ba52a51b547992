"""Passes of `batch` over files that grow, killed at every step that matters: before and after each write.

Run as a program with a configuration, the data, the state, the results, and for each pass the instant up to which points
are there and the step at which it dies (0: none). One process that forks, so that each pass begins at once.
"""

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from ridgeline.engine.batch import block, results
from ridgeline.engine.batch.growing import Growing, batch_files
from ridgeline.engine.batch.turn import Request
from ridgeline.engine.config.load import load_config
from ridgeline.io.state.as_ledger import StateLedger
from ridgeline.kernels.native import loader


def main(config, data, state, output, *passes):
    loader.prepare("replay")
    block.pieces_of = partial(block.pieces_of, most=300)
    whole, config = pq.read_table(data), load_config(Path(config))
    growing = Path(data).parent / "growing"
    growing.mkdir(exist_ok=True)
    for one in passes:
        until, step = map(int, one.split(":"))
        pq.write_table(whole.filter(pc.field("timestamp") <= until), growing / "points.parquet")
        files = Growing(str(growing), Path(state), Path(output))
        status = _pass(Request(config), files, until, step)
        assert status in ({0, -signal.SIGKILL} if step else {0}), status


def _pass(request, files, now, step):
    """The status of a pass in a process of its own."""
    child = os.fork()
    if not child:
        code = 1
        try:
            _die_at(step)
            code = batch_files(request, files, now=lambda: float(now)).exit
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _die_at(step):
    """Kill this process at its `step`th step: each write has one before and one after it."""
    left = step

    def count():
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function):
        def call(*arguments, **options):
            count()
            found = function(*arguments, **options)
            count()
            return found

        return call

    StateLedger.write = counted(StateLedger.write)
    results.write_atomic = counted(results.write_atomic)
    Path.unlink = counted(Path.unlink)


if __name__ == "__main__":
    main(*sys.argv[1:])

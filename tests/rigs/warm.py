"""Commands in processes that begin with all they import, so that one that is killed dies amid its work."""

import multiprocessing
import sys

from ridgeline.engine.cli.main import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["ridgeline.engine.cli.run", "ridgeline.engine.run.once", "ridgeline.engine.archive.export", "ridgeline.io.parquet.source", "redis"]
)  # fmt: skip


def start(*arguments):
    """The process of one command line; its exit code is the command's."""
    process = _FORKS.Process(target=_leave, args=(arguments,))
    process.start()
    return process


def _leave(arguments):
    sys.exit(main(arguments))

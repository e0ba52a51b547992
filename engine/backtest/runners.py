"""Where parts are computed: on threads of this process, or on Dask workers. Both give the same files."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Final

from ridgeline.engine.backtest.job import Job
from ridgeline.engine.backtest.part import Done, run_part
from ridgeline.engine.backtest.plan import Part
from ridgeline.io.errors import InputError, SourceUnavailable

WORKER_RETRIES: Final = 5
CONNECT_SECONDS: Final = 10


def on_threads(job: Job, parts: Sequence[Part], threads: int) -> Iterator[Done]:
    """Compute `parts` in this process, at most `threads` at a time; where parts are few, threads share each part."""
    at_once = max(1, min(threads, len(parts)))
    within = max(1, threads // at_once)
    with ThreadPoolExecutor(at_once, thread_name_prefix="backtest") as pool:
        waiting: set[Future[Done]] = set()
        remaining = iter(parts)
        try:
            for part in remaining:
                waiting.add(pool.submit(run_part, job, part, within))
                if len(waiting) > at_once:  # one ready to start, none piling up results
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in finished)
            for future in list(waiting):
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def on_dask(job: Job, parts: Sequence[Part], *, scheduler: str | None, workers: int) -> Iterator[Done]:
    """Compute `parts` on a Dask cluster: the one at `scheduler`, or a local one of `workers` processes.

    A lost worker costs a retry of its parts. Workers must see the dataset and the output folder under the same paths.
    """
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError as error:
        raise InputError("--workers and --scheduler need Dask: pip install 'ridgeline[dask]'") from error

    with contextlib.ExitStack() as stack:
        address: Any = scheduler
        if scheduler is None:
            address = stack.enter_context(
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=None,
                    host="127.0.0.1",
                    silence_logs=logging.CRITICAL,  # a lost worker is retried; its last words help nobody
                )
            )
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_SECONDS))
        except (OSError, TimeoutError) as error:
            raise SourceUnavailable(f"no Dask scheduler answers at {scheduler}: {error}") from error
        futures = client.map(lambda part: run_part(job, part), parts, pure=False, retries=WORKER_RETRIES)
        for future in as_completed(futures):
            yield future.result()
            future.release()

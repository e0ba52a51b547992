"""Where parts are computed: on threads of this process, or on Dask workers. Both give the same files."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.backtest.job import Job
from ridgeline.engine.backtest.part import Done, run_part
from ridgeline.engine.backtest.plan import Part
from ridgeline.io.errors import InputError, RidgelineError, SourceUnavailable
from ridgeline.io.text import conceal_user

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS: Final = 10
WORKERS_SECONDS: Final = 30  # a scheduler without any worker is given up after so long
POLL_SECONDS: Final = 5  # a cluster that finishes nothing for so long is asked whether it is still there
ANSWER_SECONDS: Final = 15


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

    A lost worker costs its parts a second computation. Workers must see the dataset and the output folder under the same
    paths. Raises SourceUnavailable where the cluster cannot be reached, has no workers, or is lost on the way.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError("--workers and --scheduler need Dask: pip install 'ridgeline[dask]'") from error

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is lost is said once, in our own words
    conceal_user(scheduler or "")  # distributed quotes it in its own way
    where = scheduler or f"a local cluster of {workers}"
    with contextlib.ExitStack() as stack:
        address: Any = scheduler
        if scheduler is None:
            address = stack.enter_context(
                distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=None,
                    host="127.0.0.1",
                    silence_logs=logging.CRITICAL,
                )
            )
        client = stack.enter_context(_connected(address, where))
        yield from _finished(client, job, parts, where)


def _connected(address: Any, where: str) -> Client:
    """A client of a cluster that has at least one worker."""
    import asyncio

    from distributed import Client

    try:
        if isinstance(address, str):
            asyncio.run(asyncio.wait_for(_greet(address), CONNECT_SECONDS))
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise SourceUnavailable(f"no Dask scheduler answers at {where}: {reason}") from error
    try:
        found = _has_workers(client)
    except (OSError, TimeoutError) as error:
        client.close(timeout=1)
        raise SourceUnavailable(f"the Dask scheduler at {where} was lost before any part was begun") from error
    if not found:
        client.close(timeout=1)
        raise SourceUnavailable(f"the Dask scheduler at {where} has no workers: start some, then --resume")
    return client


def _has_workers(client: Client) -> bool:
    """Whether a worker comes in time; OSError or TimeoutError where the scheduler does not answer.

    distributed's own `wait_for_workers` waits for ever for the answer of a scheduler that was stopped.
    """
    end = time.monotonic() + WORKERS_SECONDS
    while not _ask(client)["workers"]:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


async def _greet(address: str) -> None:
    """Have a scheduler answer once: a client waits for ever for one that accepts connections and says nothing."""
    from distributed.core import rpc

    async with rpc(address, timeout=CONNECT_SECONDS) as scheduler:
        await scheduler.identity()


def _finished(client: Client, job: Job, parts: Sequence[Part], where: str) -> Iterator[Done]:
    """The parts as they are done."""
    from distributed import wait as wait_for

    waiting = set(client.map(lambda part: run_part(job, part), parts, pure=False))
    try:
        while waiting:
            try:
                done = wait_for(list(waiting), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                # A scheduler that was stopped or cut off keeps its connection: only an answer tells.
                _ask(client)
                continue
            waiting -= done
            for future in done:
                yield future.result(timeout=ANSWER_SECONDS)
                future.release()
    except RidgelineError:
        raise
    except Exception as error:  # whatever distributed makes of a lost cluster
        if not _is_lost(error):
            raise
        raise SourceUnavailable(
            f"the Dask cluster at {where} was lost with {len(waiting)} parts to go; continue with --resume"
        ) from error


def _ask(client: Client) -> Any:
    """What the scheduler says of itself; OSError or TimeoutError where it does not answer."""
    if client.scheduler is None:
        raise ConnectionError("the client has no scheduler any more")
    return client.sync(client.scheduler.identity, callback_timeout=ANSWER_SECONDS)


def _is_lost(error: Exception) -> bool:
    """Whether an error is that of the cluster, not of the work."""
    from distributed import CancelledError
    from distributed.client import FuturesCancelledError
    from distributed.scheduler import KilledWorker

    return isinstance(error, (OSError, TimeoutError, CancelledError, FuturesCancelledError, KilledWorker))

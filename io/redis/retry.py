"""When to try again: after the network failed, and while a server loads its data; never after the credentials failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, BusyLoadingError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

SILENT: Final = (TimeoutError, RedisTimeoutError)  # no answer came
LOADING_PAUSE: Final = 0.1  # seconds between two questions to a server that is loading its data


class BoundedRetry(Retry):
    """The library's retry, which would offer a wrong password eleven times and sleep past any deadline.

    `patience`: seconds to wait for a server that is loading its data. `left`: seconds until there is no time at all.
    """

    def __init__(self, retries: int, patience: float, left: Callable[[], float]) -> None:
        super().__init__(ExponentialWithJitterBackoff(base=0.05, cap=1.0), retries)
        self._patience, self._left = patience, left

    def __deepcopy__(self, memo: dict[int, Any]) -> BoundedRetry:
        """A copy for one connection, with a backoff of its own and the same deadline."""
        copy = type(self)(self._retries, self._patience, self._left)
        copy._backoff = deepcopy(self._backoff, memo)  # noqa: SLF001 - its own class
        return copy

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> Any:
        """Call `do` until it succeeds, the retries are used up, the time has passed, or trying again is no use."""
        failures, give_up = 0, time.monotonic() + self._patience
        told: Exception | None = None  # what went wrong before time ran out
        restart: Callable[[], None] = self._backoff.reset
        restart()
        while True:
            try:
                return do()
            except self._supported_errors as error:
                loading = isinstance(error, BusyLoadingError)
                told = told if isinstance(error, SILENT) else error
                failures += not loading
                fail(error, failures) if with_failure_count else fail(error)
                pause = LOADING_PAUSE if loading else self._backoff.compute(failures)
                spent = time.monotonic() >= give_up if loading else failures > self._retries
                if spent or self._left() <= pause or not _may_pass(error) or (is_retryable and not is_retryable(error)):
                    if told is not None and isinstance(error, SILENT):
                        raise told from error  # why there was no time left says more than that there was none
                    raise
            time.sleep(pause)


def _may_pass(error: Exception) -> bool:
    """Whether the same may go well another time: credentials that were refused will be refused again."""
    return not isinstance(error, AuthenticationError | AuthorizationError)

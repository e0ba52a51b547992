"""When to try again: after the network failed, never after the credentials did, and not past the deadline."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from redis.backoff import AbstractBackoff
from redis.exceptions import AuthenticationError, AuthorizationError
from redis.retry import Retry


class AuthAwareRetry(Retry):
    """The library's retry, which would offer a wrong password eleven times: its errors count as broken connections."""

    def __init__(self, backoff: AbstractBackoff, retries: int, left: Callable[[], float] | None = None) -> None:
        super().__init__(backoff, retries)
        self._left = left

    def __deepcopy__(self, memo: dict[int, Any]) -> AuthAwareRetry:
        """A copy for one connection, with a backoff of its own and the same deadline."""
        return type(self)(deepcopy(self._backoff, memo), self._retries, self._left)

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> Any:
        """Call `do` until it succeeds, the retries are used up, the deadline has passed, or trying again is no use."""

        def worth_it(error: Exception) -> bool:
            if isinstance(error, AuthenticationError | AuthorizationError):
                return False
            if self._left is not None and self._left() <= 0:
                return False
            return is_retryable is None or is_retryable(error)

        return super().call_with_retry(do, fail, worth_it, with_failure_count)

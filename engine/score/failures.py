"""What algorithms say when they fail: one account for each of them, however many series it could not judge."""

from __future__ import annotations

import inspect
import threading
import traceback
from dataclasses import dataclass
from typing import Final, Self

from ridgeline.io.text import escape, redact

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One failure of an algorithm: in a sentence, and as Python tells it; no `traceback` where nothing was raised."""

    sentence: str
    traceback: str = ""

    @classmethod
    def raised(cls, algorithm: str, error: Exception, where: str = "") -> Self:
        """What a caller hears who called an algorithm and caught this error; `where` ends the sentence."""
        own = (
            error.__traceback__.tb_next if error.__traceback__ is not None else None
        )  # the first frame is the caller's
        place = traceback.extract_tb(own or error.__traceback__)[-1]
        words = f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno})"
        told = "".join(traceback.format_exception(type(error), error, own))
        return cls(escape(redact(f"algorithm {algorithm!r} raised {words}{where}")), redact(told))


_recorded: set[str] = set()
_lock: Final = threading.Lock()


def record_algorithm_error(algorithm_name: str, traceback_format_exc_string: str) -> bool:
    """Log the traceback of an algorithm, the first of each algorithm in this process; whether it was written.

    For algorithms that catch their own errors, as Skyline's do: thousands of series that fail alike are one entry of the
    logger `ridgeline.algorithms`. What a run's own algorithms raise needs no call: it is in the summary and the log.
    """
    with _lock:
        if algorithm_name in _recorded:
            return False
        _recorded.add(algorithm_name)
    import logging  # 5 ms that most starts do not pay

    lines = redact(traceback_format_exc_string).splitlines()
    told = "\n".join(f"    {escape(line)}" for line in lines)
    logging.getLogger("ridgeline.algorithms").error("algorithm %s failed\n%s", escape(algorithm_name), told)
    return True


def get_function_name() -> str:
    """The name of the function that calls this one."""
    frame = inspect.currentframe()
    caller = None if frame is None else frame.f_back
    return UNKNOWN if caller is None else caller.f_code.co_name

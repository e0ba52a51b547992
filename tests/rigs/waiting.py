"""Waiting in tests: for what is to come true, with a generous bound against hanging."""

import time


def until(true, seconds=120):
    """What `true` returns once it is true."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
    return found

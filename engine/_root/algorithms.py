"""Each algorithm, and the helpers of Skyline's own module, callable on one `[(timestamp, value), ...]`.

from ridgeline.algorithms import grubbs

grubbs([(1700000000, 12.5), (1700000060, 13.0)])
"""

from typing import Any

from ridgeline.engine.score import series as _algorithms


def __getattr__(name: str) -> Any:
    return getattr(_algorithms, name)


def __dir__() -> list[str]:
    return dir(_algorithms)

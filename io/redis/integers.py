"""Whether a series is stored as integers: told by its first point, for siblings that are to read numbers as they stand."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import INTEGER_TIMESTAMPS, INTEGER_VALUES
from ridgeline.kernels.decode.layout import SHORTEST_SIZE

_CODES: Final = np.arange(256)
# msgpack: small numbers are their own code; eight codes for integers of one to eight bytes, two for floats.
_SIZED: Final = (_CODES >= 0xCC) & (_CODES <= 0xD3)
_INTEGER: Final = ((_CODES < 0x80) | (_CODES >= 0xE0) | _SIZED).astype(np.uint8)
_SIZE: Final = np.where(
    _SIZED, 1 + (1 << ((_CODES - 0xCC) & 3)), np.where(_CODES == 0xCA, 5, np.where(_CODES == 0xCB, 9, 1))
)


def integers_of(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint8]:
    """uint8[n], as `MetricMatrix.integers`, of the rows `data[starts[i]:ends[i]]` of msgpack pairs; negative starts: none."""
    found = np.zeros(len(starts), np.uint8)
    rows = np.flatnonzero((starts >= 0) & (ends - starts >= SHORTEST_SIZE))
    stamp = data[starts[rows] + 1]
    at = np.minimum(starts[rows] + 1 + _SIZE[stamp], ends[rows] - 1)
    found[rows] = INTEGER_TIMESTAMPS * _INTEGER[stamp] | INTEGER_VALUES * _INTEGER[data[at]]
    return found

"""The proof of where a row stands: its newest pairs, found in the bytes that end a series."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.memory.layout import AHEAD, LAST
from ridgeline.kernels.memory.marks import half
from ridgeline.kernels.memory.seal import ODD_FACTOR, mix

NONE: Final = -1


@exact_kernel
def newest_known(w: np.ndarray) -> int:
    """Return the timestamp of the key's newest point that the row w int64[HOT_WORDS] knows: where rises are judged, it may be none."""
    return w[LAST] + half(w, AHEAD)


@exact_kernel
def mix_pair(t: int, bits: int) -> int:
    """Return 64 bits of one pair: its timestamp and the bits of its value."""
    always_inline()
    return mix(mix(bits, 1) + t * ODD_FACTOR, 2)


@exact_kernel
def proof_of(t: np.ndarray, bits: np.ndarray, start: int, end: int) -> int:
    """Return the sum over the pairs start..end of t int64[n] and of the bits of their values, int64[n]."""
    total = 0
    for i in range(start, end):
        total += mix_pair(t[i], bits[i])
    return total


@exact_kernel
def moved_proof(proof: int, t: np.ndarray, bits: np.ndarray, junction: int, known: int, start: int, end: int) -> int:
    """Return the proof of the pairs start..end, given that of the `known` ones up to the junction; what is in both is not mixed again."""
    first = junction + 1 - known
    if start > junction:
        return proof_of(t, bits, start, end)
    return proof - proof_of(t, bits, first, start) + proof_of(t, bits, junction + 1, end)


@exact_kernel
def find_junction(t: np.ndarray, bits: np.ndarray, count: int, last: int, known: int, proof: int) -> int:
    """Return the place of the newest known pair among the first `count`, so that the `known` up to it prove it; or NONE."""
    for i in range(count - 1, known - 2, -1):
        if t[i] == last and proof_of(t, bits, i + 1 - known, i + 1) == proof:
            return i
    return NONE

"""Proof that this numba calls as we think: an entry with every kind of argument, whose answer is known beforehand.

The calling convention is numba's own and may change with any release. Types alone do not tell: two integers that change
places look the same. So before an entry is made, this one is made and called, in the process that compiles; another
answer than the known one, and numba does the work itself, slower to start, with the same results.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.native.emit import emit
from ridgeline.kernels.native.entries import FAILED, load_object
from ridgeline.kernels.native.signature import Packer
from ridgeline.kernels.native.wrapper import UnbuildableError

SIGNATURE: Final = "i8(i8[::1], f8[:, ::1], u1[::1], i4[::1], f4[:, ::1], f8[::1], i8, f8)"


@exact_kernel
def corner(matrix, factor):
    """The last item of a matrix times a factor, by a kernel that is compiled apart."""
    never_inline()
    return matrix[matrix.shape[0] - 1, matrix.shape[1] - 1] * factor


@exact_kernel
def run(long, matrix, byte, middle, single, out, number, factor):
    """Write what of each argument arrived, sizes and strides included, and return a number that is told from any length."""
    if number < 0:
        raise ValueError("as asked")
    out[0] = long[long.shape[0] - 1] + long.size * 64
    out[1] = corner(matrix, factor)
    out[2] = matrix.shape[0] + matrix.shape[1] * 64 + matrix.size * 4096
    out[3] = matrix.strides[0] + matrix.strides[1] * 64 + matrix.itemsize * 4096
    out[4] = byte[byte.shape[0] - 1] + byte.itemsize * 512
    out[5] = middle[middle.shape[0] - 1] + middle.itemsize * 512
    out[6] = single[single.shape[0] - 1, single.shape[1] - 1] + single.strides[0] * 64
    return number + out.shape[0]


def refuse_another_convention(apart: list[Any]) -> None:
    """UnbuildableError where an object made here does not answer as it must; nothing else has been compiled yet."""
    entry, pack = load_object(emit("probe", run, SIGNATURE, apart), "probe", SIGNATURE), Packer("probe", SIGNATURE)
    out = np.zeros(7)
    arrays = (
        np.arange(1, 4), np.arange(1.0, 11.0).reshape(2, 5), np.array([7, 201], "u1"), np.array([1, 2, 3, -4], "i4"),
        np.arange(6, dtype="f4").reshape(3, 2) / 4, out,
    )  # fmt: skip
    # Without the entry's own judgement of a status: an exception is one of the answers.
    found = [entry._invoke(pack((*arrays, number, 0.5)), ()) for number in (1 << 40, -1)]  # noqa: SLF001 - see above
    expected = [3 + 192, 5.0, 2 + 5 * 64 + 10 * 4096, 40 + 8 * 64 + 8 * 4096, 201 + 512, -4 + 2048, 1.25 + 8 * 64]
    if found != [(1 << 40) + 7, FAILED] or out.tolist() != expected:
        raise UnbuildableError("this numba calls its functions in a way that ridgeline does not know")

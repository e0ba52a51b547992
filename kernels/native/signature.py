"""What an entry takes: numba's signature read into slots, and arguments checked and packed into them.

A signature is a numba signature string, `i8(i8[::1], f8[:, ::1], i8, f8)`: C-contiguous arrays of one or two
dimensions and scalars. `ridgeline.kernels.native.wrapper` says how the slots are laid out.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

_ARRAYS: Final = {"i8": "int64", "f8": "float64", "u1": "uint8", "i4": "int32", "f4": "float32"}
_SCALARS: Final = {"i8": "q", "f8": "d"}
_TYPE: Final = re.compile(r"(\w+)(\[::1\]|\[:, ?::1\])?")


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter: numba's type code, and the dimensions of the array (0 for a scalar)."""

    code: str
    dimensions: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of an array's items."""
        return np.dtype(_ARRAYS[self.code])

    @property
    def item_size(self) -> int:
        """Bytes per item."""
        return int(self.code[1])


def parse(signature: str) -> list[Slot]:
    """Parameters of a signature `i8(...)`; ValueError for a type that entries may not have."""
    outer = re.fullmatch(r"i8\((.*)\)", signature.strip(), re.DOTALL)
    if outer is None:
        raise ValueError(f"an entry's signature must read i8(...), not {signature!r}")
    slots = []
    for text in re.split(r",(?![^\[]*\])", outer[1]):
        found = _TYPE.fullmatch(text.strip())
        code, dimensions = (found[1], (found[2] or "").count(":1") + (found[2] or "").count(",")) if found else ("", 0)
        if code not in (_ARRAYS if dimensions else _SCALARS):
            raise ValueError(f"an entry's signature may not hold {text.strip()!r}: {signature!r}")
        slots.append(Slot(code, dimensions))
    return slots


class Packer:
    """Checks an entry's arguments and packs them into the slots that native code reads."""

    def __init__(self, name: str, signature: str) -> None:
        self.name = name
        slots = parse(signature)
        self._expected = [(slot.dtype if slot.dimensions else None, slot.dimensions) for slot in slots]
        self._pack = struct.Struct(
            "@" + "".join("P" + "q" * slot.dimensions if slot.dimensions else _SCALARS[slot.code] for slot in slots)
        ).pack

    def __call__(self, arguments: tuple[Any, ...]) -> bytes:
        """Pack the arguments; TypeError where one has another dtype, shape or memory layout."""
        values: list[Any] = []
        append, extend = values.append, values.extend
        try:
            for (dtype, dimensions), argument in zip(self._expected, arguments, strict=True):
                if dtype is None:
                    append(argument)
                    continue
                flags = argument.flags
                if (
                    argument.dtype != dtype
                    or argument.ndim != dimensions
                    or not flags.c_contiguous
                    or not flags.aligned
                ):
                    raise TypeError  # noqa: TRY301 - the sentence is made once, below
                append(argument.ctypes.data)
                extend(argument.shape)
            return self._pack(*values)
        except (TypeError, ValueError, AttributeError, struct.error) as error:
            raise TypeError(self._complaint(arguments)) from error

    def _complaint(self, arguments: tuple[Any, ...]) -> str:
        if len(arguments) != len(self._expected):
            return f"kernel entry {self.name} takes {len(self._expected)} arguments, not {len(arguments)}"
        for number, ((dtype, dimensions), argument) in enumerate(zip(self._expected, arguments, strict=True), 1):
            if dtype is None:
                if not isinstance(argument, int | float | np.number):
                    return (
                        f"argument {number} of kernel entry {self.name} must be a number, not {type(argument).__name__}"
                    )
                continue
            wanted = f"a C-contiguous {dtype} array of {dimensions} dimension(s)"
            if not isinstance(argument, np.ndarray):
                return f"argument {number} of kernel entry {self.name} must be {wanted}, not {type(argument).__name__}"
            if argument.dtype != dtype or argument.ndim != dimensions:
                found = f"{argument.dtype} of {argument.ndim}"
                return f"argument {number} of kernel entry {self.name} must be {wanted}, not {found}"
            if not (argument.flags.c_contiguous and argument.flags.aligned):
                return (
                    f"argument {number} of kernel entry {self.name} must be {wanted}; this one is strided or unaligned"
                )
        return f"a number given to kernel entry {self.name} does not fit its type"

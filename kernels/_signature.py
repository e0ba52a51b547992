"""The types that an entry's arguments may have, and its signature from the annotations that use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

# Scalars; arrays of one and of two dimensions, C-contiguous.
Int = Annotated[int, "i8"]
Ints = Annotated[NDArray[np.int64], "i8[::1]"]
IntRows = Annotated[NDArray[np.int64], "i8[:, ::1]"]
ShortIntRows = Annotated[NDArray[np.int32], "i4[:, ::1]"]
ShortInts = Annotated[NDArray[np.int32], "i4[::1]"]
Bytes = Annotated[NDArray[np.uint8], "u1[::1]"]
ByteRows = Annotated[NDArray[np.uint8], "u1[:, ::1]"]
Floats = Annotated[NDArray[np.float64], "f8[::1]"]
FloatRows = Annotated[NDArray[np.float64], "f8[:, ::1]"]
ShortFloatRows = Annotated[NDArray[np.float32], "f4[:, ::1]"]


def signature_of(entry: Any) -> str:
    """The numba signature of an entry's compiled (or, without a compiler, plain) function, `i8(i8[::1], ...)`.

    TypeError where an argument's annotation is none of the types above.
    """
    function: Callable[..., Any] = getattr(entry, "py_func", entry)
    hints = get_type_hints(function, include_extras=True)
    codes: dict[str, str] = {}
    for name, hint in hints.items():
        if not hasattr(hint, "__metadata__"):
            raise TypeError(f"{function.__module__}.{function.__name__}: {name} has no type that entries may have")
        codes[name] = hint.__metadata__[0]
    returned = codes.pop("return")
    return f"{returned}({', '.join(codes.values())})"

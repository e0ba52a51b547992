"""Tables of numbers kept beside the machine code: float64[n] after a SHA-256 of its bytes."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ridgeline.kernels.native.folder import Folder
from ridgeline.kernels.native.seal import MOST_CODE

Floats = NDArray[np.float64]


def read_table(folder: Folder, name: str) -> Floats:
    """The table, read-only; OSError where there is none, ValueError where it is damaged."""
    content = folder.read(f"{name}.table", MOST_CODE)
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        raise ValueError("the checksum does not match")
    return np.frombuffer(content[32:], np.float64)


def write_table(folder: Folder, name: str, table: Floats) -> None:
    """Keep float64[n], atomically; OSError where that cannot be done."""
    content = np.ascontiguousarray(table, np.float64).tobytes()
    folder.write(f"{name}.table", hashlib.sha256(content).digest() + content)

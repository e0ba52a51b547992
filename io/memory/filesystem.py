"""Kinds of file systems that no memory is kept on: those whose files may be gone for longer than any deadline."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Final

# `f_type` of statfs(2), from linux/magic.h and the kernel's own sources, and what people call it.
_FAR: Final = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB",
    0x65735546: "FUSE",
    0x01021997: "9p",
    0x73757245: "Coda",
    0x5346414F: "AFS",
    0x6B414653: "AFS",
    0x00C36400: "Ceph",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x7461636F: "OCFS2",
    0x01161970: "GFS2",
    0x19830326: "BeeGFS",
    0x564C: "NCP",
    0x786F4256: "VirtualBox",
    0xBACBACBC: "VMware",
}
_ENOUGH: Final = 256  # bytes: more than any struct statfs


def far_kind(descriptor: int) -> str | None:
    """What kind of network or user-space file system an open file or folder lies on; None for a local one. Raises OSError."""
    return _FAR.get(magic(descriptor))


def magic(descriptor: int) -> int:
    """The number of the kind of file system that an open file or folder lies on. Raises OSError."""
    answer = ctypes.create_string_buffer(_ENOUGH)
    if _fstatfs()(descriptor, answer):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    # The first member: a long, of which 32 bits are used.
    return ctypes.c_long.from_buffer_copy(answer.raw).value & 0xFFFFFFFF


@cache
def _fstatfs() -> ctypes._NamedFuncPointer:
    function = ctypes.CDLL(None, use_errno=True).fstatfs
    function.argtypes = [ctypes.c_int, ctypes.c_char_p]
    return function

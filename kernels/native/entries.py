"""A callable kernel entry, and the three ways to get one: from a library, from an object, through numba itself."""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ridgeline.kernels.native.signature import Packer, parse

FAILED: Final = -(2**63)  # what native code returns where numba reports an exception; no entry returns it itself
_SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True)
class Entry:
    """A callable kernel entry: `entry(*arguments) -> int`; `origin` is "library", "object" or "numba"."""

    name: str
    origin: str
    _packer: Packer
    _invoke: Callable[[bytes, tuple[Any, ...]], int]

    def __call__(self, *arguments: Any) -> int:
        """Run the entry; TypeError for arguments of another kind, RuntimeError where the code reports an exception."""
        return self.bound(*arguments)()

    def bound(self, *arguments: Any) -> Callable[[], int]:
        """The entry with these arguments, checked once and kept: for who calls it again and again over the same memory."""
        packed = self._packer(arguments)

        def run() -> int:
            status = self._invoke(packed, arguments)
            if status == FAILED:
                raise RuntimeError(f"kernel entry {self.name} failed: the code reports an exception")
            return status

        return run


def load_library(code: bytes, name: str, signature: str) -> Entry:
    """Entry from the bytes of a shared library; OSError or AttributeError where they cannot be loaded or lack the symbol.

    The loader reads them from sealed memory, not from the file: what was checked is what runs, whatever happens to
    the file, and a file system mounted noexec is no obstacle.
    """
    packer = Packer(name, signature)
    descriptor = os.memfd_create(f"ridgeline_{name}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as memory:
            memory.write(code)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        library = ctypes.CDLL(f"/proc/self/fd/{descriptor}")
    except OSError:
        os.close(descriptor)
        raise
    # The descriptor stays open as long as the code, for ever: the loader knows libraries by their paths, and would
    # take another one under a number used again for this one.
    function = getattr(library, f"ridgeline_{name}")
    function.argtypes, function.restype = [ctypes.c_char_p], ctypes.c_int64
    return Entry(name, "library", packer, lambda packed, _: function(packed))


def load_object(code: bytes, name: str, signature: str) -> Entry:
    """Entry from a relocatable object, through llvmlite's loader: no linker needed, and no right to map files."""
    import llvmlite.binding as llvm  # noqa: PLC0415 - 0.1 s that most starts do not pay

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(f"ridgeline_{name}")
    if not address:
        raise OSError(f"the native object of kernel entry {name} lacks its symbol")
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_char_p)(address)

    def invoke(packed: bytes, _: tuple[Any, ...], keep: Any = engine) -> int:  # noqa: ARG001 - the engine owns the code
        return int(function(packed))

    return Entry(name, "object", Packer(name, signature), invoke)


def load_numba(run: Callable[..., int], name: str, signature: str) -> Entry:
    """Entry through numba itself, compiled in memory: the slow start that always works."""
    if hasattr(run, "compile"):  # NUMBA_DISABLE_JIT leaves a plain function
        run.compile(signature)
    exact = [_writable if slot.dimensions else float if slot.code == "f8" else int for slot in parse(signature)]

    def invoke(_: bytes, arguments: tuple[Any, ...]) -> int:
        # Exactly the signature's types, or numba would compile the entry anew.
        return int(run(*(convert(argument) for convert, argument in zip(exact, arguments, strict=True))))

    return Entry(name, "numba", Packer(name, signature), invoke)


def _writable(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A writable view of a read-only array (Arrow's buffers are such): numba types them apart, native code does not."""
    if array.flags.writeable:
        return array
    memory = (ctypes.c_char * array.nbytes).from_address(array.ctypes.data)
    return np.ndarray(array.shape, array.dtype, buffer=memoryview(memory))

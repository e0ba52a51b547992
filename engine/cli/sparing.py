"""What the command line spares its process before libraries are imported: threads, and modules that hardly any command uses.

The library spares nothing: a program that imports it may want both.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final

# What OpenBLAS reads. It starts a thread for each core when numpy is imported, and they spin.
_BLAS_THREADS: Final = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
SPARED: Final[set[str]] = set()  # names in this process's environment that its user has not given it
# What `import redis` imports for other programs: a second client, and what would tell servers the library's version.
_WAITING: Final = frozenset({"redis.asyncio", "importlib.metadata"})


def spare() -> None:
    """Spare what the user has not asked for."""
    if not any(name in os.environ for name in _BLAS_THREADS):
        os.environ[_BLAS_THREADS[0]] = "1"
        SPARED.add(_BLAS_THREADS[0])
    sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds the packages that are to wait until somebody uses them."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """The spec of such a package; None for all else, which other finders find."""
        spec = PathFinder.find_spec(name, path, target) if name in _WAITING else None
        if spec is not None and spec.loader is not None:
            waiting: Any = _Waiting(spec.loader)
            spec.loader = waiting
        return spec


class _Waiting:
    """Stands in for a package's loader, whose work is done when the package is first used."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The package, its code not run."""
        return Deferred(spec.name, self._loader)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing yet."""


class Deferred(ModuleType):
    """A package whose code runs when somebody asks for a name that it lacks; the modules in it are imported as ever."""

    def __init__(self, name: str, loader: Any) -> None:
        super().__init__(name)
        self._waiting, self._lock = loader, threading.RLock()

    def __getattr__(self, name: str) -> Any:
        """What the package has by that name once its code has run; other threads wait for it, its own code does not."""
        known = self.__dict__
        if not name.startswith("_"):
            with known["_lock"]:
                loader, known["_waiting"] = known["_waiting"], None
                if loader is not None:
                    loader.exec_module(self)
                if name in known:
                    return known[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

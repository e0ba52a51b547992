"""The process that compiles one entry: machine code, the library linked from it, and what is known of both."""

from __future__ import annotations

import hashlib
import importlib
import os
import time
from pathlib import Path
from typing import Any, Final

from ridgeline.kernels.native.children import die_with, tell
from ridgeline.kernels.native.link import link
from ridgeline.kernels.native.seal import Facts, Known, seal
from ridgeline.kernels.native.wrapper import UnbuildableError

# How a private part of numba that is gone, or not as it was, makes itself felt.
_CHANGED: Final = (ImportError, AttributeError, TypeError, LookupError, RuntimeError, ValueError, AssertionError)


def main(request: dict[str, Any]) -> None:
    """Write NAME.o, NAME.so (where a linker made one that loads) and NAME.json into `folder`, and facts.json if asked.

    Where they cannot be written, it ends by telling so: `unusable`.
    """
    die_with(request["parent"])
    os.umask(0o077)
    channel = os.dup(1)
    os.dup2(2, 1)  # what numba prints goes to the log
    folder = Path(request["folder"])
    try:
        known = _compile(request["name"], request["module"], folder)
        if "facts" in request:
            (folder / "facts.json").write_bytes(seal(read_facts(request["facts"])))
        (folder / f"{request['name']}.json").write_bytes(known.sealed())
    except OSError as error:
        tell(channel, unusable=error.strerror or str(error))


def _compile(name: str, module: str, folder: Path) -> Known:
    """Make an entry's files; what cannot be made cannot be made until the stamp changes, and is kept as such."""
    started = time.perf_counter()
    try:
        code, signature = _emit(name, module)
    except (UnbuildableError, *_CHANGED) as error:
        why = str(error) if isinstance(error, UnbuildableError) else f"{type(error).__name__}: {error}"
        return Known(unbuildable=why)
    (folder / f"{name}.o").write_bytes(code)
    library = link(name, signature, folder)
    return Known(
        signature,
        code=hashlib.sha256(code).hexdigest(),
        library="" if library is None else hashlib.sha256(library).hexdigest(),
        seconds=round(time.perf_counter() - started, 2),
    )


def _emit(name: str, module: str) -> tuple[bytes, str]:
    """The entry's object and signature, made by a numba that has shown that it calls as we think."""
    from ridgeline.kernels.native import emit, probe  # noqa: PLC0415 - where numba's private parts are gone, this fails

    apart = emit.hurry()
    probe.refuse_another_convention(apart)
    loaded = importlib.import_module(module)
    return emit.emit(name, loaded.run, loaded.SIGNATURE, apart), loaded.SIGNATURE


def read_facts(where: str) -> Facts:
    """Facts per algorithm, in the registry's order; `where` is "module:function" returning name -> Algorithm."""
    module, function = where.split(":")
    algorithms = getattr(importlib.import_module(module), function)()
    return {
        name: {
            "summary": found.summary,
            "min_points": found.min_points,
            "threshold": float(found.threshold),
            "cost": found.cost,
        }
        for name, found in algorithms.items()
    }

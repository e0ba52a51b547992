"""From an object to a shared library, with whatever linker there is."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from ridgeline.kernels.native.entries import load_library


def link(name: str, signature: str, folder: Path) -> bytes | None:
    """Link NAME.o to NAME.so and return its bytes; None where no linker makes a library that loads here."""
    library = folder / f"{name}.so"
    # With libm named, `exp` binds to its current version, as in the JIT; without, to the oldest one.
    for extra in (["-l:libm.so.6"], []):
        for tool, alone in (("ld", []), ("cc", ["-nostdlib"])):
            linker = shutil.which(tool)
            if linker is None:
                continue
            command = [linker, "-shared", *alone, "-o", str(library), str(folder / f"{name}.o"), *extra]
            done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - a fixed command
            if done.returncode == 0:
                code = library.read_bytes()
                with contextlib.suppress(OSError, AttributeError):  # an undefined name, no /proc
                    load_library(code, name, signature)
                    return code
    library.unlink(missing_ok=True)
    return None

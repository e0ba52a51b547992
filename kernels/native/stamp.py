"""The stamp: a hash of everything that machine code depends on, so that nothing kept under it is ever stale.

The sources, the versions of Python, numba, numpy, llvmlite and scipy, the CPU, numba's flags: what changes gets another
stamp, and several machines may share one home.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

STAMP: Final = re.compile(r"[0-9a-f]{24}")
_VERSIONED: Final = ("numba", "numpy", "llvmlite", "scipy")
# What tells one CPU from another, on x86 and on ARM.
_CPU: Final = (
    "vendor_id", "cpu family", "model", "model name", "stepping", "flags",
    "Features", "CPU implementer", "CPU architecture", "CPU variant", "CPU part",
)  # fmt: skip
# numba's settings that change no code.
_HARMLESS: Final = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER", "NUMBA_THREADING_LAYER_PRIORITY")


def stamp(sources: Iterable[Path], extra: str, environ: Mapping[str, str]) -> str:
    """Hash of all that the machine code depends on; `sources` are Python files and folders of them."""
    digest = hashlib.sha256(extra.encode())
    for source in sources:
        for path in _python_files(source):
            digest.update(f"\0{os.path.relpath(path, source)}\0".encode())
            digest.update(Path(path).read_bytes())
    flags = sorted((k, v) for k, v in environ.items() if k.startswith("NUMBA_") and k not in _HARMLESS)
    versions = [(package, version(package)) for package in _VERSIONED]
    facts = (flags, versions, sys.implementation.cache_tag, sys.version_info[:3], sys.platform, cpu())
    digest.update(repr(facts).encode())
    return digest.hexdigest()[:24]


def _python_files(source: Path) -> list[str]:
    if source.is_file():
        return [str(source)]
    found = [os.path.join(folder, name) for folder, _, names in os.walk(source) for name in names]  # noqa: PTH118 - speed
    return sorted(path for path in found if path.endswith(".py"))


def version(package: str) -> str:
    """Version by the name of the dist-info folder, without importing anything; else by the package's own file."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return "none"
    with contextlib.suppress(PermissionError):  # a folder that may be entered, not listed
        for name in sorted(os.listdir(Path(spec.origin).parent.parent)):  # noqa: PTH208 - speed
            if name.startswith(f"{package}-") and name.endswith((".dist-info", ".egg-info")):
                return name
    found = Path(spec.origin).stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Model and flags of the first CPU; elsewhere than on Linux what `uname` says."""
    try:
        first = cpuinfo.read_text(errors="replace").split("\n\n", 1)[0]
    except OSError:
        return repr(os.uname()[-1:])
    pairs = (line.partition(":") for line in first.splitlines())
    return "\n".join(f"{key.strip()}={value.strip()}" for key, _, value in pairs if key.strip() in _CPU) or repr(
        os.uname()[-1:]
    )

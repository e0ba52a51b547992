"""What a backtest says of itself: configuration, data, versions, counts, checksums."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ridgeline.io.parquet.files import DataFile


def digest(document: Any) -> str:
    """sha256 of a JSON-able document in canonical form."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def checksum(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fingerprint(files: Iterable[DataFile], origins: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Name, size and sha256 of the footer of each file: a footer holds the place, size and statistics of every column.

    Of `origins` in other formats, name and size; then the same of the copies that are read in their place.
    """
    copied = origins is not None
    sources = [{"file": Path(path).name, "bytes": _size(path)} for path in origins or ()]
    return sources + [
        {"file": "copy" if copied else Path(file.path).name, "bytes": file.size, "footer_sha256": file.footer}
        for file in files
    ]


def _size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except OSError:
        return None  # on another machine, or gone by now


def versions() -> dict[str, str]:
    """Versions of what computes the results."""
    from ridgeline import __version__

    libraries = {name: version(name) for name in ("numba", "numpy", "pyarrow", "scipy")}
    return {"ridgeline": __version__, "python": platform.python_version(), **libraries}


def cpu() -> str:
    """The processor's model, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def add_counts(many: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Sum of counts by key, keys sorted."""
    total: dict[str, int] = {}
    for counts in many:
        for key, count in counts.items():
            total[key] = total.get(key, 0) + count
    return dict(sorted(total.items()))

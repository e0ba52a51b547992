"""What makes two runs the same run: the metrics they would read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ridgeline.engine.config.model import Source
from ridgeline.engine.run.sources import redis_settings
from ridgeline.io.text import redact

# A Redis that listens on this machine is named either way. Other names are not resolved: that may take time, and two
# runs that wrongly took each other for the same would keep each other out.
LOOPBACK: Final = {"localhost": "127.0.0.1"}


def identity(source: Source) -> str:
    """Text that names the source, without secrets: the same for every spelling of one address, as far as text tells."""
    if source.kind == "parquet":
        return f"parquet {redact(source.path) if '://' in source.path else Path(source.path).resolve()}"
    place = redis_settings(source).place()
    if place.path is not None:
        where = str(Path(place.path).resolve())
    else:
        host = place.host.rstrip(".")
        where = f"{LOOPBACK.get(host, host)}:{place.port}"
    return f"redis {where} {place.database} {source.namespace}"

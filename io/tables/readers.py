"""The reader of each format."""

from __future__ import annotations

from typing import Final

from ridgeline.io.tables import arrow_files, delimited, json_array, json_lines, msgpack
from ridgeline.io.tables.formats import ARRAY, ARROW, CSV, LINES, MSGPACK, PARQUET, STREAM
from ridgeline.io.tables.reading import Read

READERS: Final[dict[str, Read]] = {
    PARQUET: arrow_files.read_parquet,
    ARROW: arrow_files.read_ipc,
    STREAM: arrow_files.read_stream,
    CSV: delimited.read,
    LINES: json_lines.read,
    ARRAY: json_array.read,
    MSGPACK: msgpack.read,
}
UNTYPED: Final = frozenset({CSV, LINES, ARRAY})  # their cells may be of any type

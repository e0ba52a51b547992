"""What a file is: by its first bytes, which do not lie; its name counts only where they leave a choice, and in folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ridgeline.io.errors import InputError

PARQUET: Final = "Parquet"
ARROW: Final = "Arrow"
STREAM: Final = "an Arrow stream"
CSV: Final = "CSV"
LINES: Final = "JSON lines"
ARRAY: Final = "a JSON array"
MSGPACK: Final = "msgpack"

SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    PARQUET: (".parquet", ".parq", ".pq"),
    ARROW: (".arrow", ".feather", ".ipc", ".arrows"),
    CSV: (".csv", ".tsv"),
    LINES: (".jsonl", ".ndjson", ".json"),
    MSGPACK: (".msgpack", ".mpk"),
}
COMPRESSED: Final = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}
CODECS: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\x04\x22\x4d\x18": "lz4"}
READ: Final = "Parquet, Arrow, CSV or JSON lines"
FOREIGN: Final = {
    b"PK\x03\x04": "a zip archive or a spreadsheet: unpack it, or save it as CSV",
    b"FEA1": "Feather of version 1: write it anew as Feather of version 2",
    b"\xfd7zXZ": "compressed with xz: compress it with gzip, zstd or bzip2",
    b"SQLite format 3": "an SQLite database: export its table as CSV",
    b"Obj\x01": f"Avro: write it as {READ}",
    b"ORC": f"ORC: write it as {READ}",
    b"\x89HDF": f"HDF5: write it as {READ}",
    b"\xff\xfe": "text in UTF-16: save it as UTF-8",
    b"\xfe\xff": "text in UTF-16: save it as UTF-8",
    b"<": "HTML or XML: save it as CSV",
}
BOM: Final = b"\xef\xbb\xbf"
BLANK: Final = b" \t\r\n"
MARKS: Final = {b"PAR1": PARQUET, b"ARROW1": ARROW, b"\xff\xff\xff\xff": STREAM}
TEXTS: Final = {b"{": LINES, b"[": ARRAY}
MSGPACK_ARRAYS: Final = {0xDC: 3, 0xDD: 5}  # bytes before the first item, where the length is not in the first byte


def codec_of(head: bytes) -> str | None:
    """The compression of a file that begins so."""
    return next((codec for mark, codec in CODECS.items() if head.startswith(mark)), None)


def format_of(head: bytes, path: str) -> str:
    """The format of a file whose content, no longer compressed, begins so. Raises InputError for what nobody here reads."""
    if not head:
        raise InputError(f"{path}: it is empty; it may be being written")
    for mark, kind in MARKS.items():
        if head.startswith(mark):
            return kind
    for mark, what in FOREIGN.items():
        if head.startswith(mark):
            raise InputError(f"{path}: it is {what}")
    if codec_of(head):
        raise InputError(f"{path}: it is compressed twice: unpack it once")
    if _is_msgpack(head):
        return MSGPACK
    if b"\0" in head and not _is_text(head):
        raise InputError(f"{path}: it does not look like a table: give {READ}")
    return TEXTS.get(head.removeprefix(BOM).lstrip(BLANK)[:1], CSV)


def kind_of(name: str) -> str | None:
    """The format that a file's name speaks of, whatever it is compressed with."""
    lowered = name.lower()
    for suffix in COMPRESSED:
        lowered = lowered.removesuffix(suffix)
    return next((kind for kind, suffixes in SUFFIXES.items() if lowered.endswith(suffixes)), None)


def of_one_kind(names: Iterable[str], folder: str) -> list[str]:
    """Of the files of a folder those to read: Parquet where there is some, else all, which must be of one format."""
    by_kind: dict[str, list[str]] = {}
    for name in names:
        kind = kind_of(name)
        if kind is not None:
            by_kind.setdefault(kind, []).append(name)
    if PARQUET in by_kind:
        return by_kind[PARQUET]
    if len(by_kind) > 1:
        shown = " and ".join(f"{len(found):,} of {kind}" for kind, found in sorted(by_kind.items()))
        raise InputError(f"{folder} holds files of several formats ({shown}): say which by a glob, as '{folder}/*.csv'")
    return next(iter(by_kind.values()), [])


def endings() -> str:
    """The names that are looked for in folders, for sentences."""
    return ", ".join(suffix for suffixes in SUFFIXES.values() for suffix in suffixes[:1])


def _is_msgpack(head: bytes) -> bool:
    """An array whose first item is a map: what Graphite renders."""
    at = 1 if 0x90 <= head[0] <= 0x9F else MSGPACK_ARRAYS.get(head[0], len(head))
    return at < len(head) and (0x80 <= head[at] <= 0x8F or head[at] in {0xDE, 0xDF})


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character cut in two
    return head.count(b"\0") * 16 < len(head)

"""Which columns a table must have, and of which types: the two layouts, and a sentence for whatever is neither."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from ridgeline.io.errors import InputError
from ridgeline.io.text import truncate

NEEDED: Final = ("metric", "timestamp", "value")
SHOWN: Final = 20  # names of columns in a sentence
LONGEST: Final = 80  # bytes of one of them
AS_NAMED: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a schema holds: `lists` (one metric per row), `seconds` (timestamps carry their unit), `as_of` (column)."""

    lists: bool
    seconds: bool
    as_of: bool

    @property
    def columns(self) -> list[str]:
        """The columns to read; any others are left alone."""
        return [*NEEDED, "as_of"] if self.as_of else list(NEEDED)


def layout_of(schema: pa.Schema, where: str = "the table", called: Mapping[str, str] = AS_NAMED) -> Layout:
    """The layout of a schema, or InputError saying what is wrong, where, and what was expected.

    `called`: what columns are called in the file, where the schema has them by other names.
    """
    missing = [name for name in NEEDED if name not in schema.names]
    if missing:
        raise absent(missing, [called.get(name, name) for name in schema.names], where, called)
    for name in schema.names:
        if name in (*NEEDED, "as_of") and schema.names.count(name) > 1:
            raise InputError(
                f"{where}: column {called.get(name, name)} is there {schema.names.count(name)} times; keep one"
            )
    types = {name: schema.field(name).type for name in schema.names if name in (*NEEDED, "as_of")}
    if not is_text(types["metric"]):
        raise InputError(f"{where}: column {called.get('metric', 'metric')} is {types['metric']}; it must be string")
    lists = [_is_list(types[name]) for name in ("timestamp", "value")]
    if lists[0] != lists[1]:
        raise InputError(
            f"{where}: {' and '.join(f'{called.get(name, name)} is {types[name]}' for name in NEEDED[1:])}; either both are lists "
            "(one metric per row) or neither (one point per row)"
        )
    stamp, value = (types[name].value_type if lists[0] else types[name] for name in ("timestamp", "value"))
    for name, kind in (("timestamp", stamp), ("as_of", types.get("as_of", pa.int64()))):
        if not _is_time(kind):
            raise InputError(
                f"{where}: column {called.get(name, name)} holds {kind}; it must be epoch seconds (or ms, us) as a number, or timestamp"
            )
    if not is_number(value):
        raise InputError(f"{where}: column {called.get('value', 'value')} holds {value}; it must be a number")
    return Layout(lists[0], pa.types.is_timestamp(stamp), "as_of" in types)


def absent(
    missing: Sequence[str], found: Sequence[str], where: str, called: Mapping[str, str] = AS_NAMED
) -> InputError:
    """The error for a table that lacks columns: the roles that are missing, the names that it has."""
    lacking, needed = ([called.get(role, role) for role in roles] for roles in (missing, NEEDED))
    return InputError(
        f"{where}: no column {' or '.join(lacking)} (found: {listed(found)}); needed are {', '.join(needed)}, "
        "or say what stands for them by --columns, --wide or --metric"
    )


def listed(names: Sequence[str]) -> str:
    """Names of columns as part of a sentence."""
    shown = [truncate(name if name == name.strip() else repr(name), LONGEST) for name in names[:SHOWN]]
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(shown) + more or "no columns"


def is_whole(kind: pa.DataType) -> bool:
    """Whole numbers, plain or dictionary-encoded: they may name metrics."""
    return bool(pa.types.is_integer(kind.value_type if pa.types.is_dictionary(kind) else kind))


def is_text(kind: pa.DataType) -> bool:
    """String or bytes, plain or dictionary-encoded."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary,
              pa.types.is_large_binary, pa.types.is_null)  # fmt: skip
    return any(check(kind) for check in checks)


def text_within(kind: pa.DataType) -> bool:
    """Text somewhere within lists, maps or structs."""
    inside = [kind.field(i).type for i in range(kind.num_fields)]
    return any(is_text(one) or text_within(one) for one in inside)


def _is_list(kind: pa.DataType) -> bool:
    checks: Iterable[Any] = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list,
                             pa.types.is_list_view, pa.types.is_large_list_view)  # fmt: skip
    return any(check(kind) for check in checks)


def _is_time(kind: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_timestamp, pa.types.is_null)
    return any(check(kind) for check in checks)


def is_number(kind: pa.DataType) -> bool:
    """Whether values may be of this type."""
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(check(kind) for check in checks)

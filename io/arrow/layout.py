"""Which columns a table must have, and of which types: the two layouts, and a sentence for whatever is neither."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from ridgeline.io.errors import InputError

NEEDED: Final = ("metric", "timestamp", "value")
SHOWN: Final = 20  # names of columns in a sentence


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


def layout_of(schema: pa.Schema, where: str = "the table") -> Layout:
    """The layout of a schema, or InputError saying what is wrong, where, and what was expected."""
    missing = [name for name in NEEDED if name not in schema.names]
    if missing:
        raise absent(missing, schema.names, where)
    for name in schema.names:
        if name in (*NEEDED, "as_of") and schema.names.count(name) > 1:
            raise InputError(f"{where}: column {name} is there {schema.names.count(name)} times; keep one")
    types = {name: schema.field(name).type for name in schema.names if name in (*NEEDED, "as_of")}
    if not is_text(types["metric"]):
        raise InputError(f"{where}: column metric is {types['metric']}; it must be string")
    lists = [_is_list(types[name]) for name in ("timestamp", "value")]
    if lists[0] != lists[1]:
        raise InputError(
            f"{where}: timestamp is {types['timestamp']} and value is {types['value']}; either both are lists "
            "(one metric per row) or neither (one point per row)"
        )
    stamp, value = (types[name].value_type if lists[0] else types[name] for name in ("timestamp", "value"))
    for name, kind in (("timestamp", stamp), ("as_of", types.get("as_of", pa.int64()))):
        if not _is_time(kind):
            raise InputError(
                f"{where}: column {name} holds {kind}; it must be epoch seconds (or ms, us) as a number, or timestamp"
            )
    if not is_number(value):
        raise InputError(f"{where}: column value holds {value}; it must be a number")
    return Layout(lists[0], pa.types.is_timestamp(stamp), "as_of" in types)


def absent(missing: Sequence[str], found: Sequence[str], where: str) -> InputError:
    """The error for a table that lacks columns."""
    shown = ", ".join(found[:SHOWN]) + (f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else "")
    return InputError(
        f"{where}: no column {' or '.join(missing)} (found: {shown or 'no columns'}); needed are metric, timestamp, value, "
        "or say what stands for them by --columns, --wide or --metric"
    )


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

"""Options of the commands that read tables: what their columns are, and what a series is called."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import Final

from ridgeline.engine.cli.parser import labels, named, option
from ridgeline.io.errors import InputError
from ridgeline.io.tables.shape import ROLES, Shape

READS: Final = "Parquet, Arrow / Feather, CSV or JSON lines, compressed or not; a file, a folder or a glob"
_NEXT: Final = re.compile(rf",(?=(?:{'|'.join(ROLES)}|score)=)")


def add_shape(parser: argparse.ArgumentParser, *, value: str = "value", series: str = "--metric") -> None:
    """Declare the options; `value` is what a point's number is called here, `series` the option that names the only one."""
    add = parser.add_argument
    add(
        "--columns",
        type=option(parse_columns),
        default={},
        metavar="NAMES",
        help=f"what columns are called in the input: metric=NAME,timestamp=NAME,{value}=NAME",
    )
    add(
        "--wide",
        action="store_true",
        help="one column per metric; the first one is the time, or that of --columns timestamp=NAME",
    )
    add(
        series,
        dest="series",
        type=named,
        metavar="NAME",
        help="the input is one series without a column that names it, and is called NAME",
    )
    add(
        "--labels-from",
        type=labels,
        metavar="NAMES",
        help='columns (structs and maps too) or key=value folders that become part of the name: cpu{host="web1"}; '
        "'' passes over them. Without it, series of one name that would merge are refused",
    )


def shape_of(args: argparse.Namespace, labels_from: tuple[str, ...] | None = None, *, value: str = "value") -> Shape:
    """The shape that these options mean; `labels_from` where they name no labels. Raises InputError."""
    columns = {"value" if role == value else role: name for role, name in args.columns.items()}
    if value != "value" and not args.wide:
        columns.setdefault("value", value)
    return Shape(columns, args.wide, args.labels_from, args.series).labelled(labels_from)


def parse_columns(text: str) -> Mapping[str, str]:
    """The columns of `metric=A,timestamp=B`; names may have commas and equals signs in them. Raises InputError."""
    pairs = [part.partition("=") for part in _NEXT.split(text)]
    found = {role.strip(): name for role, _, name in pairs}
    if len(found) < len(pairs) or not all(equals for _, equals, _ in pairs):
        raise InputError(f"{text!r}: write metric=NAME,timestamp=NAME, each once")
    return found

"""Runs: stretches of consecutive points of one metric. Names are looked at once per run, never once per point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, nulls, strings, view

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a block of points.

    `names` string[m], distinct, as a rule in first-seen order; `codes` int64[r] into them, -1 for a null name; run i is the
    points `starts[i]:starts[i+1]` (int64[r+1]).
    """

    names: pa.StringArray
    codes: Ints
    starts: Ints

    @property
    def clustered(self) -> bool:
        """Every metric is one run, in the order of the names, none is null."""
        return len(self.codes) == len(self.names) and bool((self.codes == np.arange(len(self.codes))).all())


def runs_of(chunks: Iterable[pa.Array], starts: Ints | None = None) -> Runs:
    """The runs of a metric column. `starts` says where each of its values begins, if a value stands for many points.

    Raises ArrowInvalid for a dictionary that lacks a value.
    """
    names, codes, begins, seen, length = [], [], [], 0, 0
    for chunk in chunks:
        local, local_codes, local_starts = _runs_in(chunk, merge=starts is None)
        names.append(local)
        codes.append(
            np.where(local_codes >= 0, local_codes + seen, -1) if seen else local_codes.astype(np.int64, copy=False)
        )
        begins.append(local_starts[:-1] + length if length else local_starts[:-1])
        seen += len(local)
        length += len(chunk)
    if not names:
        return Runs(strings([]), np.empty(0, np.int64), np.zeros(1, np.int64))
    if len(names) == 1 and len(set(names[0].to_pylist())) == seen:  # as a rule; Arrow would do, but imports more
        return Runs(names[0], codes[0], np.append(begins[0], length) if starts is None else starts)
    encoded = pa.concat_arrays(names).dictionary_encode()
    code = np.concatenate(codes)
    code = np.where(code >= 0, view(encoded.indices)[code], -1) if seen else code
    begin = np.append(np.concatenate(begins), length)
    if starts is not None:
        return Runs(encoded.dictionary, code, starts)
    fresh = changes(code)  # a run may go on in the next chunk
    return Runs(encoded.dictionary, code[fresh], np.append(begin[fresh], length))


def changes(codes: NDArray[Any]) -> Ints:
    """Positions where a code differs from the one before it, the first included."""
    if not len(codes):
        return np.empty(0, np.int64)
    return np.append(0, np.flatnonzero(codes[1:] != codes[:-1]) + 1)


def stable_order(codes: Ints) -> Ints:
    """The permutation that sorts codes (0 and up) and keeps the order of equals: numpy's radix sort, 16 bits a pass."""
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    shift = 16
    top = int(codes.max()) if len(codes) else 0
    while top >> shift:
        order = order[np.argsort((codes[order] >> shift).astype(np.uint16), kind="stable")]
        shift += 16
    return order


def points_in(starts: Ints, lengths: Ints) -> Ints:
    """The positions of the points of these runs, run after run."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(int(ends[-1]) if len(ends) else 0)


def _runs_in(chunk: pa.Array, *, merge: bool) -> tuple[pa.StringArray, Ints, Ints]:
    """Distinct names in order of appearance, code and start of each run of one chunk (of each value without merge)."""
    if not pa.types.is_dictionary(chunk.type):
        if merge and not pa.types.is_null(chunk.type):
            import pyarrow.compute as pc

            ends = pc.run_end_encode(_taken(chunk), run_end_type=pa.int64())
            starts = np.append(0, view(ends.run_ends))
            encoded = ends.values.dictionary_encode()
            return text_of(encoded.dictionary), _codes(encoded.indices), starts
        chunk = _taken(chunk).dictionary_encode()
    return _runs_in_codes(_taken(chunk.dictionary), _codes(chunk.indices), merge=merge)


def _taken(names: pa.Array) -> pa.Array:
    """Names in a type that Arrow can take from and run-end encode: it has no kernels for views yet."""
    return names.cast(pa.large_string()) if pa.types.is_string_view(names.type) else names


def _runs_in_codes(dictionary: pa.Array, codes: Ints, *, merge: bool) -> tuple[pa.StringArray, Ints, Ints]:
    """As `_runs_in`, from a dictionary that may hold unused values, equal values and null."""
    length = len(codes)
    starts = changes(codes) if merge else np.arange(length)
    codes = codes[starts].astype(np.int64)
    low, high = (int(codes.min()), int(codes.max())) if length else (0, -1)
    if low < -1 or high >= len(dictionary):
        raise pa.ArrowInvalid(f"dictionary index {high if low >= -1 else low} in a dictionary of {len(dictionary)}")
    if dictionary.null_count:
        absent = nulls(dictionary)
        assert absent is not None
        codes[absent[codes] & (codes >= 0)] = -1
        low = -1
    named = codes if low >= 0 else codes[codes >= 0]
    first = np.full(len(dictionary), -1, np.int64)
    first[named[::-1]] = np.arange(len(named))[::-1]  # of equal indices the last written stays: the first seen
    used = np.flatnonzero(first >= 0)
    used = used[np.argsort(first[used])]
    rank = np.full(len(dictionary) + 1, -1, np.int64)  # its last place serves code -1
    rank[used] = np.arange(len(used))
    if len(used) < len(dictionary) or (np.diff(used) < 0).any():
        dictionary = dictionary.take(arrow(used))
    return text_of(dictionary), rank[codes], np.append(starts, length)


def text_of(names: pa.Array) -> pa.StringArray:
    """Names as valid UTF-8 strings: bytes that are none are shown as backslash escapes, so that no name is lost."""
    if pa.types.is_null(names.type):
        return pa.nulls(len(names), pa.string())
    try:
        text = names if pa.types.is_string(names.type) else names.cast(pa.string())
        text.validate(full=True)
    except pa.ArrowInvalid:
        raw = names.cast(pa.large_binary()).to_pylist()
        return strings(None if name is None else name.decode(errors="backslashreplace") for name in raw)
    return text


def _codes(indices: pa.Array) -> NDArray[Any]:
    """Dictionary indices, -1 where null."""
    absent = nulls(indices)
    return view(indices) if absent is None else np.where(absent, -1, view(indices).astype(np.int64))

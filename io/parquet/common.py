"""What all files of a dataset share: one layout, and one type for each column, into which every batch is brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.arrow.columns import as_of_values
from ridgeline.io.arrow.layout import Layout
from ridgeline.io.matrix import NO_AS_OF
from ridgeline.io.parquet.files import DataFile


@dataclass(frozen=True, slots=True)
class Common:
    """`layout` of all files together (`as_of` where any has it); `types` of the columns timestamp, value and as_of."""

    layout: Layout
    types: Mapping[str, pa.DataType]

    @classmethod
    def of(cls, files: Sequence[DataFile]) -> Common:
        """The type of all files for each column, or the widest of its kind where they differ."""
        first = files[0].layout
        types: dict[str, pa.DataType] = {}
        for name in ("timestamp", "value", "as_of"):
            kinds = {file.schema.field(name).type for file in files if name in file.schema.names}
            if len(kinds) < 2:
                types.update(zip([name], kinds, strict=False))
            elif name == "as_of":
                types[name] = pa.int64()
            else:
                widest = _widest(name, {kind.value_type if first.lists else kind for kind in kinds})
                types[name] = pa.large_list(widest) if first.lists else widest
        return cls(Layout(first.lists, first.seconds, any(file.layout.as_of for file in files)), types)

    def fit(self, batch: pa.RecordBatch) -> pa.Table:
        """The columns of a batch but the names, as a table in these types."""
        columns = [name for name in self.layout.columns if name != "metric"]
        return pa.Table.from_arrays([self._column(batch, name) for name in columns], names=columns)

    def _column(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        if name not in batch.schema.names:
            return pa.nulls(batch.num_rows, self.types[name])
        array = batch.column(name)
        if array.type == self.types[name]:
            return array
        if name == "as_of":
            seconds = as_of_values(array)
            return arrow(seconds, seconds == NO_AS_OF)
        return array.cast(self.types[name], safe=False)


def _widest(name: str, kinds: set[Any]) -> pa.DataType:
    if all(pa.types.is_timestamp(kind) for kind in kinds):
        return pa.timestamp("us")
    whole = name == "timestamp" and all(pa.types.is_integer(kind) for kind in kinds)
    return pa.int64() if whole else pa.float64()

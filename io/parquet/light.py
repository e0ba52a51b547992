"""A small table as a Parquet file, at no cost to a process that has little else to do."""

from __future__ import annotations

import pyarrow as pa


def parquet_bytes(table: pa.Table) -> bytes:
    """The bytes that `pyarrow.parquet.write_table` writes by default.

    That module imports pyarrow.compute and the file systems of clouds, a fifth of the start of a short command; what it
    wraps imports nothing. Where the library keeps that elsewhere, the module does it.
    """
    sink = pa.BufferOutputStream()
    try:
        from pyarrow._parquet import ParquetWriter

        writer = ParquetWriter(
            sink, table.schema, version="2.6", compression="snappy", use_dictionary=True, writer_engine_version="V2"
        )
    except (ImportError, TypeError, ValueError):
        import pyarrow.parquet as pq

        pq.write_table(table, sink)
    else:
        writer.write_table(table)
        writer.close()
    content: bytes = sink.getvalue().to_pybytes()
    return content

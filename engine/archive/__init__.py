"""The archive: what Redis held, as a Parquet dataset in folders of days."""

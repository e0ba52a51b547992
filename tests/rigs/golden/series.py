"""The series of the golden scenario, in the very bytes that Redis held."""

import hashlib

import msgpack
import pyarrow.compute as pc
import pyarrow.parquet as pq

NAMESPACE = "metrics."


def stored_series(trace):
    """By run and metric the bytes of each key that was there, checked against the recorded hashes."""
    told = {metric["metric"]: metric for metric in trace.scenario["metrics"]}
    table = pq.read_table(trace.golden / "scenario.parquet")
    series = {}
    for run in trace.scenario["clock_by_run"]:
        found = series[int(run)] = {}
        points = table.filter(pc.equal(table["run"], int(run)))
        for name, pairs in _by_metric(points).items():
            found[name] = _stored(told[name], run, pairs)
        for name, metric in told.items():
            if "raw_hex_instead" in metric and run in metric["raw_hex_instead"]:
                found[name] = bytes.fromhex(metric["raw_hex_instead"][run])
            if int(run) in metric["key_absent_in_runs"]:
                found.pop(name, None)
            else:
                expected = metric["stored_bytes_sha256_16_by_run"][run]
                assert hashlib.sha256(found[name]).hexdigest()[:16] == expected, (run, name)
    return series


def _by_metric(points):
    names, stamps, values = (points[column].to_pylist() for column in ("metric", "timestamp", "value"))
    found = {}
    for name, stamp, value in zip(names, stamps, values, strict=True):
        found.setdefault(name, []).append((stamp, value))
    return found


def _stored(metric, run, pairs):
    """Msgpack arrays [timestamp, value], one after the other, of the types and with the damage that are told."""
    stamp_type, value_type = (
        float if metric[f"packed_{part}_type"] == "float" else int for part in ("timestamp", "value")
    )
    more = (metric["extra_third_element"],) if "extra_third_element" in metric else ()
    pack = msgpack.Packer(use_single_float=False).pack
    stored = b"".join(
        pack((stamp_type(stamp), None if value is None else value_type(value), *more)) for stamp, value in pairs
    )
    cut = metric.get("bytes_cut_from_the_end", 0)
    return stored[: len(stored) - cut] + bytes.fromhex(metric.get("bytes_appended_hex", {}).get(run, ""))

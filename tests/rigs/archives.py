"""What tests of the archive share: a fleet whose points come minute by minute, and what readers see of an archive."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rigs.runs import END

from ridgeline.engine.cli.main import main
from ridgeline.io.parquet.source import ParquetSource

DAY = 86400
STEP = 60
METRICS = 20
FIRST = END - 399 * STEP  # the fleet's first point
ALL = 10**6  # more points than there are


def fleet(points, end=END, metrics=METRICS, seed=1):
    """The newest points up to `end` of a noisy fleet at 60 s, of which every other metric ends in a step."""
    noise = np.random.default_rng(seed)
    stamps = np.arange(FIRST, END + 20 * STEP, STEP)
    values = noise.normal(100, 5, (metrics, len(stamps)))
    values[::2, 396:] += 60
    some = (stamps <= end) & (stamps > end - points * STEP)
    names = [f"app.m{at:02d}" for at in range(metrics)]
    return pa.table(
        {
            "metric": pa.array(np.repeat(names, int(some.sum()))),
            "timestamp": pa.array(np.tile(stamps[some], metrics)),
            "value": pa.array(values[:, some].ravel()),
        }
    )


def peaking(metric, *, daily, end=END, step=300):
    """(timestamps, values) of eight days of a quiet series that ends in a peak; `daily`: high for hours every day, today late."""
    stamps = np.arange(end - 8 * DAY, end + 1, step)
    seed = np.random.default_rng(sum(metric.encode()))
    values = 100 + seed.normal(0, 1, len(stamps))
    values[-1] = 160
    if daily:
        high = (end - stamps) % DAY < 8 * 3600
        values[high] = 160 + seed.normal(0, 5, int(high.sum()))
        values[(stamps > end - DAY) & high & (stamps < end - step)] = 100
    return stamps, values


def long_table(found):
    """A row for each point of {metric: (timestamps, values)}."""
    names = [name for name, (stamps, _) in found.items() for _ in stamps]
    stamps, values = (np.concatenate(columns) for columns in zip(*found.values(), strict=True))
    return pa.table({"metric": pa.array(names), "timestamp": pa.array(stamps), "value": pa.array(values)})


def archived(folder):
    """(metric, timestamp, value) of every point that readers see, sorted."""
    points = []
    source = ParquetSource(folder)
    for each in source.chunks():
        owners = np.repeat(each.metrics.to_pylist(), np.diff(each.offsets))
        points += zip(owners.tolist(), each.timestamps.tolist(), each.values.tolist(), strict=True)
    assert not source.unreadable
    return sorted(points)


def rows(table):
    """(metric, timestamp, value) of every row, sorted."""
    return sorted(zip(*(table.column(name).to_pylist() for name in ("metric", "timestamp", "value")), strict=True))


def replayed(folder, out, since):
    """{timestamp: {metric: votes}} of every step from `since` on, as a backtest of the archive tells it."""
    command = ["backtest", str(folder), "--output", str(out), "--from", str(since), "-q", "--window", "24h"]
    assert main(command) == 0
    steps = pa.concat_tables([pq.read_table(path) for path in sorted((out / "scores").glob("*.parquet"))])
    found = {}
    for row in steps.to_pylist():
        found.setdefault(row["timestamp"], {})[row["metric"]] = row["votes"]
    return found


def anomalous(votes, consensus):
    """Those of {metric: votes} that reach the consensus."""
    return {name: count for name, count in votes.items() if count >= consensus}

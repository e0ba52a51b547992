"""A Redis holding a fleet, and what MGET alone reaches on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of, matrix_of
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.embedded import embedded_redis
from ridgeline.io.redis.write import write_matrix

NAMESPACE = "metrics."
SMALL: Final = 100  # metrics, of which a run costs little more than its start
CONFIG: Final = """\
[source]
url = "{url}"
[output]
directory = "{folder}"
"""


@contextmanager
def loaded_redis(matrix: MetricMatrix, axes: Axes) -> Iterator[tuple[str, int]]:
    """The given or an embedded Redis with the matrix in Skyline's format: its URL, and bytes of values."""
    with ExitStack() as stack:
        url = axes.redis or stack.enter_context(embedded_redis()).url
        written = write_matrix(connect(url), matrix, namespace=NAMESPACE)
        yield url, written.size


@contextmanager
def small_fleet(axes: Axes) -> Iterator[tuple[Path, str]]:
    """Where a configuration of `run` over a small fleet in Redis is, in the folder that it writes to; and the name of a metric."""
    small = replace(axes, metrics=SMALL)
    matrix = matrix_of(fleet_of(small))
    with tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder, loaded_redis(matrix, small) as (url, _):
        config = Path(folder, "ridgeline.toml")
        config.write_text(CONFIG.format(url=url, folder=folder), encoding="utf-8")
        yield config, matrix.name(0)


def mget_alone(url: str, chunk: int) -> int:
    """List and MGET every metric with redis-py, and drop it: the bytes that came."""
    client = connect(url)
    keys = sorted(client.sscan_iter(f"{NAMESPACE}unique_metrics", count=1000))
    size = 0
    for at in range(0, len(keys), chunk):
        size += sum(map(len, filter(None, client.mget(keys[at : at + chunk]))))
    client.close()
    return size

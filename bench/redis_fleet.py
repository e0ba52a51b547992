"""A Redis holding a fleet, and what MGET alone reaches on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ridgeline.bench.axes import Axes
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.embedded import embedded_redis
from ridgeline.io.redis.write import write_matrix

NAMESPACE = "metrics."


@contextmanager
def loaded_redis(matrix: MetricMatrix, axes: Axes) -> Iterator[tuple[str, int]]:
    """The given or an embedded Redis with the matrix in Skyline's format: its URL, and bytes of values."""
    with ExitStack() as stack:
        url = axes.redis or stack.enter_context(embedded_redis()).url
        written = write_matrix(connect(url), matrix, namespace=NAMESPACE)
        yield url, written.size


def mget_alone(url: str, chunk: int) -> int:
    """List and MGET every metric with redis-py, and drop it: the bytes that came."""
    client = connect(url)
    keys = sorted(client.sscan_iter(f"{NAMESPACE}unique_metrics", count=1000))
    size = 0
    for at in range(0, len(keys), chunk):
        size += sum(map(len, filter(None, client.mget(keys[at : at + chunk]))))
    client.close()
    return size

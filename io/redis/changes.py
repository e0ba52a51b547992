"""Plain changes to keys, as commands of a pipeline: what state and the books for siblings have in common."""

from __future__ import annotations

from typing import Any, Final

from ridgeline.io.redis.pages import cut
from ridgeline.io.state.batch import Add, Change, Delete, Drop, Put, Remove, SetText

OF_NAMES: Final = {Add: "SADD", Remove: "SREM", Drop: "HDEL"}


def queue(pipeline: Any, change: Change) -> None:
    """Put one change into the pipeline, as a command for each page of it."""
    match change:
        case SetText(key, text, ttl):
            pipeline.set(key, text, ex=ttl)
        case Delete(key):
            pipeline.unlink(key)
        case Put(key, fields):
            for pairs in cut(list(fields.items())):
                pipeline.hset(key, mapping=dict(pairs))
        case Add(key, names) | Remove(key, names) | Drop(key, names):
            for some in cut(names):
                pipeline.execute_command(OF_NAMES[type(change)], key, *some)

"""Which names a metric may have in Redis: none whose key holds something else, and none that a run would leave out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ridgeline.io.errors import InputError
from ridgeline.io.redis.key import NAMESPACE
from ridgeline.io.redis.keys import CATALOGUE, find
from ridgeline.io.redis.listing import LONGEST
from ridgeline.io.text import escape, truncate

SERIES: Final = "<namespace><metric>"  # the catalogue's row of the keys that names are for
_SHOWN: Final = 80  # bytes of a name in a message


def refuse_names(metrics: Iterable[str], namespace: str = NAMESPACE) -> None:
    """InputError if the key of any of the metrics is one of the catalogue's others, such as the set of all metrics."""
    others = (row.form(namespace) for row in CATALOGUE if row.name != SERIES)
    reserved = re.compile("|".join(others), re.DOTALL).fullmatch
    for metric in metrics:
        key = f"{namespace}{metric}"
        if reserved(key) is not None:
            row = find(key, namespace)
            holds = "something else" if row is None else row.value
            raise InputError(
                f"no metric can be called {_shown(metric)} here: the key {_shown(key)} holds {escape(holds)}; "
                "give it another name or another --namespace"
            )
        if len(key.encode()) > LONGEST:
            raise InputError(f"the name of the metric {_shown(metric)} is longer than {LONGEST:,} bytes")


def _shown(name: str) -> str:
    return truncate(escape(name), _SHOWN)

"""The one documented form of a name with labels, Prometheus': `name{host="web1",job="x"}`.

Keys are sorted, values escaped, absent labels left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from ridgeline.io.arrow.buffers import strings
from ridgeline.io.arrow.runs import Runs

IDENTIFIER: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def labelled(name: str, labels: Mapping[str, str | None]) -> str:
    r"""The name of a series with these labels.

    >>> labelled("cpu", {"job": "x", "host": 'a"b', "rack": None})
    'cpu{host="a\\"b",job="x"}'
    """
    pairs = [f"{_key(key)}={_quoted(value)}" for key, value in sorted(labels.items()) if value is not None]
    return f"{name}{{{','.join(pairs)}}}" if pairs else name


def named(metric: Runs, labels: Mapping[str, Runs], constant: Mapping[str, str | None]) -> Runs:
    """The runs of a block of points by their full names; `constant` labels hold for all of them."""
    runs = [metric, *labels.values()]
    starts = np.unique(np.concatenate([one.starts[:-1] for one in runs]))
    codes = [one.codes[np.searchsorted(one.starts, starts, side="right") - 1] for one in runs]
    packed = np.zeros(len(starts), np.int64)
    for one, code in zip(runs, codes, strict=True):
        _, packed = np.unique(packed * (len(one.names) + 1) + code + 1, return_inverse=True)
    _, first, packed = np.unique(packed, return_index=True, return_inverse=True)
    first = first[codes[0][first] >= 0]  # points without a metric keep none
    first.sort()
    place = np.full(len(starts), -1, np.int64)
    place[packed[first]] = np.arange(len(first))
    texts = [one.names.to_pylist() for one in runs]
    keys = list(labels)
    full = [
        labelled(texts[0][codes[0][at]], {**constant, **{
            key: None if codes[k][at] < 0 else texts[k][codes[k][at]] for k, key in enumerate(keys, 1)
        }})
        for at in first.tolist()
    ]  # fmt: skip
    distinct = list(dict.fromkeys(full))
    number = {name: i for i, name in enumerate(distinct)}
    renumbered = np.append([number[name] for name in full], -1).astype(np.int64)
    return Runs(strings(distinct), renumbered[place[packed]], np.append(starts, metric.starts[-1]))


def _key(key: str) -> str:
    return key if IDENTIFIER.fullmatch(key) else _quoted(key)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

"""The script that draws figures in a page: plotly's own, from its wheel."""

from __future__ import annotations

from functools import cache

from ridgeline.engine.page.packed import squeezed
from ridgeline.io.errors import InputError


@cache
def plotting_script() -> str:
    """plotly.js, whole, as base64 of gzip; packed once in a process. Raises InputError where plotly is not installed."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise InputError("the report draws with plotly: pip install 'ridgeline[report]'") from error
    return squeezed(str(get_plotlyjs()).encode())

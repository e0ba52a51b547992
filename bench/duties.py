"""Configurations of a measured run: voting alone, and with all that it does beside."""

from __future__ import annotations

from typing import Final

CONFIG: Final = """\
[source]
url = "{url}"
chunk_keys = {chunk}
[run]
deadline = 600
threads = {threads}
[output]
directory = "{folder}"
"""
BARE: Final = "[analysis]\nbookkeeping = false\n"
WHOLE: Final = """\
[analysis]
bookkeeping = true
second_order = true
[preparation]
counters = "auto"
[airgaps]
identify = true
[statistics]
name = "bench"
prometheus_textfile = "{folder}/ridgeline.prom"
"""

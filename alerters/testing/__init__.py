"""The contract that every channel keeps, as tests: for the channels here and for your own.

    from ridgeline.alerters.testing import HttpContract

    class TestPigeon(HttpContract):
        def make(self, url):
            return build(PigeonSettings(url=url, token=Secret(self.SECRET)))

pytest collects the inherited tests. `Contract` is for channels of any kind, `HttpContract` for those that send by HTTP.
Everything runs on loopback.
"""

from __future__ import annotations

from ridgeline.alerters.testing.contract import Contract, soon
from ridgeline.alerters.testing.http_contract import HttpContract
from ridgeline.alerters.testing.samples import ALERT, HOSTILE, SECRET, SELF_ALERT, group, hostile, storm
from ridgeline.alerters.testing.server import Answer, HttpServer, Request, http_server
from ridgeline.alerters.testing.tls import Authority

__all__ = [
    "ALERT",
    "HOSTILE",
    "SECRET",
    "SELF_ALERT",
    "Answer",
    "Authority",
    "Contract",
    "HttpContract",
    "HttpServer",
    "Request",
    "group",
    "hostile",
    "http_server",
    "soon",
    "storm",
]

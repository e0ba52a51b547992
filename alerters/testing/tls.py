"""Certificates for the contract: of an authority that the channel trusts, and the three kinds it must not."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path
from typing import Any


class Authority:
    """A certificate authority of its own, made by `trustme`, which the tests' environment must have."""

    def __init__(self, folder: Path) -> None:
        import trustme

        self._made = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self._made.cert_pem.write_to_path(str(self.ca_file))

    def good(self) -> ssl.SSLContext:
        """A server's context with a certificate for 127.0.0.1."""
        return _serving(self._made.issue_cert("127.0.0.1"))

    def bad(self) -> dict[str, ssl.SSLContext]:
        """Contexts of servers that must be refused, by what is wrong with them."""
        import trustme

        yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        return {
            "unknown authority": _serving(trustme.CA().issue_cert("127.0.0.1")),
            "wrong host": _serving(self._made.issue_cert("other.example")),
            "expired": _serving(self._made.issue_cert("127.0.0.1", not_after=yesterday)),
        }


def _serving(certificate: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context

"""What TLS to a Redis trusts and shows: the system's authorities and the files of the settings, always verified."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path

from ridgeline.io.errors import InputError
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.text import escape


def tls_context(settings: RedisSettings) -> ssl.SSLContext:
    """TLS 1.2 or later with verified names; InputError where a file of the settings cannot be used."""
    if settings.key_file is not None and settings.cert_file is None:
        raise InputError("a key for TLS (key_file) needs its certificate (cert_file)")
    return _context(settings.ca_file, settings.cert_file, settings.key_file)


@functools.cache
def _context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    for what, path in (("CA", ca_file), ("certificate", cert_file), ("key", key_file)):
        if path is not None and not path.is_file():
            raise InputError(f"the {what} file for TLS, {escape(path)}, does not exist")
    context = ssl.create_default_context()
    try:
        if ca_file is not None:
            context.load_verify_locations(cafile=ca_file)
    except OSError as error:
        raise InputError(f"the CA file for TLS, {escape(ca_file)}, cannot be used: {_reason(error)}") from error
    try:
        if cert_file is not None:
            context.load_cert_chain(cert_file, key_file, password="")  # an encrypted key would ask at the terminal
    except OSError as error:
        raise InputError(
            f"the certificate for TLS, {escape(cert_file)}, or its key cannot be used: {_reason(error)}"
        ) from error
    return context


def _reason(error: OSError) -> str:
    """The system's words in lower case."""
    words = getattr(error, "reason", None) or error.strerror or "it is not in PEM form"
    return escape(str(words)).replace("_", " ").lower()

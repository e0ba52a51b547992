"""Secrets: read from the environment or a file, never from the configuration itself, and never shown."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ridgeline.io.secret import Secret
from ridgeline.io.small import read_small

# Where container runtimes mount secrets, readable by all inside the container.
MOUNTED: Final = ("/run/secrets/", "/var/run/secrets/")
_LONGEST: Final = 65536


def from_environment(name: str, environ: Mapping[str, str] = os.environ) -> Secret:
    """Read a secret from an environment variable; ValueError says what is wrong."""
    value = environ.get(name)
    if value is None:
        raise ValueError(f"the environment variable {name} is not set")
    if not value:
        raise ValueError(f"the environment variable {name} is empty")
    return Secret(value)


def from_file(path: Path) -> Secret:
    """Read a secret from a file, less its last line break; ValueError says what is wrong."""
    try:
        raw = read_small(path, _LONGEST)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ValueError(f"cannot read {path}: {error}") from error
    try:
        value = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"{path} does not hold UTF-8 text") from None
    if not value:
        raise ValueError(f"{path} is empty")
    return Secret(value)


def exposure(path: Path) -> str | None:
    """Say how other users can get at a secret file, or None where they cannot."""
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        return f"{path} can be changed by every user of this machine (chmod 600 it)"
    if mode & stat.S_IROTH and not str(path).startswith(MOUNTED):
        return f"{path} can be read by every user of this machine (chmod 600 it)"
    return None

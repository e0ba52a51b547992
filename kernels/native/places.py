"""Where native objects and tables are kept between processes: cache folders, in the order in which they are tried."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path


def candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    """Cache folders, the first to be tried first: the configured or home one, then one under /tmp; all absolute."""
    if environ.get("RIDGELINE_CACHE_DIR"):
        chosen: Path | None = Path(environ["RIDGELINE_CACHE_DIR"])
    elif environ.get("XDG_CACHE_HOME", "").startswith("/"):
        chosen = Path(environ["XDG_CACHE_HOME"]) / "ridgeline"
    else:
        home = _home(environ)
        chosen = None if home is None else home / ".cache" / "ridgeline"
    last = Path(environ.get("TMPDIR") or "/tmp") / f"ridgeline-{os.geteuid()}"  # noqa: S108 - judged when opened
    for folder in (chosen, last):
        with contextlib.suppress(FileNotFoundError):  # a relative path, where the working folder has been removed
            if folder is not None:
                yield folder.absolute()


def _home(environ: Mapping[str, str]) -> Path | None:
    """Our home folder: HOME if it is ours (sudo keeps the caller's), else what the password database says."""
    home = environ.get("HOME", "")
    with contextlib.suppress(OSError):
        if home.startswith("/") and Path(home).stat().st_uid == os.geteuid():
            return Path(home)
    with contextlib.suppress(KeyError):  # a container may run under a number without a name
        named = pwd.getpwuid(os.geteuid()).pw_dir
        return Path(named) if named.startswith("/") else None
    return None

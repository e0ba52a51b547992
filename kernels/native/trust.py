"""Walking to a folder that only we and root can have changed.

Native code runs as we do. Who can write to any folder on the way to it can put his own in its place, between our look
and our use: `sudo -E` with the caller's home, a cache folder below one that a team shares. So a path is walked step by
step from the root, each step opened by descriptor and judged once it is open, links included; what is read later is
read relative to the last descriptor and cannot be moved under our hands. A sticky folder (/tmp) is a good step: others
may add to it, but can neither rename nor remove what is ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections import deque
from pathlib import Path, PurePosixPath
from typing import Final

_STEP: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS: Final = 40  # as the kernel's own limit
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class UntrustedError(OSError):
    """A folder or file that another user could have changed; `strerror` says which and why."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EPERM, why)


def judge(found: os.stat_result, shown: Path, *, step: bool = False) -> None:
    """UntrustedError where another user owns it or can write to it; a `step` on the way may be sticky."""
    judge_owner(found, shown)
    if found.st_mode & _OTHERS_WRITE and not (step and found.st_mode & stat.S_ISVTX):
        raise UntrustedError(f"other users can write to {shown}")


def judge_owner(found: os.stat_result, shown: Path) -> None:
    """UntrustedError where another user owns it; root's own is fine: a container image may bring it along."""
    if found.st_uid not in {os.geteuid(), 0}:
        raise UntrustedError(f"{shown} belongs to another user")


def walk(path: Path, *, create: bool) -> int:
    """Descriptor (O_PATH) of the folder at an absolute path, every folder and link on the way judged.

    With `create`, missing folders are made, 0700.
    """
    here, shown, links = os.open("/", _STEP), Path("/"), 0
    steps = deque(path.parts[1:])
    try:
        while steps:
            judge(os.fstat(here), shown, step=True)
            name = steps.popleft()
            target = _link(here, name, shown / name)
            if target is not None and links < _MOST_LINKS:
                links += 1
                steps.extendleft(reversed(PurePosixPath(target).parts))
                continue
            following = enter(here, name, create=create)  # an absolute link's first step "/" leads to the root
            os.close(here)
            here, shown = following, shown / name
    except OSError:
        os.close(here)
        raise
    return here


def enter(folder: int, name: str, *, create: bool) -> int:
    """Descriptor (O_PATH) of the folder `name` within another, made, 0700, if it may be; never through a link."""
    try:
        return os.open(name, _STEP, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
    return os.open(name, _STEP, dir_fd=folder)


def _link(folder: int, name: str, shown: Path) -> str | None:
    """Target of a symbolic link that we or root made, None where `name` is none (or nothing)."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(found.st_mode):
        return None
    judge_owner(found, shown)
    return os.readlink(name, dir_fd=folder)

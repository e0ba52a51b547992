"""Where results may be written: new names and regular files; never a device, a pipe, a link, or what is being read."""

from __future__ import annotations

import glob
import stat
from collections.abc import Iterable
from pathlib import Path

from ridgeline.io.errors import OutputError, UnsafeTarget

_KINDS = (
    (stat.S_ISLNK, "a symbolic link: name the file that it points to"),
    (stat.S_ISDIR, "a folder: name a file"),
    (stat.S_ISFIFO, "a pipe: results are whole files, name a regular one"),
    (stat.S_ISSOCK, "a socket: results are whole files, name a regular one"),
    (stat.S_ISCHR, "a device: results are whole files, name a regular one"),
    (stat.S_ISBLK, "a device: results are whole files, name a regular one"),
)


def check_target(path: Path) -> None:
    """Refuse what a result must not replace; for use before long work, and again at the moment of writing.

    Raises UnsafeTarget for anything that exists and is no regular file, and OutputError where the folder is missing.
    """
    if str(path) == "-":
        raise UnsafeTarget("- (standard output) cannot take this result: name a file")
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise OutputError(f"cannot write {path}: there is no folder {path.parent}") from None
        return
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error
    for is_kind, sentence in _KINDS:
        if is_kind(kind):
            raise UnsafeTarget(f"{path} is {sentence}")


def check_folder(path: Path) -> None:
    """Raise UnsafeTarget where `path` exists and is no folder of its own: a link, a file, a device."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write into {path}: {getattr(error, 'strerror', None) or error}") from error
    if not stat.S_ISDIR(kind):
        raise UnsafeTarget(f"{path} is in the way: it is no folder, remove it or name another place for the results")


def make_folder(path: Path) -> None:
    """Make a folder for results, its parents too, unless it is there.

    Raises UnsafeTarget where something else stands in its place, and OutputError where it cannot be made.
    """
    try:
        if not path.is_dir():
            check_folder(path)
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot make the folder {path}: {getattr(error, 'strerror', None) or error}") from error


def check_apart(target: Path, dataset: str, inputs: Iterable[str | Path]) -> None:
    """Raise UnsafeTarget where writing `target` changes what is read, or what would be read the next time.

    `dataset` and `inputs` as for `check_folder_apart`; hard links and other names of an input count too.
    """
    for path in inputs if target.exists() else ():
        try:
            same = target.samefile(path)
        except (OSError, ValueError):
            continue
        if same:
            raise UnsafeTarget(f"{target} is also read ({path}): name another file for the results")
    base = _searched(dataset)
    if base is not None and target.resolve().is_relative_to(base):
        raise UnsafeTarget(f"{target} lies within {dataset}, which is read: name a place beside it for the results")


def check_folder_apart(folder: Path, dataset: str, inputs: Iterable[str | Path]) -> None:
    """Raise UnsafeTarget where results in `folder` would lie among the data of `dataset`, and be read as data next time.

    `dataset` is what the user named (a file, a folder, a glob), `inputs` the local files found there.
    """
    own = folder.resolve()
    for path in inputs:
        if Path(path).resolve().is_relative_to(own):
            raise UnsafeTarget(f"{folder} holds data that is read ({path}): name another folder for the results")
    base = _searched(dataset)
    if base is not None and own.is_relative_to(base):
        raise UnsafeTarget(f"{folder} lies within {dataset}, which is read: name a folder beside it for the results")


def _searched(dataset: str) -> Path | None:
    """The local folder that is searched to any depth for `dataset`, if it is."""
    if "://" in dataset:
        return None
    if Path(dataset).is_dir():
        return Path(dataset).resolve()
    if "**" not in dataset:
        return None
    plain = []
    for part in Path(dataset).parts:
        if glob.has_magic(part):
            break
        plain.append(part)
    return Path(*plain).resolve()

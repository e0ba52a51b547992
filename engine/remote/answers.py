"""What a peer's web application answers, checked: nothing of any other form goes further."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

from ridgeline.io.disk.confined import name_fault
from ridgeline.io.epochs import LATEST

TRAINING: Final = "training_data"
PROFILES: Final = "features_profiles"
MOST_SETS: Final = 20_000  # of one answer
MOST_FILES: Final = 1_000  # of one set
LONGEST_METRIC: Final = 1_024  # characters
# Metrics of tenants are there a second time, as labelled_metrics.<id>.
TENANT: Final = '_tenant_id="'
_MEMBER: Final = re.compile(r"\[(?P<metric>'.*'|\".*\"), (?P<timestamp>\d{1,12})(?:\.0)?[,\]].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files that belong together: the training data of an anomaly, or a features profile.

    number, expected   of a profile: its id, and its folder as Skyline calls it
    """

    source: Literal["training_data", "features_profiles"]
    metric: str
    timestamp: int
    number: str = ""
    expected: str = ""

    @property
    def listing(self) -> str:
        """What a peer is asked for the list of its files by."""
        return f"ionosphere_files?source={self.source}&metric={quote(self.metric, safe='')}&timestamp={self.timestamp}"


def file_query(path: str) -> str:
    """What a peer is asked for a file by."""
    return f"ionosphere_file?file={quote(path, safe='/', errors='surrogatepass')}"


def training_sets(metrics: Any) -> tuple[list[FileSet], int]:
    """The sets of an answer to `api?training_data`, each once, and how many of its items are none.

    Raises ValueError where it is no list.
    """
    if not isinstance(metrics, list):
        raise ValueError("its training data is no list")  # noqa: TRY004 - a value from outside
    return _all_of(metrics, _training_set)


def profiles(folders: Any) -> tuple[list[FileSet], int]:
    """The profiles of an answer to `api?expected_features_profiles_dir`, and how many of its items are none.

    Raises ValueError where it is no mapping.
    """
    if not isinstance(folders, dict):
        raise ValueError("its features profiles are no mapping")  # noqa: TRY004 - a value from outside
    return _all_of(folders.items(), _profile)


def files_of(files: Any) -> list[tuple[str, Any]]:
    """Names and paths of an answer to `ionosphere_files`. Raises ValueError where it is no mapping, or of too many."""
    if not isinstance(files, dict):
        raise ValueError("its files are no mapping")  # noqa: TRY004 - a value from outside
    if len(files) > MOST_FILES:
        raise ValueError(f"it lists more than {MOST_FILES:,} files of one set")
    return list(files.items())


def kept_here(members: Iterable[str]) -> set[tuple[str, int]]:
    """The training data that members of Skyline's own sets tell of: the text of `[metric, timestamp, ...]`."""
    found = set()
    for member in members:
        if form := _MEMBER.fullmatch(member):
            try:
                found.add((ast.literal_eval(form["metric"]), int(form["timestamp"])))
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
    return found


def _all_of(items: Iterable[Any], read: Callable[[Any], FileSet | None]) -> tuple[list[FileSet], int]:
    """Each item as a set, at most MOST_SETS of them; what is none, or beyond, is counted."""
    found: dict[FileSet, None] = {}
    wrong = 0
    for item in items:
        one = read(item)
        if one is None or len(found) >= MOST_SETS:
            wrong += 1
        elif TENANT not in one.metric:
            found[one] = None
    return list(found), wrong


def _training_set(item: Any) -> FileSet | None:
    if not isinstance(item, list) or len(item) < 2:
        return None
    metric, timestamp = item[:2]
    if isinstance(timestamp, float) and timestamp.is_integer():
        timestamp = int(timestamp)
    return FileSet("training_data", metric, timestamp) if _is_metric(metric) and _is_epoch(timestamp) else None


def _profile(item: tuple[Any, Any]) -> FileSet | None:
    """A profile, its metric and epoch taken from the end of its folder; None for what cannot be one."""
    number, folder = item
    if not isinstance(folder, str) or not (number.isascii() and number.isdigit()) or len(number) > 20:
        return None
    *metric, epoch = list(_below(folder, PROFILES)) or [""]
    named = ".".join(metric)
    if any(name_fault(name) for name in metric):
        return None
    if not _is_metric(named) or not (epoch.isascii() and epoch.isdigit()) or not _is_epoch(int(epoch[:20])):
        return None
    return FileSet("features_profiles", named, int(epoch), number, folder)


def _below(folder: str, root: str) -> Iterator[str]:
    """The names of an absolute path below the folder `root` in it, the last of that name; none where there is no such."""
    _, there, rest = f"{folder}/".rpartition(f"/{root}/")
    return (name for name in rest.split("/") if there and name and folder.startswith("/"))


def _is_metric(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_METRIC and name.isprintable()


def _is_epoch(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 < number <= LATEST

"""What this machine has of a recipe's code: found in the cache folders, checked, loaded."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ridgeline.kernels.native.entries import Entry, load_library, load_object
from ridgeline.kernels.native.folder import Folder, opened
from ridgeline.kernels.native.places import candidates
from ridgeline.kernels.native.seal import MOST_CODE, MOST_TEXT, Facts, Known, unseal_facts
from ridgeline.kernels.native.stamp import stamp
from ridgeline.kernels.native.sweep import mark_used


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to compile: entry name -> module, the sources it all depends on, and "module:function" of the facts."""

    entries: Mapping[str, str]
    sources: tuple[Path, ...]
    facts: str

    @property
    def extra(self) -> str:
        """What the stamp depends on beside sources and machine."""
        return repr((dict(self.entries), self.facts))

    def stamp(self, environ: Mapping[str, str]) -> str:
        """The stamp as things are now."""
        return stamp(self.sources, self.extra, environ)


@dataclass(slots=True)
class Cache:
    """The folders of one stamp.

    Each holds per entry NAME.o, NAME.so (where a linker made one) and NAME.json, which is published last and carries the
    signature and both checksums; facts.json; and NAME.table per table.
    """

    stamp: str
    environ: Mapping[str, str]
    _damaged: set[tuple[str, int, int]] = field(default_factory=set)

    def folders(self) -> Iterator[Folder]:
        """Those that exist and may be trusted, in the order of the candidates, each open until the next is asked for."""
        for place in candidates(self.environ):
            with contextlib.suppress(OSError), opened(place) as outer, outer.inner(self.stamp) as folder:
                yield folder

    def load(self, names: Iterable[str]) -> dict[str, Entry | str]:
        """Those of the entries that are here; for one that cannot be made on this machine, the reason."""
        found: dict[str, Entry | str] = {}
        for folder in self.folders():
            found |= self.load_from(folder, set(names) - found.keys())
        return found

    def load_from(self, folder: Folder, names: Iterable[str]) -> dict[str, Entry | str]:
        """As `load`, from one folder."""
        found: dict[str, Entry | str] = {}
        for name in names:
            known = self.known(folder, name)
            if known is None:
                continue
            entry = known.unbuildable or _load(folder, name, known)
            if entry is None:  # truncated, overwritten, or of a file system that lost data
                self._damaged.add(_identity(folder, name))
            else:
                mark_used(folder)
                found[name] = entry
        return found

    def known(self, folder: Folder, name: str) -> Known | None:
        """What is known of an entry; None where that is nothing, damaged, or led to damaged code before."""
        with contextlib.suppress(OSError, ValueError):
            if _identity(folder, name) not in self._damaged:
                return Known.read(folder.read(f"{name}.json", MOST_TEXT))
        return None

    def facts(self) -> Facts:
        """The facts that are here, {} where there are none."""
        for folder in self.folders():
            with contextlib.suppress(OSError, ValueError):
                return unseal_facts(folder.read("facts.json", MOST_TEXT))
        return {}


def _identity(folder: Folder, name: str) -> tuple[str, int, int]:
    """Tells a NAME.json from one that is published later; OSError where there is none."""
    found = folder.look(f"{name}.json")
    return str(folder.path / name), found.st_ino, found.st_mtime_ns


def _load(folder: Folder, name: str, known: Known) -> Entry | None:
    """Entry from the library, or where this place lets none be loaded from the object; None if damaged.

    The bytes that are checked are the bytes that are loaded.
    """
    try:
        if known.library:
            library = folder.read(f"{name}.so", MOST_CODE)
            if hashlib.sha256(library).hexdigest() != known.library:
                return None
            with contextlib.suppress(OSError, AttributeError):  # no /proc, no right to map it
                return load_library(library, name, known.signature)
        code = folder.read(f"{name}.o", MOST_CODE)
        return load_object(code, name, known.signature) if hashlib.sha256(code).hexdigest() == known.code else None
    except (OSError, RuntimeError):  # a file that is gone or not ours; what llvmlite cannot read
        return None

"""Kernel entries that start at once: machine code kept between processes, called without importing numba.

`entry("score")` looks for this machine's native object in the cache folders (`ridgeline.kernels.native.cache`), checks it
and loads it (`entries`). If there is none, a process of its own compiles it (`compiler`), once: numba itself costs a start
0.5 s, its own cache another half. Where no folder can keep it, it is compiled for this process alone; where no child can
run, numba does it here: slow to start, same results.

Importing this module imports neither numba nor any kernel module; they come in only on the slow way.
Entries are the modules `kernels/*/entry.py`, each with a `SIGNATURE` and a compiled function `run`. A `Recipe` names them,
so another set of kernels (users' own, tests') gets objects of its own by a recipe of its own, without recompiling ours.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ridgeline.kernels.native.cache import Cache, Recipe
from ridgeline.kernels.native.entries import Entry, load_numba
from ridgeline.kernels.native.places import candidates
from ridgeline.kernels.native.seal import Facts
from ridgeline.kernels.native.tables import Floats, read_table, write_table
from ridgeline.kernels.native.telling import Report, Telling
from ridgeline.kernels.native.waiting import Patience, StillCompiling

__all__ = ["RECIPE", "Facts", "Loader", "Recipe", "StillCompiling", "Warmed"]  # beside the functions below

_KERNELS: Final = Path(__file__).parent.parent
_FOUND: Final = sorted((path.parent.name for path in _KERNELS.glob("*/entry.py")), reverse=True)  # quickest last
RECIPE: Final = Recipe(
    entries=MappingProxyType({name: f"ridgeline.kernels.{name}.entry" for name in _FOUND}),
    sources=(_KERNELS,),
    facts="ridgeline.kernels:load",
)


@dataclass(frozen=True, slots=True)
class Warmed:
    """What `warmup` did: where the objects are (None: nowhere, `problem` says why), and what was compiled just now."""

    folder: Path | None
    compiled: Mapping[str, float]  # entry -> seconds
    origins: Mapping[str, str]  # entry -> how it was loaded: "library", "object", "numba"
    problem: str = ""


@dataclass(slots=True)
class Loader:
    """The entries, facts and tables of one recipe, as this process sees them."""

    recipe: Recipe = RECIPE
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    telling: Telling = field(default_factory=Telling)
    seconds_compiling: float = 0.0
    _entries: dict[str, Entry] = field(default_factory=dict)
    _compiled: dict[str, float] = field(default_factory=dict)
    _facts: Facts = field(default_factory=dict)
    _cache: Cache | None = None
    _lock: Any = field(default_factory=threading.RLock)

    @property
    def cache(self) -> Cache:
        """What the cache folders have under the stamp of this process."""
        if self._cache is None:
            self._cache = Cache(self.recipe.stamp(self.environ), self.environ)
        return self._cache

    def entry(self, name: str) -> Entry:
        """Callable of one entry, loaded once per process; KeyError for a name that the recipe lacks."""
        return self._entries.get(name) or self.prepare(name)[name]

    def prepare(self, *names: str, patience: float | None = None) -> dict[str, Entry]:
        """Several entries at once, within `patience` seconds; else StillCompiling."""
        for name in names:
            if name not in self.recipe.entries:
                raise KeyError(f"no kernel entry is called {name!r}; there are {', '.join(self.recipe.entries)}")
        waiting = Patience(patience)
        while not self._lock.acquire(timeout=waiting.timeout):
            waiting.pause()
        try:
            self._load(set(names) - self._entries.keys(), waiting)
        finally:
            self._lock.release()
        return {name: self._entries[name] for name in names}

    def facts(self) -> Facts:
        """Facts per algorithm in the registry's order: summary, min_points, threshold, cost."""
        if not self._facts:
            self._facts = self.cache.facts()
        if not self._facts:
            # No reason to compile anything: the kernel modules can be imported, if slowly.
            from ridgeline.kernels.native.builder import read_facts  # noqa: PLC0415

            self._facts = read_facts(self.recipe.facts)
        return dict(self._facts)

    def folder(self) -> Path | None:
        """First folder of this stamp that exists and may be trusted, else None."""
        return next((folder.path for folder in self.cache.folders()), None)

    def warmup(self) -> Warmed:
        """Compile what is missing and load every entry."""
        found = self.prepare(*self.recipe.entries)
        origins = {name: entry.origin for name, entry in found.items()}
        return Warmed(self.folder(), dict(self._compiled), origins, self.telling.problem)

    def load_table(self, name: str) -> Floats | None:
        """float64[n] kept by `save_table`, or None where there is none or it is damaged."""
        for folder in self.cache.folders():
            with contextlib.suppress(OSError, ValueError):
                return read_table(folder, name)
        return None

    def save_table(self, name: str, table: Floats) -> bool:
        """Keep float64[n] beside the objects, for later processes; False where there is no place for it."""
        for folder in self.cache.folders():
            with contextlib.suppress(OSError):
                write_table(folder, name, table)
                return True
        return False

    def _load(self, names: set[str], waiting: Patience) -> None:
        """Give each of these an entry: from the cache, made, or by numba in this process."""
        if names and self.environ.get("NUMBA_DISABLE_JIT", "0") in {"", "0"}:
            self._take(self.cache.load(names))
            missing = names - self._entries.keys()
            if missing:
                began = time.monotonic()
                try:
                    self._take(self._make(missing, waiting))
                finally:
                    self.seconds_compiling += time.monotonic() - began
        for name in names - self._entries.keys():
            self._entries[name] = self._plain(name)

    def _make(self, names: set[str], waiting: Patience) -> Mapping[str, Entry | str]:
        from ridgeline.kernels.native.making import Maker, SourcesChangedError  # noqa: PLC0415 - nothing for a warm start

        for _ in range(2):
            with contextlib.suppress(SourcesChangedError):
                return Maker(self.recipe, self.environ, self.cache, self.telling, self._compiled).make(names, waiting)
            self._cache = None
        self.telling.complain("the kernels' sources change while they are compiled")
        return {}

    def _take(self, found: Mapping[str, Entry | str]) -> None:
        for name, entry in found.items():
            if isinstance(entry, Entry):
                self._entries[name] = entry
            else:
                self.telling.complain(entry)
                self._entries[name] = self._plain(name)

    def _plain(self, name: str) -> Entry:
        began = time.monotonic()
        self.telling.say(f"compiling kernel entry {name} in memory")
        loaded = importlib.import_module(self.recipe.entries[name])
        entry = load_numba(loaded.run, name, loaded.SIGNATURE)
        self.seconds_compiling += time.monotonic() - began
        return entry


_ours: Final = Loader()


def entry(name: str) -> Entry:
    """Callable of the entry "decode", "gaps", "score" or "replay": `entry(*arrays_and_numbers) -> int`, 0 = ok."""
    return _ours.entry(name)


def prepare(*names: str, patience: float | None = None) -> dict[str, Entry]:
    """Several entries at once: on a first start they are compiled in parallel, by a process that outlives this one.

    StillCompiling where that takes longer than `patience` seconds (None: as long as it takes). The compilation goes on,
    ten minutes at most, under the cache's lock: the next call, in this process or another, finds it done or waits for it.
    """
    return _ours.prepare(*names, patience=patience)


def seconds_compiling() -> float:
    """Seconds for which this process has waited for kernels to be compiled, by itself or by another; 0 on a warm start."""
    return _ours.seconds_compiling


def facts() -> Facts:
    """Summary, min_points, threshold and cost per algorithm, in the registry's order; no kernel is imported if warm."""
    return _ours.facts()


def warmup(report: Report | None = None) -> Warmed:
    """Compile what is missing and load every entry, telling `report` of each step (None: a terminal, if there is one)."""
    before, _ours.telling.report = _ours.telling.report, report
    try:
        return _ours.warmup()
    finally:
        _ours.telling.report = before


def cache_directory() -> Path:
    """Folder that holds this machine's native objects, or the cache folder that would be tried first."""
    return _ours.folder() or next(candidates(os.environ))


def load_table(name: str) -> Floats | None:
    """float64[n] kept by `save_table` in an earlier process, or None."""
    return _ours.load_table(name)


def save_table(name: str, table: Floats) -> bool:
    """Keep float64[n] beside the native objects, atomically; False where there is no place for it."""
    return _ours.save_table(name, table)

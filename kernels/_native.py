"""Kernel entries that start at once: machine code kept between processes, called without importing numba.

`entry("score")` looks for this machine's native object in the cache folder (`ridgeline.kernels._cache`), checks its
SHA-256 and loads it through ctypes (`ridgeline.kernels._call`). If there is none, child processes compile all entries
(`ridgeline.kernels._build`), once: numba itself costs a start 0.5 s, its own cache another half. Whatever goes wrong on
that way ends at numba in this process: slow to start, same results.

Importing this module imports neither numba nor any kernel module; they come in only on the slow way.
Entries are the modules `kernels/*/entry.py`, each with a `SIGNATURE` and a compiled function `run`. A `Recipe` names them,
so another set of kernels (users' own, tests') gets objects of its own by a recipe of its own, without recompiling ours.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ridgeline.kernels import _cache
from ridgeline.kernels._call import Entry, load_library, load_numba, load_object

Report = Callable[[str], None]
_PATIENCE: Final = 300.0  # seconds that a start waits while another process builds the same objects


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to compile: entry name -> module, the sources it all depends on, and "module:function" of the facts."""

    entries: Mapping[str, str]
    sources: tuple[Path, ...]
    facts: str


_KERNELS: Final = Path(__file__).parent
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
class NativeCache:
    """The entries, facts and tables of one recipe, as this process sees them."""

    recipe: Recipe = RECIPE
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    report: Report | None = None
    problem: str = ""
    _entries: dict[str, Entry] = field(default_factory=dict)
    _compiled: dict[str, float] = field(default_factory=dict)
    _folder: Path | None = None
    _manifest: dict[str, Any] = field(default_factory=dict)
    _damaged: set[tuple[Path, int, int]] = field(default_factory=set)
    _known_stamp: str = ""
    _lock: Any = field(default_factory=threading.RLock)

    def entry(self, name: str) -> Entry:
        """Callable of one entry, loaded once per process; KeyError for a name that the recipe lacks."""
        module = self.recipe.entries[name]
        with self._lock:
            if name not in self._entries:
                self._entries[name] = self._native(name) or self._plain(name, module)
            return self._entries[name]

    def facts(self) -> dict[str, dict[str, Any]]:
        """Facts per algorithm in the registry's order: summary, min_points, threshold, cost."""
        with self._lock:
            if not self._find():
                # No reason to compile anything: the kernel modules are importable, if slowly.
                from ridgeline.kernels._build import read_facts  # noqa: PLC0415

                self._manifest = {"facts": read_facts(self.recipe.facts)}
            return dict(self._manifest["facts"])

    def folder(self) -> Path | None:
        """Folder of this stamp where its objects are good, else None."""
        with self._lock:
            return self._folder if self._find() else None

    def warmup(self) -> Warmed:
        """Compile what is missing and load every entry."""
        origins = {name: self.entry(name).origin for name in self.recipe.entries}
        return Warmed(self.folder(), dict(self._compiled), origins, self.problem)

    def load_table(self, name: str) -> np.ndarray[Any, Any] | None:
        """Array kept by `save_table`, or None where there is none or it is damaged."""
        folder = self.folder()
        if folder is None:
            return None
        try:
            content = (folder / f"{name}.table").read_bytes()
            if hashlib.sha256(content[32:]).digest() == content[:32]:
                found: np.ndarray[Any, Any] = np.load(io.BytesIO(content[32:]), allow_pickle=False)
                return found
        except (OSError, ValueError):
            return None
        return None

    def save_table(self, name: str, array: np.ndarray[Any, Any]) -> bool:
        """Keep an array beside the objects, for later processes; False where there is no place for it."""
        folder = self.folder()
        if folder is None:
            return False
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        content = buffer.getvalue()
        try:
            _cache.write_atomically(folder / f"{name}.table", hashlib.sha256(content).digest() + content)
        except OSError:
            return False
        return True

    def _native(self, name: str) -> Entry | None:
        """Entry from the cache, building or rebuilding it once; None where only numba is left."""
        if self.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
            return None
        for _ in range(2):
            if not self._find() and not self._build():
                return None
            assert self._folder is not None
            if "unbuildable" in self._manifest["entries"][name]:
                self._complain(self._manifest["entries"][name]["unbuildable"])
                return None
            found = self._load(name, self._folder)
            if found is not None:
                return found
            # Truncated, overwritten, or of a file system that lost data: compile once more, then give up.
            with contextlib.suppress(OSError):
                self._damaged.add(_identity(self._folder))
            self._folder, self._manifest = None, {}
        self._complain(f"native code of kernel entry {name} cannot be loaded, even compiled afresh")
        return None

    def _load(self, name: str, folder: Path) -> Entry | None:
        """Entry from the library, or where this place lets none be loaded (noexec) from the object; None if damaged."""
        known = self._manifest["entries"][name]
        with contextlib.suppress(OSError):
            if known["library"] is not None:
                library = folder / f"{name}.so"
                if hashlib.sha256(library.read_bytes()).hexdigest() != known["library"]:
                    return None
                with contextlib.suppress(OSError, AttributeError):
                    return load_library(library, name, known["signature"])
            code = (folder / f"{name}.o").read_bytes()
            if hashlib.sha256(code).hexdigest() == known["object"]:
                return load_object(code, name, known["signature"])
        return None

    def _plain(self, name: str, module: str) -> Entry:
        self._say(f"compiling kernel entry {name} in memory")
        loaded = importlib.import_module(module)
        return load_numba(loaded.run, name, loaded.SIGNATURE)

    def _find(self) -> bool:
        """Whether a good folder of this stamp is known, after looking at every candidate."""
        if self._folder is not None:
            return True
        stamp = self._stamp()
        for root in _cache.candidates(self.environ):
            folder = root / stamp
            if _cache.refusal(root) or _cache.refusal(folder):
                continue
            with contextlib.suppress(OSError, ValueError):
                manifest = _cache.unseal((folder / "manifest.json").read_text())
                if _identity(folder) not in self._damaged:
                    _cache.mark_used(folder)
                    self._folder, self._manifest = folder, manifest
                    return True
        return False

    def _stamp(self) -> str:
        if not self._known_stamp:
            extra = repr((dict(self.recipe.entries), self.recipe.facts))
            self._known_stamp = _cache.stamp(self.recipe.sources, extra, self.environ)
        return self._known_stamp

    def _build(self) -> bool:
        """Compile into the first cache folder that takes it; False where none does, or where compiling fails."""
        from ridgeline.kernels._children import BuildError  # noqa: PLC0415 - nothing for a warm start

        if self.problem:
            return False  # said already, and once is enough
        stamp, complaints = self._stamp(), list[str]()
        for root in _cache.candidates(self.environ):
            reason = _cache.refusal(root) or _cache.refusal(root / stamp)
            if reason is None:
                try:
                    self._build_in(root, stamp)
                except OSError as error:
                    reason = error.strerror or str(error)
                except BuildError as error:
                    self._complain(f"compiling native kernels failed ({error})")
                    return False
                else:
                    if complaints:
                        _warn(f"{complaints[0]}; kernels are kept in {root} instead")
                    return self._find()
            complaints.append(f"the kernel cache folder {root} cannot be used: {reason}")
        self._complain(f"{'; '.join(complaints)}; set RIDGELINE_CACHE_DIR to a folder that only you can write to")
        return False

    def _build_in(self, root: Path, stamp: str) -> None:
        _cache.make_folder(root)
        with _cache.locked(root / f"{stamp}.lock", _PATIENCE):
            if self._find():
                return  # another process built it while we waited
            temporary = root / f".build-{stamp}-{os.getpid()}-{time.monotonic_ns()}"
            temporary.mkdir(mode=0o700)
            try:
                started = time.monotonic()
                self._say("compiling the kernels for this machine, once (10-30 s) ...")
                entries = self._compile(temporary)
                facts = json.loads((temporary / "facts.json").read_text())
                for path in temporary.glob("*.json"):
                    path.unlink()
                (temporary / "manifest.json").write_text(_cache.seal({"entries": entries, "facts": facts}))
                _cache.remove(root / stamp)
                temporary.rename(root / stamp)
                self._say(f"kernels compiled in {time.monotonic() - started:.0f} s and kept in {root / stamp}")
            finally:
                _cache.remove(temporary)
            _cache.sweep(root)

    def _compile(self, folder: Path) -> dict[str, dict[str, Any]]:
        """Compile every entry into the folder, in as many child processes as there are CPUs, two at most."""
        jobs: list[dict[str, Any]] = [
            {"name": name, "module": module, "folder": str(folder)} for name, module in self.recipe.entries.items()
        ]
        jobs.append({"name": "facts", "facts": self.recipe.facts, "folder": str(folder)})
        found: dict[str, dict[str, Any]] = {}
        from ridgeline.kernels._children import run_children  # noqa: PLC0415 - nothing for a warm start

        for name in run_children(jobs, min(2, len(os.sched_getaffinity(0))), self.environ):
            if name in self.recipe.entries:
                found[name] = json.loads((folder / f"{name}.json").read_text())
                self._compiled[name] = found[name].pop("seconds")
                count = f"{len(found)} of {len(self.recipe.entries)}"
                self._say(f"compiled kernel entry {name} ({count}) in {self._compiled[name]:.1f} s")
        return found

    def _say(self, sentence: str) -> None:
        if self.report is not None:
            self.report(sentence)
        elif sys.stderr is not None and sys.stderr.isatty():
            print(f"ridgeline: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - progress, on a terminal only

    def _complain(self, problem: str) -> None:
        if not self.problem:
            self.problem = problem
            _warn(f"{problem}; kernels are compiled in memory at each start, which is slow")


def _identity(folder: Path) -> tuple[Path, int, int]:
    found = (folder / "manifest.json").stat()
    return folder, found.st_ino, found.st_mtime_ns


def _warn(sentence: str) -> None:
    import logging  # noqa: PLC0415 - 5 ms that most starts do not pay

    logging.getLogger("ridgeline.kernels").warning(sentence)


_ours: Final = NativeCache()


def entry(name: str) -> Entry:
    """Callable of the entry "decode", "score" or "replay": `entry(*arrays_and_numbers) -> int`, 0 = ok."""
    return _ours.entry(name)


def facts() -> dict[str, dict[str, Any]]:
    """Summary, min_points, threshold and cost per algorithm, in the registry's order; no kernel is imported if warm."""
    return _ours.facts()


def warmup(report: Report | None = None) -> Warmed:
    """Compile what is missing and load every entry, telling `report` of each step (None: a terminal, if there is one)."""
    before, _ours.report = _ours.report, report
    try:
        return _ours.warmup()
    finally:
        _ours.report = before


def cache_directory() -> Path:
    """Folder that holds this machine's native objects, or the cache folder that would be tried first."""
    return _ours.folder() or next(_cache.candidates(os.environ))


def load_table(name: str) -> np.ndarray[Any, Any] | None:
    """Array kept by `save_table` in an earlier process, or None."""
    return _ours.load_table(name)


def save_table(name: str, array: np.ndarray[Any, Any]) -> bool:
    """Keep an array beside the native objects, atomically; False where there is no place for it."""
    return _ours.save_table(name, array)

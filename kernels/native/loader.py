"""Kernel entries that start at once: machine code kept between processes, called without importing numba.

`entry("score")` looks for this machine's native object in the cache folder (`ridgeline.kernels.native.cache`), checks its
SHA-256 and loads it through ctypes (`ridgeline.kernels.native.call`). If there is none, a child process compiles it
(`ridgeline.kernels.native.builder`), once: numba itself costs a start 0.5 s, its own cache another half. Where no folder can
keep it, it is compiled for this process alone; where no child can run, numba does it here: slow to start, same results.

Importing this module imports neither numba nor any kernel module; they come in only on the slow way.
Entries are the modules `kernels/*/entry.py`, each with a `SIGNATURE` and a compiled function `run`. A `Recipe` names them,
so another set of kernels (users' own, tests') gets objects of its own by a recipe of its own, without recompiling ours.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ridgeline.kernels.native import cache
from ridgeline.kernels.native.call import Entry, load_library, load_numba, load_object

Report = Callable[[str], None]
_PATIENCE: Final = 300.0  # seconds that a start waits while another process builds the same objects


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to compile: entry name -> module, the sources it all depends on, and "module:function" of the facts."""

    entries: Mapping[str, str]
    sources: tuple[Path, ...]
    facts: str


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
class NativeCache:
    """The entries, facts and tables of one recipe, as this process sees them.

    A stamp's folder holds per entry NAME.o, NAME.so (where a linker made one) and NAME.json, which is published last and
    carries the signature and both checksums; facts.json; and NAME.table per table.
    """

    recipe: Recipe = RECIPE
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    report: Report | None = None
    problem: str = ""
    _entries: dict[str, Entry] = field(default_factory=dict)
    _compiled: dict[str, float] = field(default_factory=dict)
    _facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _damaged: set[tuple[str, int, int]] = field(default_factory=set)
    _known_stamp: str = ""
    _lock: Any = field(default_factory=threading.RLock)

    def entry(self, name: str) -> Entry:
        """Callable of one entry, loaded once per process; KeyError for a name that the recipe lacks."""
        return self.prepare(name)[name]

    def prepare(self, *names: str) -> dict[str, Entry]:
        """Several entries at once: what is missing is compiled in parallel."""
        with self._lock:
            for name in names:
                if name not in self.recipe.entries:
                    raise KeyError(f"no kernel entry is called {name!r}; there are {', '.join(self.recipe.entries)}")
            missing = {name for name in names if name not in self._entries}
            if missing:
                self._entries |= self._load_all(missing)
            for name in missing - self._entries.keys():
                self._entries[name] = self._plain(name)
            return {name: self._entries[name] for name in names}

    def facts(self) -> dict[str, dict[str, Any]]:
        """Facts per algorithm in the registry's order: summary, min_points, threshold, cost."""
        with self._lock:
            for folder in self._folders():
                if not self._facts:
                    with contextlib.suppress(OSError, ValueError):
                        self._facts = cache.unseal((folder / "facts.json").read_text())
            if not self._facts:
                # No reason to compile anything: the kernel modules can be imported, if slowly.
                from ridgeline.kernels.native.builder import read_facts  # noqa: PLC0415

                self._facts = read_facts(self.recipe.facts)
            return dict(self._facts)

    def folder(self) -> Path | None:
        """First folder of this stamp that exists and may be trusted, else None."""
        return next(self._folders(), None)

    def warmup(self) -> Warmed:
        """Compile what is missing and load every entry."""
        found = self.prepare(*self.recipe.entries)
        origins = {name: entry.origin for name, entry in found.items()}
        return Warmed(self.folder(), dict(self._compiled), origins, self.problem)

    def load_table(self, name: str) -> np.ndarray[Any, Any] | None:
        """Array kept by `save_table`, or None where there is none or it is damaged."""
        for folder in self._folders():
            with contextlib.suppress(OSError, ValueError):
                content = (folder / f"{name}.table").read_bytes()
                if hashlib.sha256(content[32:]).digest() == content[:32]:
                    found: np.ndarray[Any, Any] = np.load(io.BytesIO(content[32:]), allow_pickle=False)
                    return found
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
            cache.write_atomically(folder / f"{name}.table", hashlib.sha256(content).digest() + content)
        except OSError:
            return False
        return True

    def _load_all(self, names: set[str]) -> dict[str, Entry]:
        """Those of the entries that native code can be had for: from the cache, built, or rebuilt once."""
        if self.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
            return {}
        found: dict[str, Entry] = {}
        for folder in self._folders():
            found |= self._load_from(folder, names - found.keys())
        if names == found.keys() or not self._build(names - found.keys(), found):
            return found
        for folder in self._folders():
            found |= self._load_from(folder, names - found.keys())
        if names != found.keys():
            self._complain(
                f"native code of {', '.join(sorted(names - found.keys()))} cannot be loaded, even made afresh"
            )
        return found

    def _load_from(self, folder: Path, names: set[str]) -> dict[str, Entry]:
        found = {}
        for name in names:
            with contextlib.suppress(OSError, ValueError):
                known = cache.unseal((folder / f"{name}.json").read_text())
                if _identity(folder, name) in self._damaged:
                    continue
                entry = (
                    self._plain(name, known["unbuildable"]) if "unbuildable" in known else _load(name, folder, known)
                )
                if entry is None:  # truncated, overwritten, or of a file system that lost data
                    self._damaged.add(_identity(folder, name))
                else:
                    cache.mark_used(folder)
                    found[name] = entry
        return found

    def _plain(self, name: str, reason: str = "") -> Entry:
        if reason:
            self._complain(reason)
        self._say(f"compiling kernel entry {name} in memory")
        loaded = importlib.import_module(self.recipe.entries[name])
        return load_numba(loaded.run, name, loaded.SIGNATURE)

    def _folders(self) -> Iterator[Path]:
        """Folders of this stamp that exist and may be trusted, in the order of the candidates."""
        stamp = self._stamp()
        for root in cache.candidates(self.environ):
            folder = root / stamp
            if folder.is_dir() and not cache.refusal(root) and not cache.refusal(folder):
                yield folder

    def _stamp(self) -> str:
        if not self._known_stamp:
            self._known_stamp = self._stamp_now()
        return self._known_stamp

    def _stamp_now(self) -> str:
        extra = repr((dict(self.recipe.entries), self.recipe.facts))
        return cache.stamp(self.recipe.sources, extra, self.environ)

    def _build(self, names: set[str], found: dict[str, Entry]) -> bool:
        """Compile into the first cache folder that takes it, else for this process alone (then `found` has them).

        True where the entries may now be loaded from a folder; False where there is nothing more to try.
        """
        from ridgeline.kernels.native.children import BuildError  # noqa: PLC0415 - nothing for a warm start

        complaints: list[str] = []
        try:
            for root in cache.candidates(self.environ):
                reason = cache.refusal(root) or cache.refusal(root / self._stamp())
                try:
                    if reason is None:
                        self._build_in(root, names, found)
                        if complaints:
                            _warn(f"{complaints[0]}; kernels are kept in {root} instead")
                        return True
                except OSError as error:
                    reason = error.strerror or str(error)
                complaints.append(f"the kernel cache folder {root} cannot be used: {reason}")
            self._complain(f"{'; '.join(complaints)}; set RIDGELINE_CACHE_DIR to a folder that only you can write to")
            found |= self._build_for_now(names)
        except BuildError as error:
            self._complain(f"compiling native kernels failed ({error})")
        return False

    def _build_in(self, root: Path, names: set[str], found: dict[str, Entry]) -> None:
        folder = root / self._stamp()
        cache.make_folder(root)
        with cache.locked(root / f"{folder.name}.lock", _PATIENCE):
            # Another process may have built some while we waited.
            missing = {name for name in names if not self._is_whole(folder, name)}
            if not missing:
                return
            temporary = root / f".build-{folder.name}-{os.getpid()}-{time.monotonic_ns()}"
            temporary.mkdir(mode=0o700)
            try:
                self._compile(temporary, missing)
                if self._stamp_now() != self._stamp():
                    # Somebody edits the sources: this code serves this process, but must not be kept under the stamp.
                    found |= self._load_from(temporary, missing)
                    return
                folder.mkdir(mode=0o700, exist_ok=True)
                # A NAME.json vouches for what was published before it.
                for path in sorted(temporary.iterdir(), key=lambda path: path.suffix == ".json"):
                    path.replace(folder / path.name)
                self._say(f"kernels are kept in {folder}")
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            cache.sweep(root)

    def _is_whole(self, folder: Path, name: str) -> bool:
        try:
            return _identity(folder, name) not in self._damaged and bool(
                cache.unseal((folder / f"{name}.json").read_text())
            )
        except (OSError, ValueError):
            return False

    def _build_for_now(self, names: set[str]) -> dict[str, Entry]:
        """Entries compiled into a folder that goes away: code, once loaded, needs its files no longer."""
        import tempfile  # noqa: PLC0415 - nothing for a warm start

        try:
            with tempfile.TemporaryDirectory(prefix="ridgeline-", dir=self.environ.get("TMPDIR")) as folder:
                self._compile(Path(folder), names)
                return self._load_from(Path(folder), names)
        except OSError:
            return {}

    def _compile(self, folder: Path, names: set[str]) -> None:
        """Compile entries into the folder, in as many child processes as there are CPUs, two at most."""
        from ridgeline.kernels.native.children import run_children  # noqa: PLC0415 - nothing for a warm start

        started = time.monotonic()
        self._say("compiling kernels for this machine, once (10-30 s) ...")
        ordered = [name for name in self.recipe.entries if name in names]
        jobs = [{"name": name, "module": self.recipe.entries[name], "folder": str(folder)} for name in ordered]
        jobs[-1]["facts"] = self.recipe.facts
        for done, name in enumerate(run_children(jobs, min(2, len(os.sched_getaffinity(0))), self.environ), 1):
            self._compiled[name] = cache.unseal((folder / f"{name}.json").read_text())["seconds"]
            self._say(f"compiled kernel entry {name} ({done} of {len(names)}) in {self._compiled[name]:.1f} s")
        self._say(f"kernels compiled in {time.monotonic() - started:.0f} s")

    def _say(self, sentence: str) -> None:
        if self.report is not None:
            self.report(sentence)
        elif sys.stderr is not None and sys.stderr.isatty():
            print(f"ridgeline: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - progress, on a terminal only

    def _complain(self, problem: str) -> None:
        if not self.problem:
            self.problem = problem
            _warn(f"{problem}; until then kernels are compiled anew at each start, which is slow")


def _load(name: str, folder: Path, known: Mapping[str, Any]) -> Entry | None:
    """Entry from the library, or where this place lets none be loaded (noexec) from the object; None if damaged."""
    if known["library"] is not None:
        library = folder / f"{name}.so"
        if not library.exists() or hashlib.sha256(library.read_bytes()).hexdigest() != known["library"]:
            return None
        with contextlib.suppress(OSError, AttributeError):
            return load_library(library, name, known["signature"])
    code = folder / f"{name}.o"
    if not code.exists() or hashlib.sha256(code.read_bytes()).hexdigest() != known["object"]:
        return None
    with contextlib.suppress(OSError):
        return load_object(code.read_bytes(), name, known["signature"])
    return None


def _identity(folder: Path, name: str) -> tuple[str, int, int]:
    """Tells a NAME.json from one that is published later."""
    found = (folder / f"{name}.json").stat()
    return str(folder / name), found.st_ino, found.st_mtime_ns


def _warn(sentence: str) -> None:
    import logging  # noqa: PLC0415 - 5 ms that most starts do not pay

    logging.getLogger("ridgeline.kernels").warning(sentence)


_ours: Final = NativeCache()


def entry(name: str) -> Entry:
    """Callable of the entry "decode", "score" or "replay": `entry(*arrays_and_numbers) -> int`, 0 = ok."""
    return _ours.entry(name)


def prepare(*names: str) -> dict[str, Entry]:
    """Several entries at once: on a first start they are compiled in parallel."""
    return _ours.prepare(*names)


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
    return _ours.folder() or next(cache.candidates(os.environ))


def load_table(name: str) -> np.ndarray[Any, Any] | None:
    """Array kept by `save_table` in an earlier process, or None."""
    return _ours.load_table(name)


def save_table(name: str, array: np.ndarray[Any, Any]) -> bool:
    """Keep an array beside the native objects, atomically; False where there is no place for it."""
    return _ours.save_table(name, array)

"""Having compiled what is missing: into the first cache folder that takes it, else for this process alone."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ridgeline.kernels.native.cache import Cache, Recipe
from ridgeline.kernels.native.children import BuildError, hear, start
from ridgeline.kernels.native.compiler import compile_into
from ridgeline.kernels.native.entries import Entry
from ridgeline.kernels.native.folder import Folder, opened
from ridgeline.kernels.native.places import candidates
from ridgeline.kernels.native.telling import Telling, warn
from ridgeline.kernels.native.waiting import MOST, Patience, StillCompiling, locked

_GRACE: Final = 30.0  # seconds after which a compiler that ought to have given up is ended
_left: Final[
    list[subprocess.Popen[bytes]]
] = []  # compilers that we no longer wait for, to be asked whether they have ended


class SourcesChangedError(Exception):
    """Somebody edited the sources while they were compiled: the stamp is another one now."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes entries of a recipe; `compiled` is given the seconds of each entry that this process had made."""

    recipe: Recipe
    environ: Mapping[str, str]
    cache: Cache
    telling: Telling
    compiled: dict[str, float]

    def make(self, names: set[str], waiting: Patience) -> dict[str, Entry | str]:
        """Those of the entries that could be made, loaded; the reason for one that cannot be.

        StillCompiling where the caller's time is up, SourcesChangedError; anything else becomes a complaint.
        """
        complaints: list[str] = []
        try:
            for place in candidates(self.environ):
                try:
                    self._make_in(place, names, waiting)
                except OSError as error:
                    complaints.append(f"the kernel cache folder {place} cannot be used: {error.strerror or error}")
                    continue
                if complaints:
                    warn(f"{'; '.join(complaints)}; kernels are kept in {place} instead")
                return self._made(names)
            remedy = "set RIDGELINE_CACHE_DIR to a folder that only you can write to"
            self.telling.complain(f"{'; '.join(complaints)}; {remedy}")
            return self._make_for_now(names, waiting)
        except BuildError as error:
            self.telling.complain(f"compiling native kernels failed ({error})")
        return {}

    def _made(self, names: set[str]) -> dict[str, Entry | str]:
        found = self.cache.load(names)
        if names != found.keys():
            lost = ", ".join(sorted(names - found.keys()))
            self.telling.complain(f"native code of {lost} cannot be loaded, even made afresh")
        return found

    def _make_in(self, place: Path, names: set[str], waiting: Patience) -> None:
        """Have what is missing in this cache folder compiled into it, by a process that outlives this one if it must."""
        stamp = self.cache.stamp
        for compiler in [*_left]:
            if compiler.poll() is not None:
                _left.remove(compiler)

        def busy() -> None:
            self.telling.announce("another process is compiling the kernels for this machine; waiting for it ...")

        with opened(place, create=True) as folder, locked(folder, f"{stamp}.lock", waiting, busy) as lock:
            # Another process may have built some while we waited.
            missing = {name: module for name, module in self._wanted(names) if not self._is_whole(folder, name)}
            if not missing:
                return
            self._announce()
            request = {
                "entries": missing, "facts": self.recipe.facts, "place": str(place), "stamp": stamp,
                "sources": [str(source) for source in self.recipe.sources], "extra": self.recipe.extra,
            }  # fmt: skip
            compiler = start(
                "compiler", request, stderr=subprocess.STDOUT, env=dict(self.environ),
                pass_fds=[lock.fileno()], start_new_session=True,
            )  # fmt: skip
        self._follow(compiler, len(missing), waiting)

    def _wanted(self, names: set[str]) -> Iterator[tuple[str, str]]:
        return ((name, module) for name, module in self.recipe.entries.items() if name in names)

    def _is_whole(self, folder: Folder, name: str) -> bool:
        try:
            with folder.inner(self.cache.stamp) as inner:
                return self.cache.known(inner, name) is not None
        except OSError:
            return False

    def _follow(self, compiler: subprocess.Popen[bytes], count: int, waiting: Patience) -> None:
        """Pass on what the compiler tells, until it has done its work."""
        try:
            told, said = self._listen(compiler, count, waiting)
        finally:
            if compiler.poll() is None:
                _left.append(compiler)
        if "changed" in told:
            raise SourcesChangedError
        if "unusable" in told:
            raise OSError(told["unusable"])
        if "kept" not in told:
            raise BuildError(told.get("failed") or said or f"exit code {compiler.returncode}")
        self.telling.say(f"kernels are kept in {told['kept']}")

    def _listen(self, compiler: subprocess.Popen[bytes], count: int, waiting: Patience) -> tuple[dict[str, Any], str]:
        """All that the compiler told, and the last line that was something else."""
        told: dict[str, Any] = {}
        said = ""
        for line in _lines(compiler, waiting):
            found = hear(line)
            if not found:
                said = line.decode(errors="replace") or said
            told |= found
            if "compiled" in found:
                self._count(found["compiled"], found["seconds"], count)
        return told, said

    def _count(self, name: str, seconds: float, count: int) -> None:
        self.compiled[name] = seconds
        self.telling.say(f"compiled kernel entry {name} ({len(self.compiled)} of {count}) in {seconds:.1f} s")

    def _make_for_now(self, names: set[str], waiting: Patience) -> dict[str, Entry | str]:
        """Entries compiled into a folder that goes away: code, once loaded, needs its files no longer."""
        self._announce()
        try:
            with (
                tempfile.TemporaryDirectory(prefix="ridgeline-", dir=self.environ.get("TMPDIR")) as path,
                opened(Path(path).absolute()) as folder,
            ):
                entries = dict(self._wanted(names))
                for name, seconds in compile_into(folder, entries, self.recipe.facts, self.environ, waiting):
                    self._count(name, seconds, len(names))
                return self.cache.load_from(folder, names)
        except OSError:
            return {}
        except StillCompiling as error:
            raise StillCompiling(f"there was no time to compile the kernels, and {self.telling.problem}") from error

    def _announce(self) -> None:
        self.telling.announce("compiling the kernels for this machine, once (10-30 s) ...")


def _lines(compiler: subprocess.Popen[bytes], waiting: Patience) -> Iterator[bytes]:
    """Lines of the compiler's output until it ends; StillCompiling where the caller's time is up."""
    assert compiler.stdout is not None
    end = time.monotonic() + MOST + _GRACE
    rest = b""
    with compiler.stdout as pipe:
        while True:
            if time.monotonic() > end:
                compiler.kill()
            if not select.select([pipe], [], [], min(waiting.left, 1.0))[0]:
                waiting.pause(0.0)
                continue
            chunk = os.read(pipe.fileno(), 1 << 16)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
    compiler.wait(_GRACE)
    yield rest

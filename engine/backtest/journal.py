"""Remembers finished parts, so that a killed backtest resumes where it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ridgeline.engine.backtest.incidents import Incident
from ridgeline.engine.backtest.manifest import checksum
from ridgeline.engine.backtest.part import Done
from ridgeline.io.disk.atomic import sweep_orphans, write_atomic
from ridgeline.io.errors import InputError

FOLDER: Final = ".parts"
IDENTITY: Final = "backtest.json"


class Journal:
    """One small JSON file per finished part, in a hidden folder of the output, gone once the manifest is written."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._folder = output / FOLDER

    def open(self, identity: Mapping[str, str], *, resume: bool) -> dict[int, Done]:
        """Start, or resume what has the same `identity`; the finished parts by number.

        Raises InputError when the folder already holds a backtest that may not be continued.
        """
        known = self._folder / IDENTITY
        if not resume:
            if known.exists() or (self._output / "manifest.json").exists():
                raise InputError(
                    f"{self._output} already holds a backtest: choose another folder, or continue with --resume"
                )
        elif known.exists() and (before := json.loads(known.read_text(encoding="utf-8"))) != dict(identity):
            changed = ", ".join(sorted(key for key in identity if before.get(key) != identity[key]))
            raise InputError(f"{self._output} cannot be resumed: {changed} changed since it was started")
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._output / "scores").mkdir(exist_ok=True)
        for folder in (self._output, self._output / "scores", self._folder):
            sweep_orphans(folder)
        write_atomic(known, json.dumps(dict(identity)).encode())
        return {done.number: done for done in map(self._read, sorted(self._folder.glob("part-*.json"))) if done}

    def add(self, done: Done) -> None:
        """Remember a finished part."""
        write_atomic(self._folder / f"part-{done.number:05d}.json", json.dumps(asdict(done)).encode())

    def close(self) -> None:
        """Forget everything: the manifest now says it."""
        shutil.rmtree(self._folder)

    def _read(self, path: Path) -> Done | None:
        """A finished part, unless its file of scores is gone or differs."""
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            incidents = tuple(Incident(**{**i, "algorithms": tuple(i["algorithms"])}) for i in found.pop("incidents"))
            noisiest = tuple((name, pages, hits) for name, pages, hits in found.pop("noisiest"))
            done = Done(**found, incidents=incidents, noisiest=noisiest)
        except (ValueError, TypeError, KeyError):
            return None
        scores = self._output / "scores" / str(done.file)
        if done.file is not None and (not scores.is_file() or checksum(scores) != done.file_sha256):
            return None
        return done

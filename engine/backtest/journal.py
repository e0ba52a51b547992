"""Remembers finished parts, so that a killed backtest resumes where it was.

Each part's record is sealed with a checksum: one that is damaged, or was not written by us, is computed again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ridgeline.engine.backtest.incidents import Incident
from ridgeline.engine.backtest.manifest import checksum, digest
from ridgeline.engine.backtest.part import Done
from ridgeline.engine.backtest.trails import FOLDER, trail_file
from ridgeline.io.disk.atomic import sweep_orphans, write_atomic
from ridgeline.io.disk.target import check_folder
from ridgeline.io.errors import InputError, OutputError

IDENTITY: Final = "backtest.json"
MANIFEST: Final = "manifest.json"
_ANOTHER: Final = "choose another folder"


class Journal:
    """One small JSON file per finished part, in a hidden folder of the output, gone once the manifest is written."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._folder = output / FOLDER

    def finished(self, identity: Mapping[str, str], *, resume: bool) -> dict[str, Any] | None:
        """The manifest of a backtest that is complete here and may be resumed; None where there is none.

        Raises InputError where the folder holds one that may not be continued: without `resume`, with another
        `identity`, or with files that are not what its manifest says.
        """
        if not (self._output / MANIFEST).exists():
            return None
        if not resume:
            raise InputError(f"{self._output} already holds a backtest: {_ANOTHER}, or continue with --resume")
        manifest = self._manifest()
        self._must_equal({key: manifest.get(f"{key}_sha256") for key in identity}, identity)
        for name, expected in manifest["checksums"].items():
            path = self._output / name
            if not path.is_file() or checksum(path) != expected:
                raise InputError(f"{path} is not what {MANIFEST} says, so nothing is resumed: {_ANOTHER}")
        return manifest

    def open(self, identity: Mapping[str, str], *, resume: bool) -> dict[int, Done]:
        """Start, or resume what has the same `identity`; the finished parts by number.

        Raises InputError when the folder already holds a backtest that may not be continued.
        """
        known = self._folder / IDENTITY
        for folder in (self._folder, self._output / "scores"):
            check_folder(folder)
        if known.exists():
            if not resume:
                raise InputError(f"{self._output} already holds a backtest: {_ANOTHER}, or continue with --resume")
            self._must_equal(_unsealed(known), identity)
        try:
            for folder in (self._folder, self._output / "scores"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make a folder in {self._output}: {error.strerror or error}") from error
        for folder in (self._output, self._output / "scores", self._folder):
            sweep_orphans(folder)
        write_atomic(known, _sealed(dict(identity)))
        return {done.number: done for done in map(self._read, sorted(self._folder.glob("part-*.json"))) if done}

    def add(self, done: Done) -> None:
        """Remember a finished part."""
        write_atomic(self._folder / f"part-{done.number:05d}.json", _sealed(asdict(done)))

    def close(self) -> None:
        """Forget everything: the manifest now says it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _must_equal(self, before: Mapping[str, Any] | None, identity: Mapping[str, str]) -> None:
        if before is None:
            raise InputError(f"{self._output} cannot be resumed: its {FOLDER}/{IDENTITY} is damaged; {_ANOTHER}")
        changed = ", ".join(sorted(key for key in identity if before.get(key) != identity[key]))
        if changed:
            raise InputError(f"{self._output} cannot be resumed: {changed} changed since it was started; {_ANOTHER}")

    def _manifest(self) -> dict[str, Any]:
        path = self._output / MANIFEST
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            found["data_sha256"] = found["data"]["sha256"]
            assert all(isinstance(value, str) for value in found["checksums"].values())
        except (OSError, ValueError, TypeError, KeyError, AttributeError, AssertionError) as error:
            raise InputError(f"{path} is not a manifest that can be resumed from: {_ANOTHER}") from error
        return found

    def _read(self, path: Path) -> Done | None:
        """A finished part, unless its record is damaged, or its file of scores or its trail is gone or differs."""
        found = _unsealed(path)
        if found is None:
            return None
        try:
            incidents = tuple(
                Incident(**{**i, "algorithms": tuple(i["algorithms"]), "channels": tuple(i["channels"])})
                for i in found.pop("incidents")
            )
            done = Done(**found, incidents=incidents)
        except (ValueError, TypeError, KeyError):
            return None
        files = {trail_file(self._output, done.number): done.trail_sha256}
        if done.file is not None:
            files[self._output / "scores" / done.file] = str(done.file_sha256)
        whole = all(path.is_file() and checksum(path) == expected for path, expected in files.items())
        return done if whole else None


def _sealed(document: dict[str, Any]) -> bytes:
    """A document with its checksum, as JSON."""
    return json.dumps({"document": document, "sha256": digest(document)}).encode()


def _unsealed(path: Path) -> dict[str, Any] | None:
    """The document of a sealed file, or None where its checksum is not right."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        document = found["document"]
        intact = isinstance(document, dict) and digest(document) == found["sha256"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return document if intact else None

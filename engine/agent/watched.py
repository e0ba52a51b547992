"""The configuration, read again when its file has changed; the one before is kept where the new one is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.model import Config
from ridgeline.io.errors import InputError

Signature = tuple[int, int, int] | None


@dataclass(slots=True)
class Watched:
    """`current` is the configuration in force; `say` is told of changes and of what is wrong with them, once each."""

    path: Path
    say: Callable[[str], None]
    load: Callable[[Path], Config] = load_config
    current: Config = field(init=False)
    _seen: Signature = field(init=False)

    def __post_init__(self) -> None:
        self._seen = _signature(self.path)
        self.current = self.load(self.path)

    def look(self) -> Config:
        """Read the file again if it has changed since it was read last, and return the configuration in force."""
        found = _signature(self.path)
        if found != self._seen:
            self._seen = found
            try:
                self.current = self.load(self.path)
            except InputError as error:
                for line in getattr(error, "lines", (str(error),)):
                    self.say(line)
                self.say(f"the change of {self.path} is not taken over: the configuration from before stays in force")
            else:
                self.say(f"{self.path} has changed and is in force")
        return self.current


def _signature(path: Path) -> Signature:
    """What tells one version of a file from another; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

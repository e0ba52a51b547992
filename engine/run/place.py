"""Where the memory of a configuration lies, and whose it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ridgeline.io.disk.lock import source_hash, state_folder

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config
    from ridgeline.io.memory.owner import Owner


class Place(NamedTuple):
    """A file, and the owner whose rows it holds."""

    path: Path
    owner: Owner


def place_of(config: Config) -> Place | None:
    """The place of this configuration's memory; None where it keeps none: by its own wish, or with files as its source.

    Without `[analysis] memory` it is one of its own for each source and shard, in the output directory, else the state
    folder. Raises InputError where there is no such folder.
    """
    chosen = config.analysis.memory
    if chosen is False or config.source.kind != "redis":
        return None
    from ridgeline.io.memory.owner import Owner

    settings, shard = config.source.settings, config.shards.name
    if isinstance(chosen, Path):
        path = chosen
    else:
        folder = config.output.directory or state_folder()
        path = folder / f"memory-{source_hash(settings.identity(), shard)}"
    database = str(settings.place().database)
    configuration = "" if config.path is None else str(config.path.resolve())
    return Place(path, Owner(f"redis {settings.where()}", database, settings.namespace, shard, configuration))

"""Reads `ridgeline.toml` as a whole: a checked Config, or every problem at once with its key path and line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.config.alerters import read_alerters
from ridgeline.engine.config.alerting import (
    read_alerts,
    read_delivery,
    read_external_alerts,
    read_links,
    read_stale_digest,
)
from ridgeline.engine.config.apart import keep_apart
from ridgeline.engine.config.lines import KeyPath, key_lines
from ridgeline.engine.config.model import Config
from ridgeline.engine.config.preparation import read_preparation
from ridgeline.engine.config.problems import ConfigError, Problem, Problems
from ridgeline.engine.config.reader import Table
from ridgeline.engine.config.remote import read_remote_files, read_remotes
from ridgeline.engine.config.sections import (
    read_agent,
    read_airgaps,
    read_analysis,
    read_output,
    read_override_tables,
    read_run,
)
from ridgeline.engine.config.shards import read_shards
from ridgeline.engine.config.siblings import read_archive, read_batch, read_handoff, read_second_stage
from ridgeline.engine.config.source import read_source
from ridgeline.engine.config.statistics import read_log, read_statistics
from ridgeline.io.errors import InputError
from ridgeline.io.small import read_small

if TYPE_CHECKING:
    from ridgeline.engine.config.sections import Try

LARGEST: Final = 4 << 20  # bytes: ten thousand overrides take one million
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load_config(path: Path, environ: Mapping[str, str] = os.environ, trial: Try | None = None) -> Config:
    """Read and check a configuration file.

    Raises ConfigError with all problems; InputError where the file cannot be read at all. Secrets are looked up in
    `environ` and in the files named. `trial` tries users' algorithms out, which takes seconds; None: they are only
    looked for.
    """
    return parse_config(read_file(path), path, environ, trial)


def parse_config(raw: bytes, path: Path, environ: Mapping[str, str] = os.environ, trial: Try | None = None) -> Config:
    """Check a configuration given as bytes; `path` only names it. Raises ConfigError."""
    return examine(raw, path, environ, trial)[0]


def examine(
    raw: bytes, path: Path, environ: Mapping[str, str] = os.environ, trial: Try | None = None
) -> tuple[Config, Table]:
    """The same, and the whole as a table, with notes of every key that was asked for. Raises ConfigError."""
    if len(raw) > LARGEST:
        raise InputError(f"the configuration {path} is larger than {LARGEST:,} bytes")
    text, values = _parse(raw, str(path))
    top = Table(values, (), Problems(key_lines(text)))
    config = read_tables(top, path, environ, trial)
    if top.problems.found:
        raise ConfigError(str(path), top.problems.found)
    return config, top


def read_file(path: Path) -> bytes:
    """The bytes of a configuration file. Raises InputError where it cannot be read."""
    try:
        return read_small(path, LARGEST)
    except FileNotFoundError:
        raise InputError(f"there is no configuration file {path}; `ridgeline config init {path}` writes one") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the configuration file {path}: {reason}") from error


def _parse(raw: bytes, file: str) -> tuple[str, dict[str, Any]]:
    try:
        text = raw.decode("utf-8-sig")
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        at = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(file, [Problem((), at, "is not UTF-8 text")]) from None
    except RecursionError:
        raise ConfigError(file, [Problem((), None, "lists or tables are nested too deeply")]) from None
    except ValueError as error:
        message = str(error)
        place = _PLACE.search(message)
        line = int(place[1]) if place and place[1] else raw.count(b"\n") + 1 if place else None
        sentence = message[: place.start()] if place else "holds a value that cannot be read"
        raise ConfigError(file, [Problem((), line, f"this is not TOML: {sentence}")]) from None


def read_tables(top: Table, path: Path, environ: Mapping[str, str], trial: Try | None = None) -> Config:
    """Read every table; what is wrong is noted in the problems of `top`, and its default stands in for it."""
    source = read_source(top, environ)
    analysis, algorithms = read_analysis(top, trial)
    overrides = read_override_tables(top, analysis, algorithms)
    preparation = read_preparation(top)
    run = read_run(top)
    alerts = read_alerts(top)
    stale_digest = read_stale_digest(top)
    used: list[tuple[KeyPath, str]] = [
        (("alert", at, "strategy"), name) for at, row in alerts for name in row.strategies
    ]
    used += [(("stale_digest", "strategy"), name) for name in stale_digest.strategies] if stale_digest else []
    alerters = read_alerters(top, used, environ)
    delivery, links = read_delivery(top), read_links(top)
    external, airgaps, output = read_external_alerts(top, environ), read_airgaps(top), read_output(top)
    handoff = read_handoff(top, books=source.kind == "redis" and analysis.bookkeeping)
    second_stage, batch = read_second_stage(top, analysis.full_duration), read_batch(top)
    archive, shards = read_archive(top, analysis.full_duration), read_shards(top)
    remotes, remote_files = read_remotes(top, environ), read_remote_files(top)
    statistics, log, agent = read_statistics(top, environ), read_log(top), read_agent(top)
    keep_apart(top.problems, path, source, output, statistics, log, archive, remote_files)
    top.finish()
    rows = tuple(alert for _, alert in alerts)
    warnings = tuple(problem.show(str(path)) for problem in top.problems.warnings)
    return Config(
        path,
        source,
        analysis,
        run,
        overrides,
        rows,
        alerters,
        delivery,
        links,
        stale_digest=stale_digest,
        external_alerts=external,
        airgaps=airgaps,
        handoff=handoff,
        second_stage=second_stage,
        batch=batch,
        archive=archive,
        shards=shards,
        remotes=remotes,
        remote_files=remote_files,
        output=output,
        statistics=statistics,
        log=log,
        agent=agent,
        warnings=warnings,
        preparation=preparation,
    )

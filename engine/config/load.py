"""Reads `ridgeline.toml` as a whole: a checked Config, or every problem at once with its key path and line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ridgeline.engine.config.alerting import read_alerters, read_alerts
from ridgeline.engine.config.known import known_algorithms, known_profiles
from ridgeline.engine.config.lines import key_lines
from ridgeline.engine.config.model import Config, Delivery, Output, Run
from ridgeline.engine.config.override import read_override
from ridgeline.engine.config.problems import ConfigError, Problem, Problems
from ridgeline.engine.config.reader import Table
from ridgeline.engine.config.source import read_source
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override, impossible
from ridgeline.engine.rules.policy import MOST_VOTES, Policy, consensus_fault
from ridgeline.io.errors import InputError

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration file.

    Raises ConfigError with all problems; InputError where the file cannot be read at all. Secrets are looked up in
    `environ` and in the files named.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"there is no configuration file {path}; `ridgeline config init {path}` writes one") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the configuration file {path}: {reason}") from error
    return parse_config(raw, path, environ)


def parse_config(raw: bytes, path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Check a configuration given as bytes; `path` only names it. Raises ConfigError."""
    text, values = _parse(raw, str(path))
    problems = Problems(key_lines(text))
    config = _read(Table(values, (), problems), path, environ)
    if problems.found:
        raise ConfigError(str(path), problems.found)
    return config


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


def _read(top: Table, path: Path, environ: Mapping[str, str]) -> Config:
    source = read_source(top, environ)
    analysis, algorithms = _read_analysis(top)
    overrides = _read_overrides(top, analysis, algorithms)
    run = _read_run(top)
    alerts = read_alerts(top)
    alerters = read_alerters(top, alerts, environ)
    delivery = _read_delivery(top)
    output = _read_output(top)
    top.finish()
    rows = tuple(alert for _, alert in alerts)
    warnings = tuple(problem.show(str(path)) for problem in top.problems.warnings)
    return Config(path, source, analysis, run, overrides, rows, alerters, delivery, output, warnings)


def _read_analysis(top: Table) -> tuple[Analysis, tuple[str, ...]]:
    """Read `[analysis]`; also return the names of all algorithms that may be used."""
    table, usual = top.table("analysis"), Analysis()
    modules = table.strings("modules", ())
    algorithms = known_algorithms(modules, lambda text: table.refuse("modules", text))
    analysis = Analysis(
        full_duration=table.duration("full_duration", usual.full_duration),
        consensus=table.integer("consensus", usual.consensus, low=1, high=MOST_VOTES),
        profile=table.choice("profile", known_profiles(), usual.profile),
        stale_period=table.duration("stale_period", None),
        algorithms=table.choices("algorithms", algorithms, (), "algorithm"),
        modules=modules,
        all_votes=table.boolean("all_votes", usual.all_votes),
    )
    table.finish()
    return analysis, algorithms


def _read_overrides(top: Table, analysis: Analysis, algorithms: tuple[str, ...]) -> tuple[Override, ...]:
    """Read every `[[override]]`, and check that each consensus can be reached."""
    places: list[int] = []
    overrides: list[Override] = []
    for at, table in enumerate(top.tables("override")):
        override = read_override(table, algorithms)
        if override is not None:
            places.append(at)
            overrides.append(override)
    policy = Policy(consensus=analysis.consensus, algorithms=analysis.algorithms or algorithms)
    fault = consensus_fault(policy.consensus, len(policy.algorithms))
    if fault is not None:
        key = "consensus" if "consensus" in top.values.get("analysis", {}) else "algorithms"
        top.problems.add(("analysis", key), fault)
        return tuple(overrides)
    for at, text in impossible(policy, overrides):
        key = "consensus" if overrides[at].consensus is not None else "algorithms"
        top.problems.add(("override", places[at], key), text)
    return tuple(overrides)


def _read_run(top: Table) -> Run:
    table, usual = top.table("run"), Run()
    run = Run(
        deadline=table.seconds("deadline", usual.deadline),
        threads=table.integer("threads", usual.threads, low=1, high=1024),
        max_memory=table.size("max_memory", usual.max_memory),
    )
    table.finish()
    return run


def _read_delivery(top: Table) -> Delivery:
    table, usual = top.table("delivery"), Delivery()
    delivery = Delivery(no_data_expiration=table.duration("no_data_expiration", usual.no_data_expiration))
    table.finish()
    return delivery


def _read_output(top: Table) -> Output:
    table = top.table("output")
    output = Output(directory=table.file("directory", None), state=table.file("state", None))
    table.finish()
    return output

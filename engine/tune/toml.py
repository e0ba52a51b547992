"""A setting as TOML that `config check`, `backtest` and `run` take unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.schedule import DAYS, Schedule
from ridgeline.engine.config.effective import as_toml
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.judgement import CONSENSUS
from ridgeline.engine.rules.overrides import Override
from ridgeline.engine.rules.policy import cutoffs_of
from ridgeline.engine.tune.configured import Configured
from ridgeline.engine.tune.patterns import pattern_of
from ridgeline.engine.tune.setting import Setting

# Strategies that need no table of their own; of all others a backtest keeps no address.
PLAIN: Final = ("console", "syslog")
ALWAYS: Final = ("full_duration", "rule", "rule_threshold", "consensus")
NEVER: Final = ("match", "strategies", "schedule", "external_id")

# Where series come from, and who hears of them, a backtest does not know.
SOURCE: Final = (
    "[source]  # your own in place of this one: `backtest` reads none",
    'kind = "redis"',
    'url = "redis://127.0.0.1:6379/0"',
)


def tuned(configured: Configured, setting: Setting, apart: Mapping[str, Setting]) -> Configured:
    """The configuration with a setting for everything, and others for the metrics of some prefixes.

    What is tuned no longer stands in its overrides and rules of alerting; all else stays.
    """
    column, analysis = setting.column, configured.analysis
    consensus = column.consensus if column.rule == CONSENSUS else analysis.consensus
    runs = None if setting.m_of_n == (1, 1) else setting.m_of_n
    changed = {} if column.cutoff is None else dict([column.cutoff])
    analysis = replace(
        analysis,
        rule=column.rule,
        consensus=consensus,
        rule_threshold=setting.threshold,
        m_of_n=runs,
        cutoffs=_times(analysis.cutoffs, changed, missing=True),
    )
    overrides = [_left(one, consensus, changed) for one in configured.overrides]
    overrides += [
        Override(
            pattern_of(prefix),
            rule=one.column.rule,
            rule_threshold=one.threshold,
            consensus=one.column.consensus if one.column.rule == CONSENSUS else None,
        )
        for prefix, one in apart.items()
    ]
    policy = replace(
        configured.policy,
        rule=analysis.rule,
        consensus=consensus,
        rule_threshold=setting.threshold,
        cutoffs=analysis.cutoffs,
    )
    alerts = tuple(replace(row, expiration=setting.expiration, m_of_n=None) for row in configured.alerts)
    kept = tuple(one for one in overrides if one != Override(one.match))
    return replace(configured, analysis=analysis, policy=policy, overrides=kept, alerts=alerts)


def _left(override: Override, consensus: int, changed: Mapping[str, float]) -> Override:
    """What of an override is not tuned; where it has too few algorithms for the consensus, all of them must vote."""
    few = override.algorithms is not None and len(override.algorithms) < consensus
    return replace(
        override,
        rule=None,
        rule_threshold=None,
        consensus=len(override.algorithms or ()) if few else None,
        m_of_n=None,
        cutoffs=_times(override.cutoffs, changed, missing=False),
    )


def _times(
    cutoffs: tuple[tuple[str, float], ...], changed: Mapping[str, float], *, missing: bool
) -> tuple[tuple[str, float], ...]:
    """Cutoffs multiplied by what was tuned; `missing`: those that are not there count as 1."""
    own = dict(cutoffs)
    if missing:
        own = {**dict.fromkeys(changed, 1.0), **own}
    return cutoffs_of((name, round(cutoff * changed.get(name, 1.0), 6)) for name, cutoff in own.items())


def text(configured: Configured, remarks: list[str]) -> str:
    """The whole file, the remarks as comments before everything."""
    lines = [f"# {remark}" for remark in remarks]
    lines += ["", *SOURCE, "", "[analysis]", *_keys(configured.analysis, Analysis(), ALWAYS)]
    usual = type(configured.preparation)()
    if configured.preparation != usual:
        lines += ["", "[preparation]", *_keys(configured.preparation, usual)]
    for override in configured.overrides:
        lines += ["", "[[override]]", f"match = {as_toml(override.match)}", *_keys(override, Override(override.match))]
    if configured.assumed:
        lines += ["", "# The backtest had no [[alert]]: this is what its pages were counted by."]
    for row in configured.alerts:
        if row.external_id is None:
            lines += ["", "[[alert]]", *_alert(row)]
    return "\n".join(lines) + "\n"


def _keys(found: Any, usual: Any, always: tuple[str, ...] = ()) -> Iterator[str]:
    """The keys of a dataclass that are not as usual."""
    for field in fields(found):
        value = getattr(found, field.name)
        if field.name not in NEVER and (field.name in always or value != getattr(usual, field.name)):
            yield f"{field.name} = {as_toml(_plain(field.name, value))}"


def _plain(name: str, value: Any) -> Any:
    if name in {"cutoffs", "thresholds"}:
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _alert(row: AlertRow) -> Iterator[str]:
    kept = dict.fromkeys(name if name in PLAIN else PLAIN[0] for name in row.strategies)
    if lost := [name for name in row.strategies if name not in PLAIN]:
        yield f'# was "{"|".join(row.strategies)}": a backtest keeps no [alerters.{lost[0]}]'
        row = replace(row, recipients=())
    yield f"match = {as_toml(row.match)}"
    yield f"strategy = {as_toml('|'.join(kept))}"
    yield from _keys(row, AlertRow(row.match, row.strategies), ("expiration",))
    if row.schedule is not None:
        yield f"schedule = {as_toml(_hours(row.schedule))}"


def _hours(schedule: Schedule) -> dict[str, Any]:
    """A schedule by the keys of a configuration."""
    found: dict[str, Any] = {"timezone": schedule.zone.key}
    if schedule.days != DAYS:
        found["days"] = list(schedule.days)
    for name, minute in (("from", schedule.start), ("to", schedule.end)):
        found[name] = f"{minute // 60:02}:{minute % 60:02}"
    return found

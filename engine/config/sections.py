"""Reads the tables that are about ourselves: `[analysis]`, `[[override]]`, `[run]`, `[output]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ridgeline.engine.config.cutoffs import read_cutoffs
from ridgeline.engine.config.known import known_algorithms, known_profiles
from ridgeline.engine.config.model import AgentPeriods, Output, Run
from ridgeline.engine.config.often import read_m_of_n
from ridgeline.engine.config.override import read_override
from ridgeline.engine.config.reader import Table
from ridgeline.engine.rules.airgaps import Airgaps
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.judgement import RULES
from ridgeline.engine.rules.overrides import Override, impossible
from ridgeline.engine.rules.policy import MOST_VOTES, MOST_WINDOW_POINTS, Policy, consensus_fault

if TYPE_CHECKING:
    from ridgeline.engine.rules.trial import Trial
    from ridgeline.engine.rules.user_algorithms import UserAlgorithm

    Try = Callable[[UserAlgorithm], Trial]


def read_analysis(top: Table, trial: Try | None = None) -> tuple[Analysis, tuple[str, ...]]:
    """Read `[analysis]`, trying users' algorithms out; also return the names of all algorithms that may be used."""
    table, usual = top.table("analysis"), Analysis()
    modules = table.strings("modules", ())
    nine, users = known_algorithms(modules, lambda text: table.refuse("modules", text))
    if trial is not None:
        for found in users:
            _try_out(table, found, trial)
    algorithms = (*nine, *(found.name for found in users))
    analysis = Analysis(
        full_duration=table.duration("full_duration", usual.full_duration),
        consensus=table.integer("consensus", usual.consensus, low=1, high=MOST_VOTES),
        profile=table.choice("profile", known_profiles(), usual.profile),
        stale_period=table.duration("stale_period", None),
        algorithms=table.choices("algorithms", algorithms, (), "algorithm"),
        modules=modules,
        skip=table.patterns("skip"),
        second_order=table.boolean("second_order", usual.second_order),
        m_of_n=read_m_of_n(table),
        all_votes=table.boolean("all_votes", usual.all_votes),
        bookkeeping=table.boolean("bookkeeping", usual.bookkeeping),
        resolution_aware=table.boolean("resolution_aware", usual.resolution_aware),
        memory=table.file_or_none("memory"),
        min_window_points=table.integer("min_window_points", usual.min_window_points, low=0, high=MOST_WINDOW_POINTS),
        rule=table.choice("rule", RULES, usual.rule),
        rule_threshold=table.number("rule_threshold", usual.rule_threshold, above=True),
        cutoffs=read_cutoffs(table, algorithms, 1.0),
    )
    _check_reach(table, analysis.min_window_points, analysis)
    table.finish()
    return analysis, algorithms


def _check_reach(table: Table, points: int | None, analysis: Analysis) -> None:
    """Refuse windows by points under a profile that has no windows."""
    from ridgeline.engine.rules.profiles import profile_named, reach_fault

    fault = reach_fault(points or 0, profile_named(analysis.profile))
    if fault is not None:
        table.refuse("min_window_points", fault)


def _try_out(table: Table, found: UserAlgorithm, trial: Try) -> None:
    outcome = trial(found)
    if outcome.fault is not None:
        table.refuse("modules", outcome.fault)
    for remark in outcome.remarks:
        table.problems.warn((*table.path, "modules"), f"{remark}, and so has no vote there")


def read_override_tables(top: Table, analysis: Analysis, algorithms: tuple[str, ...]) -> tuple[Override, ...]:
    """Read every `[[override]]`, and check that each consensus can be reached."""
    places: list[int] = []
    overrides: list[Override] = []
    for at, table in enumerate(top.tables("override")):
        override = read_override(table, algorithms)
        if override is not None:
            places.append(at)
            overrides.append(override)
            _check_reach(table, override.min_window_points, analysis)
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


def read_run(top: Table) -> Run:
    """Read `[run]`: limits of one run."""
    table, usual = top.table("run"), Run()
    run = Run(
        deadline=table.seconds("deadline", usual.deadline),
        threads=table.integer("threads", usual.threads, low=1, high=1024),
        max_memory=table.size("max_memory", usual.max_memory),
    )
    table.finish()
    return run


def read_airgaps(top: Table) -> Airgaps:
    """Read `[airgaps]`: what is looked at for missing and for unsorted points."""
    table, usual = top.table("airgaps"), Airgaps()
    airgaps = Airgaps(
        identify=table.boolean("identify", usual.identify),
        check=table.patterns("check"),
        skip=table.patterns("skip"),
        max_period=table.duration("max_period", usual.max_period),
    )
    table.finish()
    return airgaps


def read_agent(top: Table) -> AgentPeriods:
    """Read `[agent]`: the periods of the one process that does it all."""
    table, usual = top.table("agent"), AgentPeriods()
    agent = AgentPeriods(
        run_every=table.seconds("run_every", usual.run_every),
        batch_every=table.duration("batch_every", usual.batch_every),
        manage_every=table.duration("manage_every", usual.manage_every),
    )
    table.finish()
    return agent


def read_output(top: Table) -> Output:
    """Read `[output]`: where files go."""
    table = top.table("output")
    output = Output(directory=table.file("directory", None), state=table.file("state", None))
    table.finish()
    return output

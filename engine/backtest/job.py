"""What every part of a backtest needs to know, from a configuration."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ridgeline.engine.config.model import Config
from ridgeline.engine.policy.rules import PagingRules
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.judgement import with_walks
from ridgeline.engine.rules.overrides import Override, rules_of
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import profile_named
from ridgeline.engine.rules.user_algorithms import UserAlgorithm, load_user_algorithms
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.engine.score.scorer import base_policy
from ridgeline.io.errors import InputError


@dataclass(frozen=True, slots=True)
class Steps:
    """Which steps are written: from `start` on and before `end` (epoch seconds), of each bucket of `every` s the last."""

    start: int | None = None
    end: int | None = None
    every: int | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise InputError("--from must be before --to: no step lies between them")


@dataclass(frozen=True, slots=True)
class Job:
    """All that is alike for every part, and travels to wherever the part is computed."""

    output: str
    plan: ReplayPlan
    policy: Policy
    overrides: tuple[Override, ...]
    paging: PagingRules
    skip: tuple[str, ...]
    keep_scores: bool

    @classmethod
    def of(
        cls,
        config: Config,
        output: Path,
        steps: Steps = Steps(),
        *,
        keep_scores: bool = True,
        user: tuple[UserAlgorithm, ...] | None = None,
        rules: tuple[str, ...] = (),
    ) -> Job:
        """The job that a configuration describes; `user` None: the algorithms of its modules and of entry points.

        rules: those whose scores of every metric are stored, beside the rules that metrics are judged by.

        Raises InputError for an unknown profile, an unreachable consensus, algorithms that cannot be loaded.
        """
        analysis = config.analysis
        if user is None:
            user = load_user_algorithms(analysis.modules, algorithm_names())
        return cls(
            output=str(output),
            plan=ReplayPlan(
                profile_named(analysis.profile),
                analysis.full_duration,
                steps.start,
                steps.end,
                steps.every,
                user,
                config.preparation,
                with_walks([*rules, *rules_of(analysis.rule, config.overrides)]),
                with_walks(rules),
            ),
            policy=base_policy(analysis, (*algorithm_names(), *(found.name for found in user))),
            overrides=config.overrides,
            paging=PagingRules.of(config),
            skip=analysis.skip,
            keep_scores=keep_scores,
        )

    def describe(self) -> dict[str, Any]:
        """What decides the data files, as JSON: the configuration that a resumed backtest must share."""
        return {
            "plan": self.plan.describe(),
            "policy": asdict(self.policy),
            "overrides": [asdict(override) for override in self.overrides],
            **self.paging.describe(),
            "skip": list(self.skip),
            "scores": self.keep_scores,
        }

"""All checks, in the order in which a person would look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ridgeline.engine.config.model import Config
from ridgeline.engine.doctor.algorithms import look_at_algorithms
from ridgeline.engine.doctor.channels import look_at_channels
from ridgeline.engine.doctor.check import Check, green, red, yellow
from ridgeline.engine.doctor.folders import look_at_folders
from ridgeline.engine.doctor.machine import look_at_kernels, look_at_machine
from ridgeline.engine.doctor.memory import look_at_memory
from ridgeline.engine.doctor.remotes import look_at_remotes
from ridgeline.engine.doctor.shards import look_at_shards
from ridgeline.engine.doctor.source import Plan, look_at_source
from ridgeline.engine.report.text import number
from ridgeline.engine.rules.overrides import check_judgement
from ridgeline.io.errors import RidgelineError


@dataclass(slots=True)
class Examination:
    """Looks at everything that a run with this configuration rests on; `plan` is known once the source was looked at."""

    config: Config
    now: Callable[[], float] = time.time
    plan: Plan | None = None
    found: list[Check] = field(default_factory=list)

    def checks(self) -> Iterator[Check]:
        """Each check as soon as it is done. One that fails for a reason of ours is red too, and the others go on."""
        config = self.config
        rooms: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
            ("machine", lambda: look_at_machine(config.run.threads)),
            ("kernels", look_at_kernels),
            ("configuration", lambda: _configuration(config)),
            ("algorithms", lambda: look_at_algorithms(config)),
            ("folders", lambda: look_at_folders(config)),
            ("alerts", lambda: look_at_channels(config)),
            ("shards", lambda: look_at_shards(config, self.now)),
            ("remote", lambda: look_at_remotes(config)),
            ("memory", lambda: look_at_memory(config, self.now)),
            ("source", lambda: look_at_source(config, self.now, self._keep)),
        )
        for name, look in rooms:
            try:
                for check in look():
                    self.found.append(check)
                    yield check
            except RidgelineError as error:
                check = red(name, str(error), "this must be mended first")
                self.found.append(check)
                yield check

    @property
    def sick(self) -> bool:
        """Whether something is red."""
        return any(check.status == "red" for check in self.found)

    def as_json(self) -> dict[str, Any]:
        """Return the object of `doctor --json`."""
        plan = None if self.plan is None else self.plan.as_json()
        return {"checks": [check.as_json() for check in self.found], "plan": plan}

    def _keep(self, plan: Plan) -> None:
        self.plan = plan


def _configuration(config: Config) -> Iterator[Check]:
    for warning in config.warnings:
        yield yellow("configuration", warning, "change it in the configuration")
    check_judgement("run", config.analysis.rule, config.overrides)
    if not config.warnings:
        where = "the defaults" if config.path is None else str(config.path)
        yield green(
            "configuration", f"{where}: profile {config.analysis.profile}, {number(len(config.overrides), 'override')}"
        )

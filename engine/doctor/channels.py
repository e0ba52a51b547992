"""Who is told, and by what."""

from __future__ import annotations

from collections.abc import Iterator

from ridgeline.engine.alerts.idle import idle_rules
from ridgeline.engine.config.model import Config
from ridgeline.engine.doctor.check import Check, green, yellow
from ridgeline.engine.report.text import number
from ridgeline.io.text import escape


def look_at_channels(config: Config) -> Iterator[Check]:
    """The strategies of the rules. A channel whose library is missing is an error of the configuration already."""
    used = list(dict.fromkeys(name for row in config.alerts for name in row.strategies))
    if not used:
        yield yellow("alerts", "there is no [[alert]]: nobody is told of anomalies", "add a rule, or read the outputs")
        return
    yield green(
        "alerts",
        f"{number(len(config.alerts), 'rule')}, by {escape(', '.join(used))}; `ridgeline alert test NAME` tries one",
    )
    for idle in idle_rules(config.alerts, config.analysis.skip):
        yield yellow("alerts", escape(idle), "put the rule for fewer metrics first, or take it out")
    unused = [name for name, _, _ in config.alerters.settings if name not in used]
    if unused:
        yield yellow(
            "alerts", f"no rule uses {escape(', '.join(unused))}", "name it in a rule's strategy, or take its table out"
        )

"""What the real Skyline did, run after run, as it was recorded (../shared/golden)."""

import ast
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

VARIANTS = ("ionosphere", "lean", "options", "second_order", "expiry_zero", "expiry_zero_first")
TRACES = ("main", *VARIANTS)
QUEUE = "skyline.graphite_metrics_single_submit"  # what Skyline has not yet sent to Graphite


@dataclass(frozen=True)
class Trace:
    """One recording: `main`, or a variant of the same scenario with other settings."""

    golden: Path
    name: str = "main"

    @cached_property
    def folder(self) -> Path:
        return self.golden / "runs" if self.name == "main" else self.golden / "variants" / self.name / "runs"

    @cached_property
    def runs(self) -> tuple[int, ...]:
        return tuple(sorted(int(path.name) for path in self.folder.iterdir()))

    @cached_property
    def scenario(self) -> dict:
        """The metrics, and how each was stored."""
        return json.loads((self.golden / "metrics.json").read_text())

    def clock(self, run: int) -> int:
        """The clock of a run, epoch seconds."""
        return self.scenario["clock_by_run"][str(run)]

    def _read(self, run: int, name: str):
        return json.loads((self.folder / str(run) / f"{name}.json").read_text())

    def verdicts(self, run: int) -> dict[str, dict]:
        """By metric: what the ensemble was given and said."""
        found = self._read(run, "verdicts")["verdicts"]
        return {name.removeprefix("metrics."): verdict for name, verdict in found.items()}

    def keys(self, run: int) -> dict[str, dict]:
        """Every key but the series after a run: type, ttl, value."""
        return self._read(run, "redis")["keys"]

    def rewritten(self, run: int) -> list[str]:
        """The metrics whose series Skyline rewrote."""
        return sorted(self._read(run, "redis")["series_keys_changed_by_skyline"])

    def files(self, run: int) -> list[dict]:
        """Every file that a run made, changed or deleted."""
        return self._read(run, "files")

    def posts(self, run: int) -> list[dict]:
        """The bodies of HTTP requests."""
        return [post["body"] for post in self._read(run, "http")["http"]]

    def syslog(self, run: int) -> list[tuple[int, str]]:
        """Priority (facility and severity) and text of each message."""
        return [
            (call["openlog"][0][2] | call["args"][0], call["args"][1]) for call in self._read(run, "http")["syslog"]
        ]

    def mails(self, run: int) -> list[dict]:
        """Sender, recipients and text of each mail."""
        return self._read(run, "mail")

    @cached_property
    def points(self) -> dict[int, dict[str, float]]:
        """By the clock of the run that submitted them: Graphite's names and values.

        Skyline sends most of them a run late; what the last run submitted still waits in its queue.
        """
        found: dict[int, dict[str, float]] = {}
        for run in self.runs:
            for line in (self.folder / str(run) / "graphite.txt").read_text().splitlines():
                name, value, timestamp = line.split("\t")[1].split(" ")
                found.setdefault(int(timestamp), {})[name] = float(value)
        for text in self.keys(self.runs[-1]).get(QUEUE, {"value": {}})["value"].values():
            waiting = ast.literal_eval(text)
            found.setdefault(waiting["timestamp"], {})[waiting["metric"]] = waiting["value"]
        return found

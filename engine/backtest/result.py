"""A finished backtest: its manifest, its incidents, its scores, and a summary for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ridgeline.engine.score.sparse import lines as told


@dataclass(frozen=True, slots=True, repr=False)
class BacktestResult:
    """What `ridgeline backtest` wrote into the folder `output`."""

    output: Path
    manifest: Mapping[str, Any]

    @property
    def anomalies(self) -> pa.Table:
        """The incidents: metric, start, end, peak_timestamp, peak_value, points, algorithms."""
        import pyarrow.parquet as pq

        return pq.read_table(self.output / "anomalies.parquet")

    def scores(self, metric: str | None = None) -> pa.Table:
        """A row per step, of one metric or of all: the columns of `ridgeline.replay`."""
        import pyarrow.parquet as pq

        wanted = None if metric is None else [("metric", "=", metric)]
        return pq.read_table(self.output / "scores", filters=wanted)

    def __repr__(self) -> str:
        return f"backtest in {self.output}\n{summary(self.manifest)}"


def summary(manifest: Mapping[str, Any]) -> str:
    """The counts of a manifest as lines of text."""
    seconds = manifest["seconds"]
    rate = manifest["steps"] / seconds if seconds else 0.0
    lines = [
        f"{manifest['steps']:,} steps of {manifest['metrics']:,} metrics in {seconds:.1f} s ({rate:,.0f} steps/s)",
        f"outcomes   {_listed(manifest['outcomes'])}",
        f"anomalies  {manifest['anomalous']:,} steps in {manifest['incidents']:,} incidents",
        f"pages      {manifest['pages']:,}{_rates(manifest)}",
    ]
    lines += [f"{title:<10} {_listed(manifest[title])}" for title in ("reasons", "repairs") if manifest[title]]
    lines += told(manifest["never_judged"])
    if manifest["noisiest"]:
        lines.append("noisiest metrics")
        lines += [
            f"  {row['pages']:>5} pages  {row['anomalous']:>7} anomalous steps  {row['metric']}"
            for row in manifest["noisiest"]
        ]
    lines += [f"unreadable: {problem}" for problem in manifest["unreadable"]]
    return "\n".join(lines)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _rates(manifest: Mapping[str, Any]) -> str:
    """Pages by the calendar, and by the weeks that all metrics together have."""
    per_week, per_metric = manifest["pages_per_week"], manifest["pages_per_metric_week"]
    if per_week is None or per_metric is None:
        return ""
    return f", {per_week:,.1f} a calendar week, {per_metric:.3g} a metric and week"

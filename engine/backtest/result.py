"""A finished backtest: its manifest, its incidents, its scores, and a summary for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ridgeline.alerters import duration
from ridgeline.engine.score.sparse import lines as never
from ridgeline.io.text import escape


@dataclass(frozen=True, slots=True, repr=False)
class BacktestResult:
    """What `ridgeline backtest` wrote into the folder `output`."""

    output: Path
    manifest: Mapping[str, Any]

    @property
    def pages(self) -> pa.Table:
        """The pages of the alert policy, in the order they went out: metric, timestamp, rule, strategy."""
        import pyarrow.parquet as pq

        return pq.read_table(self.output / "pages.parquet")

    @property
    def policy(self) -> Mapping[str, Any]:
        """What the alert policy comes to: pages and messages, by day, rule and strategy, the noisiest metrics, the delay."""
        found: Mapping[str, Any] = self.manifest["policy"]
        return found

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
    learning = f"; {manifest['learning']:,} while a walk was learning" if manifest["learning"] else ""
    lines = [
        f"{manifest['steps']:,} steps of {manifest['metrics']:,} metrics in {seconds:.1f} s ({rate:,.0f} steps/s)",
        f"outcomes   {_listed(manifest['outcomes'])}{learning}",
        f"anomalies  {manifest['anomalous']:,} steps in {manifest['incidents']:,} incidents",
        *_paged(manifest),
    ]
    lines += [f"{title:<10} {_listed(manifest[title])}" for title in ("reasons", "repairs") if manifest[title]]
    lines += never(manifest["never_judged"])
    if manifest["noisiest"]:
        lines.append("noisiest metrics")
        lines += [
            f"  {row['pages']:>5} pages  {row['anomalous']:>7} anomalous steps  {escape(row['metric'])}"
            for row in manifest["noisiest"]
        ]
    lines += [f"unreadable: {problem}" for problem in manifest["unreadable"]]
    return "\n".join(lines)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _paged(manifest: Mapping[str, Any]) -> list[str]:
    """How often people would have been paged: by days of the calendar, and by the weeks that all metrics together have."""
    policy = manifest["policy"]
    if not policy["by_rule"]:
        return ["pages      none: nobody would have been paged, as no [[alert]] is configured"]
    days, per_metric, delay = policy["by_day"], manifest["pages_per_metric_week"], policy["delay"]
    messages = policy["messages"]
    lines = [f"pages      {policy['pages']:,} in {messages:,} message{'' if messages == 1 else 's'}"]
    if days and policy["pages"]:
        worst = max(days, key=days.__getitem__)
        lines[0] += f": {_rate(policy['pages'] / len(days))} a day, {days[worst]:,} on the worst, {worst}"
        lines[0] += "" if per_metric is None else f"; {per_metric:.3g} a metric and week"
    if delay["median"] is not None:
        spread = duration(round(delay["median"])), duration(round(delay["p90"]))
        lines.append(
            f"delay      from an incident's start to its first page: median {spread[0]}, 90th percentile {spread[1]}"
        )
    return lines


def _rate(number: float) -> str:
    return f"{number:,.1f}" if number >= 1 else f"{number:.2g}"

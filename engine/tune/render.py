"""What tuning found, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from ridgeline.engine.rules.judgement import JOBS
from ridgeline.engine.tune.nested import SURE
from ridgeline.engine.tune.tuned import Tuned
from ridgeline.engine.units import spoken

OBJECTIVES: Final = {"events": "F1", "nab": "NAB", "pages": "pages/day"}
HALVES: Final = {
    "prefix": "random halves of the prefixes of names, each whole in one half",
    "metric": "random halves of the metrics",
    "time": "random halves of blocks of time, for too few metrics have labels: what is learned over days passes from one to the other",
}
HEADS: Final = (
    ("pages/day", "pages_per_day", "{:9.2f}"),
    ("false/week", "false_alarms_per_metric_week", "{:10.3f}"),
    ("precision", "precision", "{:9.3f}"),
    ("recall", "recall", "{:6.3f}"),
    ("F1", "f1", "{:5.3f}"),
    ("NAB", "nab", "{:6.1f}"),
)
WIDTH: Final = 64


def render(tuned: Tuned) -> Iterator[str]:
    """Lines of text."""
    known = tuned.known
    labelled = f", {known.windows.sum():,.0f} labelled windows" if tuned.labelled else ", no labels"
    rate = tuned.settings / max(tuned.seconds, 1e-9)
    yield (
        f"{len(tuned.lots.first):,} metrics, {known.weeks.sum():,.1f} metric-weeks{labelled}; "
        f"{tuned.settings:,} settings in {tuned.seconds:.1f} s ({rate:,.0f} a second)"
    )
    yield from ("", _head("on everything", tuned))
    yield _row("today    " + tuned.own.words(), tuned.today, tuned)
    yield _row("chosen   " + tuned.setting.words(), tuned.chosen, tuned)
    for prefix, setting in tuned.overrides.items():
        yield f"           below {prefix}: {setting.words()}"
    (pages, messages), (then, fewer) = tuned.paged
    yield (
        f"paged      by the stages of delivery themselves: today {pages:,} alerts in {messages:,} messages, "
        f"chosen {then:,} in {fewer:,}"
    )
    yield ""
    yield from _protocol(tuned)
    yield from _verdict(tuned)
    yield from ("", _head("the most that can be found for so many pages", tuned))
    for point in tuned.frontier:
        held = point.get("held_out_recall")
        yield _row(_words(point["setting"]), point, tuned) + ("" if held is None else f"   held out: recall {held:.3f}")
    if tuned.labelled:
        yield from ("", _head("today's setting with one thing changed", tuned))
        for row in tuned.ablation:
            yield _row(row["what"], row, tuned)
    if tuned.clock is not None:
        yield ""
        yield (
            f"the best clock, an alarm every {spoken(tuned.clock.period)} whatever the series: F1 {tuned.clock.f1:.3f}, "
            f"NAB {tuned.clock.nab:.1f}; a score says no more than what it is above that"
        )


def _protocol(tuned: Tuned) -> Iterator[str]:
    if not tuned.folds:
        yield "halves    none could be dealt with a label in each: nothing is held out, and nothing can be proven"
        return
    found, name = tuned.nested, OBJECTIVES[tuned.aim.metric]
    yield f"halves    {tuned.folds} {HALVES[tuned.lots.kind]}; all of it picked on one, told of the other"
    recall = f", recall {found.recall.mean():.3f}" if tuned.labelled else ""
    yield (
        f"held out  {name} {found.held.mean():.3f} +- {found.held.std():.3f}{recall}, {found.pages.mean():.2f} pages a day; "
        f"today's there {found.today.mean():.3f}"
    )
    if tuned.aim.metric != "pages":
        yield f"optimism  {found.optimism:.3f}: where it was picked, the same came to {found.trained.mean():.3f}"
    yield f"gain      {tuned.gain.mean():+.3f} on the mean, 10th percentile {np.percentile(tuned.gain, SURE):+.3f}, paired"
    if tuned.aim.max_pages is not None or tuned.aim.max_false_alarms is not None:
        yield f"budget    kept on {found.kept.sum()} of {tuned.folds} halves that nothing was picked on"
        if tuned.broken and tuned.labelled:
            yield "          today's settings break it, and count for nothing in the gain"
    if tuned.apart is not None and tuned.apart.settings:
        gain = tuned.apart.gain
        word = "proven" if tuned.apart.proven else "not proven, and left out"
        yield (
            f"prefixes  settings of their own: {gain.mean():+.3f} on the mean, "
            f"10th percentile {np.percentile(gain, SURE):+.3f} against one for all: {word}"
        )


def _verdict(tuned: Tuned) -> Iterator[str]:
    yield ""
    if tuned.recommended:
        yield "recommended: the chosen setting"
        if tuned.setting.column.rule not in JOBS["run"]:
            yield f'but `run` does not judge by the rule "{tuned.setting.column.rule}": for `backtest` alone'
    elif not tuned.labelled and not tuned.broken:
        yield "recommended: today's settings, which keep the budget"
    elif (
        tuned.folds and tuned.clock is not None and tuned.nested.held.mean() <= tuned.clock.objective(tuned.aim.metric)
    ):
        yield "recommended: today's settings, for what was picked finds no more than a clock does"
    else:
        yield "recommended: today's settings, for no gain is proven"
    if not tuned.labelled:
        yield (
            "Without labels nobody knows what is found or missed: only how often people are woken. The threshold of today's "
            "rule is raised as far as the budget asks, and nothing else is changed."
        )


def _head(title: str, tuned: Tuned) -> str:
    return f"{title:<{WIDTH}}" + "  ".join(f"{name:>{len(form.format(0.0))}}" for name, _, form in _shown(tuned))


def _row(name: str, found: Mapping[str, Any], tuned: Tuned) -> str:
    return f"{name:<{WIDTH}}" + "  ".join(form.format(found[key]) for _, key, form in _shown(tuned))


def _shown(tuned: Tuned) -> tuple[tuple[str, str, str], ...]:
    """The columns: without labels pages alone are known."""
    return HEADS if tuned.labelled else HEADS[:1]


def _words(setting: Mapping[str, Any]) -> str:
    """A point of the frontier, shorter than a setting says itself."""
    said = setting["rule"] if setting["consensus"] is None else f"{setting['rule']} {setting['consensus']}"
    parts = [
        f"{said} > {setting['rule_threshold']:g}",
        *(f"{name} / {by:g}" for name, by in setting["cutoffs"].items()),
    ]
    if setting["m_of_n"] != [1, 1]:
        parts.append("{} of {}".format(*setting["m_of_n"]))
    return ", ".join([*parts, spoken(setting["expiration"])])

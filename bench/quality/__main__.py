"""`make quality`: every rule, fixed as it is, on the labelled sets that are here and on fleets of services."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from ridgeline.bench.quality.fleets import DAYS, HOUR, Fleet, judge_fleet, kind_of
from ridgeline.bench.quality.sets import HALVES, NAB, SETS, Cell, LabelledSet, score_set
from ridgeline.engine.rules.judgement import RULES
from ridgeline.engine.score.scorer import available_threads

ROUND: Final = 10  # services between two words of progress


def main(arguments: list[str]) -> int:
    """Print both tables; sets that are not in DATA are skipped, and named."""
    parser = argparse.ArgumentParser(prog="python -m ridgeline.bench.quality", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of labelled sets")
    parser.add_argument(
        "--fleet", type=int, default=2000, metavar="N", help="metrics of a fleet (default: %(default)s)"
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=(), metavar="SEED", help="one fleet each")
    args = parser.parse_args(arguments)
    print("\n".join(_sets(args.data)), flush=True)
    for seed in args.seeds:
        print("\n".join(["", *_fleet(args.fleet, seed)]), flush=True)
    return 0


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _sets(data: Path) -> list[str]:
    here = [one for one in SETS if (data / one.points).is_file() and (data / one.labels).is_file()]
    cells: dict[str, dict[str, Cell]] = {}
    for one in here:
        _tell(f"judging {one.name}")
        cells[one.name] = score_set(data, one)
    lines = [f"not here, skipped: {data / one.points}" for one in SETS if one not in here]
    if not here:
        return lines
    lines.append("rule".ljust(12) + "".join(f"{one.name:>26}" for one in here))
    lines += [rule.ljust(12) + "".join(f"{_shown(one, cells[one.name][rule]):>26}" for one in here) for rule in RULES]
    lines.append(
        f"NAB: standard score at one alarm in 12 h; others: F1 of events at one alarm an hour. +-: standard deviation over {HALVES} "
        "halves. In brackets: false alarms per metric and week."
    )
    return lines


def _shown(one: LabelledSet, cell: Cell) -> str:
    digits = 1 if one.name == NAB else 2
    return f"{cell.score:.{digits}f} +-{cell.spread:.{digits}f} ({cell.false:.2f})"


def _fleet(metrics: int, seed: int) -> list[str]:
    def tell(judged: int) -> None:
        if judged == metrics or judged % (20 * ROUND) == 0:
            _tell(f"judged {judged:,} of {metrics:,} metrics of fleet {seed}, and copies of them with a fault each")

    fleet = judge_fleet(metrics, seed, available_threads(), tell)
    faults = list(fleet.faulty)
    title = f"fleet of {metrics:,} metrics, seed {seed}, {DAYS} days, judged from the fifth on"
    lines = [
        f"{title}: pages a day per 2,000 metrics, all of them false; % of faults found",
        f"{'rule':<12}{'1 h':>8}{'grouped':>9}{'12 h':>8}" + "".join(f"{fault:>9}" for fault in faults),
    ]
    for rule in RULES:
        hourly, rare = fleet.pages(rule, HOUR), fleet.pages(rule, 12 * HOUR)
        pages = (hourly.pages_per_day_per_2000_metrics, hourly.grouped_per_day_per_2000_metrics)
        found = "".join(f"{100 * fleet.found(rule, fault):>9.0f}" for fault in faults)
        lines.append(f"{rule:<12}{pages[0]:>8.0f}{pages[1]:>9.0f}{rare.pages_per_day_per_2000_metrics:>8.0f}{found}")
    lines += [f"{rule} by kind: {_by_kind(fleet, rule)}" for rule in RULES]
    return lines


def _by_kind(fleet: Fleet, rule: str) -> str:
    """Pages a day of each kind of metric, per 2,000 metrics of the whole fleet, loudest first."""
    shares: dict[str, float] = {}
    for kind in {kind_of(one.metric): None for one in fleet.clean}:
        score = fleet.pages(rule, HOUR, kind)
        shares[kind] = (score.pages_per_day_per_2000_metrics or 0.0) * score.metrics / len(fleet.clean)
    loudest = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(f"{kind} {pages:.0f}" for kind, pages in loudest if pages >= 0.5) or "none"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make nab`: replays the NAB corpus, untuned, and prints our rows beside the published ones."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from ridgeline.engine.evaluate.choices import ABOVE_ONE
from ridgeline.engine.evaluate.detections import Detections, read_detections
from ridgeline.engine.evaluate.events import WEEK
from ridgeline.engine.evaluate.labels import Labels, read_labels
from ridgeline.engine.evaluate.nab import PROFILES, probation, score_corpus
from ridgeline.engine.rules.judgement import SCORE_OF_RULE
from ridgeline.engine.score.scorer import available_threads
from ridgeline.engine.tune.nested import Aim, Nested
from ridgeline.engine.tune.tuning import Tuning

# Normalised scores (standard, reward low FP, reward low FN) that NAB's own page and results file publish.
PUBLISHED: Final[dict[str, tuple[float, float | None, float | None]]] = {
    "ARTime": (74.9, 65.1, 80.4),
    "Numenta HTM": (70.1, None, None),
    "CAD OSE": (69.9, 67.0, 73.2),
    "earthgecko Skyline (7 algorithms, consensus 5, 12 h expiry)": (58.2, 46.2, 63.9),
    "KNN-CAD": (58.0, 43.4, 64.8),
    "Random cut forest": (51.7, 38.4, 59.7),
    "Twitter ADVec": (47.1, 33.6, 53.5),
    "Windowed Gaussian": (39.65, 20.87, 47.41),
    "Etsy Skyline (7 algorithms, no consensus)": (35.7, 27.1, 44.5),
}
# Our rows: each rule as it is, on every file alike.
OURS: Final = {
    "ridgeline": "Ridgeline, rule `ridgeline` (12 h expiry, fixed constants)",
    "pages": "Ridgeline, rule `pages` (12 h expiry, fixed constants)",
    "consensus": "Ridgeline (all 9, consensus 6, 12 h expiry, untuned)",
}
EXPIRY: Final = 12 * 3600
TUNED: Final = "Ridgeline, `tune` (picked on half of the files, held out)"
HALVES: Final = 100


def main(arguments: list[str]) -> int:
    """`python -m ridgeline.bench.nab CORPUS.parquet LABELS.json`."""
    if len(arguments) != 2:
        print("usage: python -m ridgeline.bench.nab CORPUS.parquet LABELS.json", file=sys.stderr)
        return 2
    corpus, labels = map(Path, arguments)
    for path in (corpus, labels):
        if not path.is_file():
            print(
                f"{path} is not here: `make nab CORPUS=... LABELS=...` names the corpus and its labels", file=sys.stderr
            )
            return 2
    print(render(corpus, labels))
    return 0


def render(corpus: Path, labels: Path) -> str:
    """Replay `corpus`, give each of its raw rows the score of its step, and set our rowss among the published ones."""
    from ridgeline.engine.cli.main import main as command

    truth = read_labels(labels)
    shown: list[tuple[str, tuple[float | None, ...], float | None]] = [
        (name, scores, None) for name, scores in PUBLISHED.items()
    ]
    with tempfile.TemporaryDirectory(prefix="ridgeline-nab-") as folder:
        with contextlib.redirect_stdout(sys.stderr):  # the table alone is for standard output
            status = command(["backtest", str(corpus), "--output", folder, "--rules", ",".join(OURS)])
        if status:
            raise SystemExit(status)
        for rule, name in OURS.items():
            found = read_detections(Path(folder), consensus=None, expiry=EXPIRY, score=SCORE_OF_RULE[rule])
            rows = spread(found, corpus)
            scored = score_corpus(rows, truth, ABOVE_ONE)
            shown.append((name, tuple(scored[profile].score for profile in PROFILES), false_alarms(rows, truth)))
        nested = tuned(Path(folder), truth)
        shown.append((TUNED, (float(nested.held.mean()), None, None), None))
    lines = [f"{'detector':<62}{'standard':>9}{'low FP':>9}{'low FN':>9}{'false alarms':>14}"]
    for name, scores, alarms in sorted(shown, key=lambda row: row[1][0] or 0.0, reverse=True):
        cells = "".join(f"{'-' if s is None else format(s, '.1f'):>9}" for s in scores)
        rate = "-" if alarms is None else f"{alarms:.2f}"
        lines.append(f"{'> ' if name in {TUNED, *OURS.values()} else '  '}{name:<60}{cells}{rate:>14}")
    hourly = sum(1 for found in rows if np.median(np.diff(found.timestamps)) >= 3600)
    lines += [
        _protocol(nested),
        "false alarms: outside all windows, after the first part of each file, where NAB judges nobody; a metric and week.",
        f"{hourly} of {len(rows)} files are hourly: they never hold 100 points in 24 h, so every step is too_short for the 9 there.",
    ]
    return "\n".join(lines)


def tuned(folder: Path, truth: Labels) -> Nested:
    """What settings picked on one half of the files came to on the other: rule, threshold, m of n, expiration, all of it."""
    asked = Tuning(
        folders=[folder],
        labels=truth,
        aim=Aim("nab"),
        folds=HALVES,
        seed=0,
        purpose="backtest",
        threads=available_threads(),
        say=lambda sentence: print(sentence, file=sys.stderr),
    )
    return asked.run().nested


def _protocol(nested: Nested) -> str:
    held = f"{nested.held.mean():.1f} +- {nested.held.std():.1f}"
    return f"tune: {held} over {HALVES} halves; where they were picked, the same settings came to {nested.trained.mean():.1f}."


def false_alarms(rows: list[Detections], truth: Labels) -> float:
    """Detections outside all windows, after the probation of each file; by all the weeks that the files last together."""
    alarms, weeks = 0, 0.0
    for found in rows:
        stamps = found.timestamps
        judged = np.arange(len(stamps)) >= probation(len(stamps))
        heard = stamps[judged & (found.scores >= ABOVE_ONE)]
        inside = [(heard >= start) & (heard <= end) for start, end in truth.windows.get(found.metric, ())]
        alarms += len(heard) - (int(np.any(inside, axis=0).sum()) if inside else 0)
        weeks += float(stamps[-1] - stamps[0]) / WEEK
    return alarms / weeks


def spread(steps: list[Detections], corpus: Path) -> list[Detections]:
    """Give every raw row of `corpus` the score of its step, so that row counts stay the corpus's own."""
    import pyarrow.parquet as pq

    table = pq.read_table(corpus, columns=["metric", "timestamp"])
    names = table["metric"].cast(pa.string()).combine_chunks().dictionary_encode()
    codes, stamps = names.indices.to_numpy(), table["timestamp"].to_numpy()
    by_name = {found.metric: found for found in steps}
    spread_out = []
    for code, metric in enumerate(names.dictionary.to_pylist()):
        rows = stamps[codes == code]
        found = by_name[metric]
        at = np.searchsorted(found.timestamps, rows)
        known = (at < len(found.timestamps)) & (found.timestamps[np.minimum(at, len(found.timestamps) - 1)] == rows)
        scores = np.where(known, found.scores[np.minimum(at, len(found.timestamps) - 1)], -np.inf)
        spread_out.append(Detections(metric, rows, scores))
    return spread_out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

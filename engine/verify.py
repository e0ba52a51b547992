"""Compare verdicts with the reference implementation's own answers, and count where `native` differs on purpose.

A parity folder holds, per set, `SET.parquet` (metric, timestamp, value, as_of) and the answers,
`SET.expected_analyzer.parquet` and `SET.expected_batch.parquet`: outcome, nine nullable votes, anomalous, datapoint,
and `fragile`, the fields whose answer is rounding rather than meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ridgeline.io.errors import InputError


@dataclass(frozen=True, slots=True)
class Flavour:
    """One of the reference's two code paths, and our profile of it."""

    suffix: str
    profile: str


FLAVOURS: Final = (Flavour("expected_analyzer", "earthgecko"), Flavour("expected_batch", "earthgecko_batch"))


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that is not the reference's. `field`: outcome, anomalous, datapoint or an algorithm."""

    metric: str
    field: str
    ours: Any
    theirs: Any

    def __str__(self) -> str:
        return f"{self.metric}: {self.field} is {self.ours}, expected {self.theirs}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One set under one profile: how many series, what differs, and what differs only in the reference's rounding."""

    name: str
    profile: str
    series: int
    votes: int
    differences: tuple[Difference, ...]
    noise: tuple[Difference, ...]
    failures: tuple[tuple[str, str], ...]  # (metric, algorithm) that failed on both sides

    def count(self, field: str) -> int:
        """How many differences one field has."""
        return sum(one.field == field for one in self.differences)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Where `native` differs from the reference's analyzer, in one algorithm (or "outcome") over all sets."""

    field: str
    judged: int
    only_ours: int  # native True, reference False; or for outcomes: native analysed, reference not
    only_theirs: int


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found."""

    comparisons: tuple[Comparison, ...]
    ledger: tuple[LedgerRow, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not any(one.differences for one in self.comparisons)

    @property
    def failures(self) -> set[tuple[str, str]]:
        """(metric, algorithm) that failed on both sides."""
        return {pair for one in self.comparisons for pair in one.failures}

    def compared(self, name: str, profile: str) -> Comparison:
        """The comparison of one set under one profile."""
        return next(one for one in self.comparisons if (one.name, one.profile) == (name, profile))

    def render(self) -> str:
        """The report as Markdown, for the terminal and for docs/parity.md."""
        return "\n".join([*_render_comparisons(self.comparisons), "", *_render_ledger(self.ledger), ""])


def verify(directory: Path) -> VerifyReport:
    """Score every set of a parity folder under the reference's profiles and under `native`.

    Raises InputError where the folder holds no set, or a set cannot be read.
    """
    names = sets_in(directory)
    if not names:
        raise InputError(f"{directory} holds no parity set (SET.parquet beside SET.expected_analyzer.parquet)")
    comparisons: list[Comparison] = []
    tally: dict[str, list[int]] = {}
    for name in names:
        matrix = _matrix(directory / f"{name}.parquet")
        for flavour in FLAVOURS:
            path = directory / f"{name}.{flavour.suffix}.parquet"
            if path.is_file():
                comparisons.append(_compare(name, flavour.profile, _rows(matrix, flavour.profile), _expected(path)))
        path = directory / f"{name}.{FLAVOURS[0].suffix}.parquet"
        if path.is_file():
            _tally(tally, _rows(matrix, "native"), _expected(path))
    ledger = tuple(LedgerRow(field, *counts) for field, counts in tally.items())
    return VerifyReport(tuple(comparisons), ledger)


def sets_in(directory: Path) -> list[str]:
    """Return the names of the sets in a parity folder, sorted."""
    expected = {path.name.split(".expected_")[0] for path in directory.glob("*.expected_*.parquet")}
    return sorted(name for name in expected if (directory / f"{name}.parquet").is_file())


def _matrix(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ridgeline.io.matrix import MetricMatrix

    try:
        return MetricMatrix.from_table(pq.read_table(path))
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error


def _expected(path: Path) -> dict[str, dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ridgeline.engine.score.plan import algorithm_names

    needed = {"metric", "outcome", "anomalous", "datapoint", "fragile", *algorithm_names()}
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error
    if missing := needed - set(table.column_names):
        raise InputError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    return {row["metric"]: row for row in table.to_pylist()}


def _rows(matrix: Any, profile: str) -> dict[str, dict[str, Any]]:
    """Our verdicts by metric: all votes, as of each row's own column."""
    from ridgeline.engine.rules.profiles import profile_named
    from ridgeline.engine.score.matrix import score_matrix
    from ridgeline.engine.score.plan import ScorePlan

    verdicts = score_matrix(matrix, ScorePlan(profile=profile_named(profile), all_votes=True))
    return {row["metric"]: row for row in verdicts.to_pylist()}


def _compare(name: str, profile: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Comparison:
    differences: list[Difference] = []
    noise: list[Difference] = []
    failures: list[tuple[str, str]] = []
    votes = 0
    for metric, expected in theirs.items():
        mine = ours.get(metric, {"outcome": "missing", "failed": []})
        found = list(_differences(metric, mine, expected))
        rounding = {one.field for one in found} & set(expected["fragile"] or ())
        # Votes that are noise make the consensus noise too.
        rounding |= {"anomalous"} if rounding else set()
        noise += [one for one in found if one.field in rounding]
        differences += [one for one in found if one.field not in rounding]
        if expected["outcome"] == "analysed":
            votes += len(_algorithms())
            failures += [(metric, field) for field in mine["failed"] if expected[field] is None]
    return Comparison(name, profile, len(theirs), votes, tuple(differences), tuple(noise), tuple(failures))


def _differences(metric: str, mine: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[Difference]:
    if mine["outcome"] != expected["outcome"]:
        yield Difference(metric, "outcome", mine["outcome"], expected["outcome"])
        return
    if expected["outcome"] != "analysed":
        return
    for field in (*_algorithms(), "anomalous", "datapoint"):
        if mine[field] != expected[field] or (mine[field] is None and field not in mine["failed"]):
            yield Difference(metric, field, mine[field], expected[field])


def _algorithms() -> tuple[str, ...]:
    from ridgeline.engine.score.plan import algorithm_names

    return algorithm_names()


def _tally(tally: dict[str, list[int]], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Count native's differences: judged, only ours, only theirs."""
    for metric, expected in theirs.items():
        mine = ours.get(metric)
        if mine is None:
            continue  # a difference already
        analysed = (mine["outcome"] == "analysed", expected["outcome"] == "analysed")
        pairs = {"outcome": analysed}
        if all(analysed):
            pairs |= {field: (mine[field], expected[field]) for field in (*_algorithms(), "anomalous")}
        for field, (our, their) in pairs.items():
            counts = tally.setdefault(field, [0, 0, 0])
            counts[0] += 1
            counts[1] += bool(our and not their)
            counts[2] += bool(their and not our)


def _render_comparisons(comparisons: tuple[Comparison, ...]) -> Iterator[str]:
    yield "| set | profile | series | votes compared | differing | rounding noise of the reference |"
    yield "|---|---|---:|---:|---:|---:|"
    for one in comparisons:
        yield (
            f"| {one.name} | {one.profile} | {one.series} | {one.votes} | {len(one.differences)} | {len(one.noise)} |"
        )
    for title, field in (("Differences", "differences"), ("Rounding noise of the reference, not imitated", "noise")):
        lines = [f"- {one.name}, {one.profile}, {found}" for one in comparisons for found in getattr(one, field)]
        if lines:
            yield from ("", f"{title}:", "", *lines)


def _render_ledger(ledger: tuple[LedgerRow, ...]) -> Iterator[str]:
    yield "| native against the analyzer | series judged by both | only native True | only the analyzer True |"
    yield "|---|---:|---:|---:|"
    for row in ledger:
        label = "outcome: analysed" if row.field == "outcome" else row.field
        yield f"| {label} | {row.judged} | {row.only_ours} | {row.only_theirs} |"

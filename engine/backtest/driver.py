"""A backtest from dataset to manifest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

from ridgeline.engine.backtest.counts import WEEK
from ridgeline.engine.backtest.incidents import to_table
from ridgeline.engine.backtest.job import Job
from ridgeline.engine.backtest.journal import Journal
from ridgeline.engine.backtest.manifest import add_counts, checksum, cpu, digest, fingerprint, versions
from ridgeline.engine.backtest.part import Done
from ridgeline.engine.backtest.plan import Part, scan
from ridgeline.engine.backtest.runners import on_dask, on_threads
from ridgeline.engine.backtest.shuffled import Shuffled, remove, shuffle
from ridgeline.engine.backtest.trails import trail_file
from ridgeline.engine.policy.paging import Paging
from ridgeline.engine.policy.replay import replay_trails
from ridgeline.engine.policy.trail import Trail
from ridgeline.engine.report.progress import Progress
from ridgeline.engine.rules.judgement import CONSENSUS
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.rules.selection import Selection
from ridgeline.engine.score.sparse import added, as_objects
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.disk.target import check_folder_apart, make_folder
from ridgeline.io.errors import InputError
from ridgeline.io.parquet.capped import BEYOND
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.parquet.write import write_parquet
from ridgeline.io.tables.dataset import open_dataset
from ridgeline.io.tables.shape import Shape

BYTES_PER_STEP: Final = 48
NOISIEST: Final = 10
SHUFFLED: Final = ".shuffled"


@dataclass(frozen=True, slots=True)
class Where:
    """Where parts are computed: `workers` > 0 or a `scheduler` address mean Dask, else `threads` of this process."""

    threads: int
    workers: int = 0
    scheduler: str | None = None

    def runner(self) -> Callable[[Job, Sequence[Part]], Iterator[Done]]:
        """The function that computes parts there."""
        if self.workers or self.scheduler:
            return partial(on_dask, scheduler=self.scheduler, workers=self.workers)
        return partial(on_threads, threads=self.threads)


@dataclass(frozen=True, slots=True)
class Backtest:
    """One backtest: a `dataset` (path, folder, glob or URI) into the folder of `job`.

    `say` receives sentences about its progress, `warn` those about what the configuration comes to against its words.
    `wanted` is a metric without which there is no point in it.
    """

    dataset: str
    job: Job
    where: Where
    max_memory: int
    shape: Shape
    resume: bool
    say: Callable[[str], None]
    warn: Callable[[str], None]
    terminal: TextIO | None
    wanted: str | None = None

    def run(self) -> dict[str, Any]:
        """Replay everything and give the manifest. Raises RidgelineError with one sentence."""
        began = time.monotonic()
        output = Path(self.job.output)
        source = open_dataset(
            self.dataset,
            self.shape,
            select=Selection.of(None, self.job.skip),
            max_memory=self.max_memory,
            temporary=output / SHUFFLED,
        )
        self._look(source, output)
        data = fingerprint(source.reader.files, source.dataset.origins)
        identity = {"configuration": digest(self._configuration()), "data": digest(data)}
        journal = Journal(output)
        if (complete := journal.finished(identity, resume=self.resume)) is not None:
            self.say(f"{output} is complete already: nothing to do")
            journal.close()  # a kill after the manifest leaves it behind
            return complete
        self._foresee(source)  # names that cannot be told apart are no reason to make a folder
        make_folder(output)
        finished = journal.open(identity, resume=self.resume)
        parts, mended = self._parts(source, output)
        finished = {number: done for number, done in finished.items() if number < len(parts)}
        self._announce(source, parts, finished)
        ordered = self._replay(parts, finished, journal)
        unreadable = self._unreadable(source, ordered)
        incidents = [incident for done in ordered for incident in done.incidents]
        write_parquet(to_table(incidents, rules=bool(self.job.plan.rules)), output / "anomalies.parquet")
        paging = self._page(ordered)
        write_parquet(paging.table, output / "pages.parquet")
        manifest = self._manifest(ordered, source, mended, {**identity, "files": data}, paging)
        manifest |= {"unreadable": unreadable, "seconds": round(time.monotonic() - began, 3)}
        write_atomic(output / "manifest.json", json.dumps(manifest, indent=2).encode())
        journal.close()
        remove(output / SHUFFLED)
        if beyond := manifest["repairs"].get(BEYOND, 0):
            self.say(
                f"left out: the {beyond:,} oldest points of long metrics; --max-memory holds {source.max_points:,} each"
            )
        return manifest

    def _configuration(self) -> dict[str, Any]:
        """What decides the data files, beside the data."""
        return {**self.job.describe(), "shape": self.shape.describe()}

    def _look(self, source: ParquetSource, output: Path) -> None:
        """Refuse what cannot be replayed before a folder is made for nothing."""
        check_folder_apart(output, self.dataset, source.local_paths)
        if not source.rows:
            raise InputError(f"{self.dataset} holds no rows: nothing to replay")

    def _foresee(self, source: ParquetSource) -> None:
        """Refuse a dataset without the metric that is wanted, and say what overrides come to on these metrics."""
        names = source.selected.names.to_pylist()
        if self.wanted is not None and self.wanted not in names:
            raise InputError(f"no metric of {self.dataset} that is replayed is called {self.wanted!r}: check the name")
        rules = Overrides(self.job.policy, self.job.overrides)
        rules.foresee(names)
        for remark in rules.remarks:
            self.warn(remark)

    def _replay(self, parts: Sequence[Part], finished: dict[int, Done], journal: Journal) -> list[Done]:
        """Compute the parts that are not finished; all of them in order."""
        total, before = sum(part.rows for part in parts), sum(parts[number].rows for number in finished)
        with Progress("points", self.terminal, total=total, done=before) as progress:
            for done in self.where.runner()(self.job, [part for part in parts if part.number not in finished]):
                journal.add(done)
                finished[done.number] = done
                progress.add(parts[done.number].rows)
        return [finished[part.number] for part in parts]

    def _unreadable(self, source: ParquetSource, parts: Sequence[Done]) -> list[str]:
        """One sentence for each file or row group that was left out. Raises InputError where that is everything."""
        told = [sentence for _, sentence in source.unreadable]
        told = list(dict.fromkeys(told + [problem for done in parts for problem in done.unreadable]))
        if told and len(source.selected.names) == sum(done.reasons.get("unreadable", 0) for done in parts):
            raise InputError(f"{self.dataset}: not one row can be read: {told[-1]}")
        return told

    def _parts(self, source: ParquetSource, output: Path) -> tuple[tuple[Part, ...], Shuffled | None]:
        """Parts of the dataset as it lies, or of a copy grouped by metric when some metric lies in several places."""
        parts = scan(source)
        if source.reader.unread:
            raise InputError(f"{self.dataset}: not one row can be read: {source.unreadable[-1][1]}")
        copied = source.dataset.origins is not None  # which this process alone can read
        if parts is not None and not copied:
            return parts, None
        if parts is None:
            self.say("some metrics lie in more than one place: grouping the dataset by metric first")
        mended = shuffle(source, output / SHUFFLED)
        return scan(ParquetSource(mended.path, max_memory=self.max_memory)) or (), mended

    def _announce(self, source: ParquetSource, parts: Sequence[Part], finished: dict[int, Done]) -> None:
        points = source.reader.points
        self.say(f"{points:,} points of {source.metrics:,} metrics in {len(parts)} parts")
        if skipped := _skipped(source):
            self.say(f"left out: {skipped:,} of the metrics, by `[analysis] skip`")
        if self.job.keep_scores:
            self.say(f"scores will take about {_bytes(points * BYTES_PER_STEP)} under {self.job.output}/scores")
        if finished:
            self.say(f"resuming: {len(finished)} of {len(parts)} parts are done")
        for _, problem in source.unreadable:
            self.say(f"left out, unreadable: {problem}")

    def _page(self, parts: Sequence[Done]) -> Paging:
        """Who would have been paged."""
        output = Path(self.job.output)
        return replay_trails([Trail.read(trail_file(output, done.number)) for done in parts], self.job.paging)

    def _manifest(
        self,
        parts: Sequence[Done],
        source: ParquetSource,
        mended: Shuffled | None,
        data: dict[str, Any],
        paging: Paging,
    ) -> dict[str, Any]:
        output = Path(self.job.output)
        weeks = _weeks(parts)
        metric_weeks = sum(done.metric_weeks for done in parts)
        pages = paging.pages
        return {
            "configuration": self._configuration(),
            "configuration_sha256": data["configuration"],
            "data": {
                "sha256": data["data"],
                "files": data["files"],
                "clustered": mended is None,
                "rows": source.rows,
            },
            "versions": versions(),
            "cpu": cpu(),
            "threads": self.where.threads,
            "workers": self.where.workers,
            "rules": [CONSENSUS, *self.job.plan.rules],
            "metrics": source.metrics,
            "steps": sum(done.steps for done in parts),
            "anomalous": sum(done.anomalous for done in parts),
            "incidents": sum(len(done.incidents) for done in parts),
            "outcomes": add_counts([done.outcomes for done in parts]),
            "learning": sum(done.learning for done in parts),
            "reasons": add_counts(
                [done.reasons for done in parts]
                + ([mended.reasons] if mended else [])
                + ([{"skip": skipped}] if (skipped := _skipped(source)) else [])
            ),
            # What was grouped was counted then; its parts would count kept duplicates once more.
            "repairs": add_counts([mended.repairs] if mended else [done.repairs for done in parts]),
            "never_judged": as_objects(added(done.never_judged for done in parts)),
            "unreadable": [],
            "pages": pages,
            "messages": paging.messages,
            "weeks": round(weeks, 3),
            "pages_per_week": round(pages / weeks, 3) if weeks else None,
            "pages_per_metric_week": round(pages / metric_weeks, 6) if metric_weeks else None,
            "noisiest": paging.noisiest(NOISIEST),
            "policy": paging.as_json(),
            "checksums": {
                **{name: checksum(output / name) for name in ("anomalies.parquet", "pages.parquet")},
                **{f"scores/{done.file}": done.file_sha256 for done in parts if done.file},
            },
        }


def _skipped(source: ParquetSource) -> int:
    """Metrics that the configuration leaves out."""
    return source.metrics - len(source.selected.names)


def _weeks(parts: Sequence[Done]) -> float:
    firsts = [done.first for done in parts if done.first is not None]
    lasts = [done.last for done in parts if done.last is not None]
    return (max(lasts) - min(firsts)) / WEEK if firsts else 0.0


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"

"""`ridgeline memory`: look at what runs keep for the next one, or drop it."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Final

from ridgeline.engine.cli.actions import add_action, add_actions, configuration
from ridgeline.engine.cli.shapes import READS, add_shape, shape_of
from ridgeline.io.errors import InputError
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.memory.known import Known
    from ridgeline.engine.run.place import Place

NAME: Final = "memory"
SUMMARY: Final = "look at what runs keep for the next one, teach it, or drop it"
GROUP: Final = "Operate"
EPILOG: Final = """\
examples:
  ridgeline memory show
  ridgeline memory show stats.web01.load --json
  ridgeline memory learn --input archive/
  ridgeline memory drop
What a memory is, and where it lies: docs/memory.md.
"""
SHOW: Final = """\
Without METRIC: whose memory it is, how many metrics it has and has room for, its size and age. With METRIC: what it knows of
that. Nothing is changed. Exit codes: 0, also where there is no memory yet; 2 configuration, a memory that cannot be used, or
one that does not know METRIC.
"""
LEARN: Final = f"""\
Where a rule goes by walks (`rule = "pages"`), they learn each metric for five days before they speak of outages. What an
archive holds they learn at once: DATASET is {READS}, with points in any order. Of each metric only what is newer than what
the memory knows of it is learned, so an archive can be learned again when it has grown. Metrics are learned and written block
by block: what was learned stays, whatever ends it, and the same command goes on from there. Exit codes: 0; 2 configuration,
usage, a DATASET that cannot be read, or a memory that cannot be used.
"""
DROP: Final = """\
The next run reads every series in full, as the first one did, and begins a new memory. No vote of an algorithm depends on it;
what walks have learned of each metric is lost. Exit codes: 0, also where there was none; 2 configuration, or a file that is
another's, or that a run is using.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's actions."""
    actions = add_actions(parser)
    show = add_action(actions, "show", "say what the memory holds, of all metrics or of one", _show, SHOW)
    show.add_argument("metric", nargs="?", metavar="METRIC", help="its name")
    learn = add_action(
        actions, "learn", "teach it from a dataset what walks would learn in days of runs", _learn, LEARN
    )
    learn.add_argument("--input", required=True, metavar="DATASET", help="what is learned")
    add_shape(learn)
    add_action(actions, "drop", "remove the memory", _drop, DROP)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; 0, or InputError."""
    code: int = args.act(args)
    return code


def _place(args: argparse.Namespace) -> Place:
    from ridgeline.engine.run.place import place_of

    place = place_of(configuration(args))
    if place is None:
        raise InputError("this configuration keeps no memory: `[analysis] memory` is false, or its source is no Redis")
    return place


def _show(args: argparse.Namespace) -> int:
    from ridgeline.engine.report.files import dumps
    from ridgeline.engine.report.memory import known_lines, summary_lines
    from ridgeline.io.memory.summary import look_at

    place = _place(args)
    if args.metric is not None:
        known = _known(args, place)
        print(dumps(known.as_json()) if args.json else "\n".join(known_lines(known)))
        return 0
    found = look_at(place.path)
    if args.json:
        print(dumps({"path": str(place.path)} if found is None else found.as_json()))
    elif found is None:
        print(f"there is no memory yet: the next run makes {escape(place.path)}")
    else:
        print("\n".join(summary_lines(found, place.owner, time.time())))
    return 0


def _known(args: argparse.Namespace, place: Place) -> Known:
    """What is known of one metric. Raises InputError where nothing is."""
    from ridgeline.engine.memory.known import read_known
    from ridgeline.engine.memory.sections import HOT
    from ridgeline.io.memory.file import MemoryFile
    from ridgeline.io.memory.keys import Keys
    from ridgeline.io.redis.source import key_of

    with MemoryFile.open(place.path, place.owner, (HOT,), writing=False) as memory:
        key = Keys.of([key_of(args.metric, place.owner.namespace)])
        row = int(memory.rows_of(key)[0])
        known = None
        if row >= 0:
            known = read_known(args.metric, memory.rows(HOT.name)[row], int(memory.gone[row]))
    if known is None:
        raise InputError(f"the memory knows nothing of {escape(args.metric)}")
    return known


def _learn(args: argparse.Namespace) -> int:
    from ridgeline.engine.report.files import dumps
    from ridgeline.engine.report.progress import Progress
    from ridgeline.engine.report.text import number
    from ridgeline.engine.run.learning import learn, selection_of
    from ridgeline.io.tables.dataset import open_dataset

    place, config = _place(args), configuration(args)
    labels = config.source.each["parquet"].labels_from
    select, shape = selection_of(config), shape_of(args, labels)
    source = open_dataset(args.input, shape, select=select, max_memory=config.run.max_memory)
    terminal = None if args.json else sys.stderr
    try:
        with Progress("metrics", terminal, total=len(source.selected.names)) as progress:
            found = learn(config, place, source, int(time.time()), progress.add)
    finally:
        source.close()
    for _, sentence in source.unreadable:
        print(f"left out, unreadable: {sentence}", file=sys.stderr)
    if args.json:
        print(dumps(found.as_json()))
    else:
        learning = f"; {number(found.learning, 'metric')} still learning" if found.learning else ""
        print(
            f"learned {number(found.points, 'point')} of {number(found.metrics, 'metric')}, {found.new:,} of them new, "
            f"into {escape(found.path)}{learning}"
        )
    return 0


def _drop(args: argparse.Namespace) -> int:
    from ridgeline.engine.report.files import dumps
    from ridgeline.io.memory.summary import drop

    place = _place(args)
    dropped = drop(place.path, place.owner)
    if args.json:
        print(dumps({"path": str(place.path), "dropped": dropped}))
    elif dropped:
        print(f"dropped {escape(place.path)}: the next run reads every series in full")
    else:
        print(f"there is no memory at {escape(place.path)}")
    return 0

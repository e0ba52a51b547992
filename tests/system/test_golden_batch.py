"""Ridgeline in analyzer_batch's place: what it does over the recorded queue, against what the real Skyline did.

docs/batch-differences.md accounts for every difference; tests/rigs/golden/batch.py says how both are made comparable.
"""

from functools import cache

import pytest
from conftest import ROOT, SHARED
from rigs.golden.batch import TRACES, BatchTrace, deviations, play
from rigs.golden.differences import read_table, unexplained, untrue

pytestmark = pytest.mark.usefixtures("shared")
TABLE = read_table(ROOT / "docs" / "batch-differences.md")


def recording(name):
    return BatchTrace(SHARED / "golden" / "batch", name)


@cache
def seen(name):
    """What each cycle of one recording did."""
    return list(play(recording(name)))


@cache
def played(name):
    """Every deviation of one recording."""
    return [found for one in seen(name) for found in deviations(recording(name), one)]


@pytest.mark.parametrize("name", TRACES)
def test_every_difference_is_in_the_table(name):
    found = unexplained(played(name), TABLE)
    assert not found, f"{len(found)} of {len(played(name))}:\n" + "\n".join(found)


def test_every_row_of_the_table_describes_a_difference_and_says_no_more():
    cycles = {name: recording(name).cycles for name in TRACES}
    wrong = untrue([one for name in TRACES for one in played(name)], TABLE, cycles)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", TRACES)
def test_passes_end_well(name):
    for one in seen(name):
        assert (one.summary.exit, one.summary.problems) == (0, [])


@pytest.mark.parametrize("name", TRACES)
def test_series_are_only_read(name):
    for one in seen(name):
        words = [text.split(" ") for text in one.commands]
        assert {name for name, *keys in words if keys and keys[0].startswith("metrics.")} <= {"MGET", "TYPE"}


@pytest.mark.parametrize("name", TRACES)
def test_a_watermark_and_its_anomalies_are_recorded_in_one_instant(name):
    """Between MULTI and EXEC lie the anomalies of one metric and its watermark; none of either lies outside."""
    for one in seen(name):
        inside = False
        for text in one.commands:
            command, *words = text.split(" ")
            inside = (inside or command == "MULTI") and command != "EXEC"
            if words and words[0].startswith(("analyzer.last_timestamp", "last_timestamp.", "analyzer_batch.a")):
                assert inside or command in {"HMGET", "MGET"}, text

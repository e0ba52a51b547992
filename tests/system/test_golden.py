"""Ridgeline in Skyline's place: what it does over the recorded scenario, against what the real Skyline did.

docs/differences.md accounts for every difference; tests/rigs/golden says how both are made comparable.
"""

import re
from functools import cache

import pytest
from conftest import ROOT, SHARED
from rigs.golden.compare import deviations
from rigs.golden.differences import read_table
from rigs.golden.series import stored_series
from rigs.golden.trace import TRACES, Trace
from rigs.golden.world import play

pytestmark = pytest.mark.usefixtures("shared")
TABLE = read_table((ROOT / "docs" / "differences.md").read_text())
# What is compared once the parts of a run that it comes from are there.
AWAITED = re.compile(r".key:((non_)?derivative_metrics|analyzer.metrics_manager.resolutions).*")


@cache
def series():
    return stored_series(Trace(SHARED / "golden"))


@cache
def played(name):
    """Every deviation of one recording."""
    trace = Trace(SHARED / "golden", name)
    return [found for seen in play(trace, series()) for found in deviations(trace, seen)]


@pytest.mark.parametrize("name", TRACES)
def test_every_difference_is_in_the_table(name):
    awaited = [found for found in played(name) if AWAITED.fullmatch(found.name)]
    unexplained = [
        str(found) for found in played(name) if found not in awaited and not any(row.covers(found) for row in TABLE)
    ]
    assert not unexplained, f"{len(unexplained)} of {len(played(name))}:\n" + "\n".join(unexplained)


def test_every_row_of_the_table_describes_a_difference():
    found = [one for name in TRACES for one in played(name)]
    stale = [f"{row.row}: {row.text}" for row in TABLE if not any(row.covers(one) for one in found)]
    assert not stale, "\n".join(stale)

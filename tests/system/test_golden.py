"""Ridgeline in Skyline's place: what it does over the recorded scenario, against what the real Skyline did.

docs/differences.md accounts for every difference; tests/rigs/golden says how both are made comparable.
"""

import re
from functools import cache

import pytest
from conftest import ROOT, SHARED
from rigs.golden.compare import deviations
from rigs.golden.differences import read_table, unexplained, untrue
from rigs.golden.series import stored_series
from rigs.golden.trace import TRACES, Trace
from rigs.golden.world import play

pytestmark = pytest.mark.usefixtures("shared")
TABLE = read_table(ROOT / "docs" / "differences.md")
CLOCKS = re.compile("clock is .* behind that of Redis|lies in the future, by 9 min 40 s; points after now are judged")


@cache
def series():
    return stored_series(Trace(SHARED / "golden"))


@cache
def seen(name):
    """What each run over one recording did."""
    return list(play(Trace(SHARED / "golden", name), series()))


@cache
def played(name):
    """Every deviation of one recording."""
    return [found for one in seen(name) for found in deviations(Trace(SHARED / "golden", name), one)]


@pytest.mark.parametrize("name", TRACES)
def test_every_difference_is_in_the_table(name):
    found = unexplained(played(name), TABLE)
    assert not found, f"{len(found)} of {len(played(name))}:\n" + "\n".join(found)


def test_every_row_of_the_table_describes_a_difference_and_says_no_more():
    runs = {name: Trace(SHARED / "golden", name).runs for name in TRACES}
    wrong = untrue([one for name in TRACES for one in played(name)], TABLE, runs)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", TRACES)
def test_runs_end_well(name):
    """But for an endpoint that fails, and clocks that stand years ago, there is nothing to be said."""
    for one in seen(name):
        problems = [text for text in one.report.problems if not CLOCKS.search(text)]
        waits = [text for text in problems if text.startswith("http_alerter-golden: 1 alert not sent yet")]
        assert problems == waits
        assert one.report.exit == (70 if waits else 0)
        assert bool(waits) == (2 <= one.run <= 6 and name not in {"lean", "expiry_zero", "expiry_zero_first"})


@pytest.mark.parametrize("name", TRACES)
def test_series_are_only_read(name):
    """By what Redis was sent, besides the bytes of every series before and after (`+series:` would be a difference)."""
    for one in seen(name):
        words = [text.split(" ") for text in one.commands]
        commands = {name for name, *keys in words if keys and keys[0].startswith("metrics.")}
        assert commands - {"TYPE"} == {"SSCAN", "MGET"}  # the type of what is missing, if anything is

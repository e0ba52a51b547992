"""`ridgeline run` and `ridgeline manage` in the place of Skyline's metrics_manager, over its recorded scenario.

docs/manage-differences.md accounts for every difference; tests/rigs/golden/lists.py says how both are made comparable.
"""

from functools import cache

import pytest
from conftest import ROOT, SHARED
from rigs.golden.differences import read_table, unexplained, untrue
from rigs.golden.lists import TRACES, Recording, deviations, play

pytestmark = pytest.mark.usefixtures("shared")
TABLE = read_table(ROOT / "docs" / "manage-differences.md")
UNIQUE = "metrics.unique_metrics"


@cache
def seen(name):
    """What each cycle over one recording did."""
    return list(play(Recording(SHARED / "golden", name)))


@cache
def played(name):
    """Every deviation of one recording."""
    recording = Recording(SHARED / "golden", name)
    return [one for cycle in seen(name) for one in deviations(recording, cycle)]


@pytest.mark.parametrize("name", TRACES)
def test_every_difference_is_in_the_table(name):
    found = unexplained(played(name), TABLE)
    assert not found, f"{len(found)} of {len(played(name))}:\n" + "\n".join(found)


def test_every_row_of_the_table_describes_a_difference_and_says_no_more():
    runs = {name: Recording(SHARED / "golden", name).runs for name in TRACES}
    wrong = untrue([one for name in TRACES for one in played(name)], TABLE, runs)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", TRACES)
def test_passes_end_well_and_leave_series_and_their_names_alone(name):
    for cycle in seen(name):
        assert (cycle.report.problems, cycle.report.exit) == ([], 0)
        assert cycle.rewritten == []
        assert cycle.keys[UNIQUE]["value"] == sorted(
            Recording(SHARED / "golden", name).states[cycle.run][UNIQUE]["value"]
        )

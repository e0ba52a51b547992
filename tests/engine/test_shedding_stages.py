"""The stages that order the reading, tell what was shed and remember it: what each does when something is missing."""

from types import SimpleNamespace

import pytest
from rigs.parts import Clock, Source

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.model import Config, Output
from ridgeline.engine.report.text import as_text
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.shedding import Places
from ridgeline.engine.run.stages import shedding
from ridgeline.engine.run.stages.shedding import order_reading, remember_shed, tell_shed
from ridgeline.engine.run.turn import Request, Turn
from ridgeline.io.errors import SourceUnavailable
from ridgeline.io.state.interface import StateError

NAMES = ["a", "b", "c", "d", "y", "z"]
RULES = (AlertRow("y", ("http",), 60), AlertRow("z", ("http",), 60))


class Listed(Source):
    """A source that knows its names, and how it was asked to arrange them."""

    def __init__(self, names=tuple(NAMES)):
        super().__init__([], known=lambda read: len(names))
        self.names, self.asked = list(names), []

    def list(self):
        return self.names

    def arrange(self, order, *, at_once):
        self.asked.append(([self.names[at] for at in order(self.names)], at_once))


@pytest.fixture
def make(tmp_path):
    def turn(source=None, *, tried=None, missed=(), lost=None, rules=RULES, **request):
        config = Config(output=Output(tmp_path, tmp_path / "state.db"), alerts=rules)
        made = Turn.begin(Request(config, **request), Budget.begin(60.0, Clock()), lambda: 1_700_000_000)
        made.source = Listed() if source is None else source
        if tried is not None:
            made.scan = SimpleNamespace(missed=list(missed), tried=tried, lost=lost)
        return made

    return turn


def asked(turn):
    order_reading(turn)
    return turn.source.asked


PREFERRED = ["y", "z", "a", "b", "c", "d"]


def test_what_one_run_remembers_the_next_begins_with_and_the_one_after_it_does_not(make):
    assert asked(make()) == [(PREFERRED, False)]
    remember_shed(make(tried=2, missed=[(2, 5)]))
    assert asked(make()) == [(["y", "z", "c", "d", "a", "b"], True)]
    assert asked(make()) == [(PREFERRED, False)]


def test_each_part_of_a_source_has_a_memory_of_its_own(make):
    remember_shed(make(tried=2, missed=[(2, 6)], match="x"))
    remember_shed(make(tried=3, missed=[(3, 6)], check_airgaps_only=True))
    assert asked(make()) == [(PREFERRED, False)]
    assert asked(make(match="x")) == [(["y", "z", "c", "d", "a", "b"], True)]
    assert asked(make(check_airgaps_only=True)) == [(["y", "z", "d", "a", "b", "c"], True)]


@pytest.mark.parametrize(
    "ended",
    [
        {"tried": 6},  # all were judged
        {"tried": 2, "missed": [(2, 6)], "lost": SourceUnavailable("gone")},
        {"tried": 2, "missed": [(2, 6)], "dry_run": True},
        {},  # nothing was read: the kernels were not ready
    ],
)
def test_nothing_is_remembered_of_a_run_that_says_nothing_about_time(make, ended, tmp_path):
    remember_shed(make(**ended))
    assert not (tmp_path / "state.db").exists()
    assert asked(make()) == [(PREFERRED, False)]


def test_a_dry_run_leaves_the_memory_alone(make):
    remember_shed(make(tried=2, missed=[(2, 6)]))
    assert asked(make(dry_run=True)) == [(PREFERRED, False)]
    assert asked(make())[0][1]


@pytest.mark.parametrize("works", [order_reading, tell_shed, remember_shed])
def test_a_source_without_a_list_is_read_as_it_comes(make, works, tmp_path):
    turn = make(Source([]), tried=0)
    works(turn)
    turn.source = None
    works(turn)
    assert turn.report.shed == {"metrics": 0, "alert_covered": 0}
    assert not (tmp_path / "state.db").exists()


def test_a_state_that_cannot_be_read_costs_the_order_only(make, monkeypatch):
    def broken(*_):
        raise StateError("no state today")

    monkeypatch.setattr(shedding, "open_run_state", broken)
    assert asked(make()) == [(PREFERRED, False)]
    turn = make(tried=2, missed=[(2, 6)])
    remember_shed(turn)
    assert turn.report.problems == [
        "where reading stopped could not be kept: the next run begins with the same metrics again"
    ]
    assert turn.exit_code() == 0


def told(turn, shed):
    turn.report.add_unscored(shed, "shed", "deadline")
    tell_shed(turn)
    return turn.report.shed


def test_what_is_told(make):
    assert told(make(tried=3, missed=[(4, 6), (3, 4)]), 3) == {"metrics": 3, "alert_covered": 2}
    assert told(make(tried=3, missed=[(3, 6)], rules=()), 3) == {"metrics": 3, "alert_covered": 0}
    assert told(make(), 6) == {"metrics": 6, "alert_covered": 2}, "a run whose kernels were not ready"
    turn = make(Source([]), tried=0)
    assert told(turn, 4) == {"metrics": 4, "alert_covered": None}, "files are not listed beforehand"
    assert "\nshed: 4 metrics\n" in as_text(turn.report, 10)
    turn = make(tried=3, missed=[(3, 6)])
    told(turn, 3)
    assert "\nshed: 3 metrics, 2 of them with an alert rule\n" in as_text(turn.report, 10)


def test_external_rules_count_as_far_as_they_have_come(make):
    turn = make(tried=0, missed=[(0, 6)], rules=())
    turn.external = SimpleNamespace(found=SimpleNamespace(done=lambda: False))
    assert told(turn, 6)["alert_covered"] == 0
    found = SimpleNamespace(rows=(AlertRow("c", ("http",), 60),))
    turn.external = SimpleNamespace(found=SimpleNamespace(done=lambda: True, result=lambda: found))
    assert told(turn, 0)["alert_covered"] == 1
    turn.places = Places()
    assert shedding._order(turn, (), NAMES).tolist() == [2, 0, 1, 3, 4, 5]

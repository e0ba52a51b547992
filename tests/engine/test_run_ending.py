"""Of a run that breaks off: which exit code it is told with, and that telling never hides what happened."""

import pytest
from rigs.parts import Clock

from ridgeline.engine.config.model import Config, Log, Run, Statistics
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.stages import ending
from ridgeline.engine.run.stages.ending import tell_of_breaking_off
from ridgeline.engine.run.turn import PARTIAL, Request, Turn
from ridgeline.io.errors import AuthenticationFailed, InputError, LockHeld, SourceUnavailable, UnsafeTarget


@pytest.fixture
def turn(tmp_path):
    config = Config(
        run=Run(deadline=10),
        statistics=Statistics(prometheus_textfile=tmp_path / "x.prom"),
        log=Log(tmp_path / "x.log"),
    )
    clock = Clock()
    begun = Turn.begin(Request(config), Budget.begin(10, clock), lambda: 1_700_000_000.0)
    begun.find(PARTIAL, "before")
    return begun, clock, tmp_path


@pytest.mark.parametrize(
    ("error", "spent", "code", "words"),
    [
        (SourceUnavailable("it is down"), 1, 69, "it is down"),
        (AuthenticationFailed("no"), 1, 77, "no"),
        (InputError("nonsense"), 1, 2, "nonsense"),
        (SystemExit(143), 1, 143, "the run was told to stop"),
        (SystemExit(143), 10.5, 143, "the run was told to stop"),
        (SystemExit(143), 11.5, 70, "the run did not end by its deadline and was stopped"),
        (KeyboardInterrupt(), 1, 130, "the run was interrupted"),
        (ZeroDivisionError("a\nb"), 1, 1, "this is a bug: ZeroDivisionError: a\\nb"),
    ],
)
def test_the_exit_code_of_what_broke_it_off_outweighs_all_that_was_found(turn, error, spent, code, words):
    begun, clock, folder = turn
    clock.now += spent
    tell_of_breaking_off(begun, error)
    assert f"\nridgeline_exit_code {code}\n" in (folder / "x.prom").read_text()
    log = (folder / "x.log").read_text()
    assert f"run :: exit {code}" in log
    assert f"warning :: {words}\n" in log
    assert begun.exit_code() == code


def test_one_that_found_another_at_work_leaves_its_numbers_alone(turn):
    begun, _, folder = turn
    tell_of_breaking_off(begun, LockHeld("another"))
    assert not (folder / "x.prom").exists()
    assert "run :: exit 75" in (folder / "x.log").read_text()


def test_one_that_was_to_write_where_it_must_not_writes_nothing(turn):
    begun, _, folder = turn
    tell_of_breaking_off(begun, UnsafeTarget("among the data"))
    assert list(folder.iterdir()) == []


def test_a_bug_in_telling_hides_nothing(turn, monkeypatch):
    def broken(turn):
        raise TypeError

    monkeypatch.setattr(ending, "write_textfile", broken)
    tell_of_breaking_off(turn[0], SourceUnavailable("it is down"))
    assert "run :: exit 69" in (turn[2] / "x.log").read_text()

"""Users' algorithms: found by module, compiled, counted to consensus, named when they fail."""

import math
import re
import subprocess
import sys
import types

import numpy as np
import pyarrow as pa
import pytest
from numba import objmode

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import load_config
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.steps import step_schema
from ridgeline.engine.rules.compilation import remark
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.rules.trial import Trial, try_out
from ridgeline.engine.rules.user_algorithms import COLUMNS, algorithm, load_user_algorithms
from ridgeline.engine.score.graded import GRADED
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.engine.score.verdicts import verdict_schema
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix

START = 1_700_000_000


@algorithm(summary="The newest point is more than twice the one before.", min_points=20)
def doubled(t, x, as_of, scratch):
    return x[-1] / (2.0 * x[-2])


@algorithm(summary="Fails on even lengths.")
def moody(t, x, as_of, scratch):
    return math.nan if x.size % 2 == 0 else 2.0


@algorithm(summary="Allocates.")
def greedy(t, x, as_of, scratch):
    return np.sort(x)[0] * 0.0 + (as_of - t[-1])


@algorithm(summary="Writes where it must not.")
def vandal(t, x, as_of, scratch):
    x[0] = 7.0
    return 0.0


@algorithm(summary="Raises where the newest value is above 500.")
def brittle(t, x, as_of, scratch):
    if x[-1] > 500:
        raise ValueError("above 500")
    return 2.0


@algorithm(summary="Allocates, and raises on every row.")
def broken(t, x, as_of, scratch):
    if np.sort(x)[0] > -1e9:
        raise RuntimeError("never works", x[0])
    return 0.0


@algorithm(summary="Leaves compiled code for Python, which raises.")
def objection(t, x, as_of, scratch):
    with objmode(score="float64"):
        score = lookup(x[-1])
    return score + 0.0


def lookup(value):
    if value > 500:
        raise KeyError(f"no such level: {value}\x1b[31m")
    return 3.0


@pytest.fixture
def matrix():
    rng = np.random.default_rng(5)
    rows = [rng.normal(100, 1, n) for n in (200, 201, 150, 50)]
    rows[0][-1] = 900.0
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    timestamps = np.concatenate([START + 60 * np.arange(len(row)) for row in rows])
    timestamps[offsets[3] - 1] = timestamps[offsets[3] - 2]  # a duplicate in the third row
    return MetricMatrix.from_columns(pa.array(list("abcd")), offsets, timestamps, np.concatenate(rows))


def score(matrix, *user, **options):
    plan = ScorePlan(as_of="last", user=user, **options)
    return pa.Table.from_batches([score_matrix(matrix, plan)]).to_pylist()


def test_votes_count_and_scores_are_kept(matrix):
    rows = score(matrix, doubled, moody, scores=True)
    assert [row["doubled"] for row in rows] == [True, False, False, None]
    assert rows[0]["doubled_score"] > 4
    assert [row["moody"] for row in rows] == [None, True, True, None]
    assert [row["failed"] for row in rows] == [["moody"], [], [], []], (
        "the duplicate leaves 149 points in the third row"
    )
    plain = score(matrix, scores=True)
    assert [row["votes"] for row in rows[:3]] == [
        p["votes"] + extra for p, extra in zip(plain, (1, 1, 1), strict=False)
    ]
    assert rows[3]["outcome"] == "too_short"
    for row, alone in zip(rows, plain, strict=True):
        assert {key: row[key] for key in alone if key not in {"votes", "anomalous", "failed"}}.items() <= row.items()
        assert all(row[key] == alone[key] for key in PROFILE_FREE if key in alone)


PROFILE_FREE = ("grubbs_score", "least_squares_score", "median_absolute_deviation_score", "outcome", "datapoint")


def test_policies_switch_and_limit_them(matrix):
    off = score(matrix, doubled, policies=(Policy(consensus=1, algorithms=("grubbs",)),))
    assert [row["doubled"] for row in off] == [None] * 4
    only = score(matrix, doubled, policies=(Policy(consensus=1, algorithms=("doubled",)),))
    assert [row["anomalous"] for row in only] == [True, False, False, None]
    high = score(
        matrix, doubled, policies=(Policy(consensus=1, algorithms=("doubled",), thresholds=(("doubled", 9.0),)),)
    )
    assert [row["anomalous"] for row in high] == [False, False, False, None]


def test_one_that_allocates_is_compiled_all_the_same_and_said(matrix):
    assert [row["greedy"] for row in score(matrix, greedy)] == [False, False, False, None]
    late = ScorePlan(
        profile=PROFILES["native"], as_of=START + 60 * 200, user=(greedy,), policies=(Policy(stale_period=9999),)
    )
    assert score_matrix(matrix, late).column("greedy").to_pylist() == [True, False, True, None]
    assert remark([doubled]) == ""
    assert remark([doubled, greedy]).startswith("greedy cannot be compiled without allocating memory")


def test_one_that_writes_to_the_series_is_refused(matrix):
    with pytest.raises(InputError, match="algorithm 'vandal' cannot be compiled"):
        score(matrix, vandal)


def module(name, **members):
    made = types.ModuleType(name)
    vars(made).update(members)
    sys.modules[name] = made
    return name


def test_found_by_module_and_sorted_by_name():
    name = module("their_algorithms", second=moody, first=doubled, other=3)
    assert [one.name for one in load_user_algorithms([name])] == ["doubled", "moody"]
    assert load_user_algorithms([name, name]) == load_user_algorithms([name])
    assert load_user_algorithms([]) == ()


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({}, "holds no function decorated"),
        ({"one": doubled}, "'doubled', which another one is called already: rename its function"),
    ],
)
def test_what_cannot_be_used_is_said(members, sentence):
    with pytest.raises(InputError, match=sentence):
        load_user_algorithms([module("odd_algorithms", **members)], taken=("doubled",))


def test_a_module_that_is_not_there_is_said():
    with pytest.raises(InputError, match="module 'no_such_module' cannot be imported"):
        load_user_algorithms(["no_such_module"])


@pytest.mark.filterwarnings("ignore:Code running in object mode")
def test_one_that_raises_costs_the_vote_of_that_row_and_nothing_else(matrix):
    plain = score(matrix, scores=True)
    for one, values in (
        (brittle, [None, True, True, None]),
        (broken, [None] * 4),
        (objection, [None, True, True, None]),
    ):
        plan = ScorePlan(as_of="last", user=(one,), scores=True)
        rows = score_matrix(matrix, plan).to_pylist()
        assert [row[one.name] for row in rows] == values
        assert [row["failed"] for row in rows] == [[one.name] if vote is None else [] for vote in values[:3]] + [[]]
        for row, alone in zip(rows, plain, strict=True):
            assert row["outcome"] == alone["outcome"]
            assert all(row[name] == alone[name] for name in alone if name.endswith("_score") and name not in GRADED)
            assert row["votes"] == (None if alone["votes"] is None else alone["votes"] + (row[one.name] is True))
        assert rows[0]["anomalous"], "the spike of the row on which it raised is found all the same"


@pytest.mark.filterwarnings("ignore:Code running in object mode")
def test_what_one_said_when_it_raised_is_kept_once_with_its_place(matrix):
    plan = ScorePlan(as_of="last", user=(brittle, broken, objection, doubled))
    score_matrix(matrix, plan)
    assert set(plan.complaints) == {"brittle", "broken", "objection"}
    assert plan.complaints["brittle"].sentence.startswith("algorithm 'brittle' raised ValueError: above 500 (")
    assert "test_user_algorithms.py, line" in plan.complaints["brittle"].sentence
    assert plan.complaints["brittle"].sentence.endswith(" on a")
    assert "never works" in plan.complaints["broken"].sentence
    assert "KeyError" in plan.complaints["objection"].sentence
    assert "\x1b" not in plan.complaints["objection"].sentence
    assert set(plan.spent) == {"brittle", "broken", "objection", "doubled"}
    assert all(seconds > 0 and rows == 3 for blocks in plan.spent.values() for seconds, rows in blocks)


def test_a_replay_loses_the_vote_of_the_steps_on_which_one_raises(matrix):
    policy = Policy(consensus=1, algorithms=("brittle",))
    plan = ReplayPlan(user=(brittle,))
    steps = replay_matrix(matrix.slice(0, 1), plan, Overrides(policy))
    found = steps["brittle_score"].to_pylist()
    assert found == [None] * 99 + [2.0] * 100 + [None]
    assert steps["anomalous"].to_pylist() == [None] * 99 + [True] * 100 + [False]
    assert plan.complaints["brittle"].sentence.startswith("algorithm 'brittle' raised ValueError: above 500")


def test_one_without_an_end_holds_up_neither_an_interrupt_nor_the_end_of_the_process():
    script = """if True:
        import _thread, threading
        import numpy as np, pyarrow as pa
        from ridgeline.engine.rules.compilation import compiled
        from ridgeline.engine.rules.user_algorithms import algorithm
        from ridgeline.engine.score.matrix import score_matrix
        from ridgeline.engine.score.plan import ScorePlan
        from ridgeline.io.matrix import MetricMatrix

        @algorithm(summary="Never returns.")
        def endless(t, x, as_of, scratch):
            n = 0
            while x.size > 0:
                n = (n + 1) % 7
            return float(n)

        x = np.arange(400.0)
        matrix = MetricMatrix.from_columns(pa.array(["a", "b"]), np.array([0, 200, 400]), 1_700_000_000 + 60 * np.arange(400), x)
        compiled(endless)
        assert len(matrix.timestamps) == 400
        for threads in (1, 3):
            threading.Timer(1, _thread.interrupt_main).start()
            try:
                score_matrix(matrix, ScorePlan(as_of="last", user=(endless,)), threads=threads)
            except KeyboardInterrupt:
                print("interrupted")
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "interrupted\n" * 2


def named(name, function=doubled.function):
    return algorithm(summary="Named otherwise.")(types.FunctionType(function.__code__, {}, name))


NO_NAME = "(which is no name|which is the name of a column|whose score would bear the name of a column)"


@pytest.mark.parametrize(
    "name",
    [
        "metric", "votes", "failed", "ks_test_adf", "grubbs_score", "my_score", "rule_score", "<lambda>", "class",
        "expected_low", "channels", "consensus", "mean", "pages", "ridgeline", "rule",
    ],
)  # fmt: skip
def test_names_that_no_column_of_votes_can_have_are_refused(name):
    one = named(name)
    with pytest.raises(InputError, match=rf"'odd_names' names an algorithm '{name}', {NO_NAME}"):
        load_user_algorithms([module("odd_names", one=one)])
    with pytest.raises(InputError, match=rf"algorithms names an algorithm '{name}', {NO_NAME}"):
        ridgeline.score(
            pa.table({"metric": ["a"], "timestamp": [START], "value": [1.0]}), algorithms=["grubbs", one], consensus=1
        )


def test_every_column_beside_the_algorithms_is_out_of_bounds():
    columns = {*verdict_schema(()).names, *step_schema().names}
    own = {name for name in columns if name not in COLUMNS and not name.endswith("_score")}
    assert own == set()


def test_a_name_of_the_nine_is_taken_in_python_too():
    with pytest.raises(InputError, match="'grubbs', which another one is called already"):
        ridgeline.score(pa.table({"metric": ["a"], "timestamp": [START], "value": [1.0]}), algorithms=[named("grubbs")])


@pytest.mark.parametrize(
    "facts", [{"summary": ""}, {"summary": 3}, {"summary": "x", "min_points": 0}, {"summary": "x", "min_points": "9"}]
)
def test_facts_are_checked_where_they_are_declared(facts):
    with pytest.raises(InputError, match=r"an algorithm needs a summary|min_points is"):
        algorithm(**facts)


def unknown(t, x, as_of, scratch):
    return undefined(x)  # noqa: F821 - it is about that


def text(t, x, as_of, scratch):
    return "yes"


def three(t, x, as_of):
    return 0.0


def raising(t, x, as_of, scratch):
    if x[-1] > 0:
        raise ValueError("what a value")
    return 0.0


def no_number(t, x, as_of, scratch):
    return math.nan


def endless(t, x, as_of, scratch):
    n = 0
    while x[0] > -1:
        n += 1
    return float(n)


def picky(t, x, as_of, scratch):
    return math.nan if x[0] == x[-1] else 0.5


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (unknown, "algorithm 'unknown' cannot be compiled: NameError: name 'undefined' is not defined"),
        (text, r"algorithm 'text' cannot be compiled: No conversion from .* to float64 .*\(line \d+\)"),
        (three, "algorithm 'three' cannot be compiled: Signature mismatch: 4 argument types given, but function takes 3 arguments"),
        (vandal.function, r"algorithm 'vandal' cannot be compiled: NumbaTypeError: Cannot modify readonly array .*\(line \d+\)"),
        (raising, "algorithm 'raising' raises ValueError: what a value on a noisy series of 1440 points"),
        (no_number, r"algorithm 'no_number' gives no score \(NaN\) on a noisy series of 1440 points"),
        (endless, "algorithm 'endless' did not come to an end within 0.2 s on a noisy series of 1440 points"),
    ],
)  # fmt: skip
def test_a_trial_finds_what_cannot_be_used(function, fault):
    outcome = try_out(algorithm(summary="x")(function), patience=0.2 if function is endless else 30.0)
    assert re.fullmatch(fault, outcome.fault)
    assert outcome.remarks == ()


def test_a_trial_tells_of_series_without_a_score_and_is_content_with_the_rest():
    assert try_out(doubled) == try_out(greedy) == Trial()
    outcome = try_out(algorithm(summary="x")(picky))
    assert outcome.fault is None
    assert "algorithm 'picky' gives no score (NaN) on a constant series of 1440 points" in outcome.remarks


def test_a_trial_gives_as_many_points_as_are_asked_for():
    def long(t, x, as_of, scratch):
        return 0.5 if x.size >= 5000 and scratch.size == 4 * x.size and t.size == x.size else math.nan

    assert try_out(algorithm(summary="x", min_points=5000)(long)) == Trial()


CONFIG = '[source]\nurl = "redis://h"\n[analysis]\nmodules = ["{module}"]\n'


@pytest.mark.parametrize(("function", "fault"), [(unknown, "cannot be compiled"), (no_number, "gives no score (NaN)")])
def test_config_check_tries_them_out(function, fault, tmp_path, capsys):
    name = module("tried_algorithms", one=algorithm(summary="x")(function))
    path = tmp_path / "r.toml"
    path.write_text(CONFIG.format(module=name))
    assert main(["config", "check", str(path)]) == 2
    assert re.search(
        rf"r\.toml:4: analysis\.modules: algorithm '{function.__name__}' {re.escape(fault)}", capsys.readouterr().err
    )
    assert load_config(path).analysis.modules == (name,), "what only reads the file compiles nothing"


def test_config_check_passes_what_works_and_warns_of_what_it_cannot_judge(tmp_path, capsys):
    path = tmp_path / "r.toml"
    path.write_text(CONFIG.format(module=module("picky_algorithms", one=algorithm(summary="x")(picky))))
    assert main(["config", "check", str(path)]) == 0
    printed = capsys.readouterr()
    assert "analysis.modules: algorithm 'picky' gives no score (NaN) on a constant series" in printed.err
    assert "ok (redis source" in printed.out


def test_a_module_that_ends_the_program_is_said(tmp_path, monkeypatch):
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="module 'leaving' cannot be imported: SystemExit: 0"):
        load_user_algorithms(["leaving"])

"""The registry is the folder; the fused row, the oracle and the parity files agree with it."""

import ast
import inspect

import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from twins import ks as oracle_ks
from twins import votes as oracle

from ridgeline import kernels
from ridgeline.engine.rules import profiles
from ridgeline.engine.score.series import tail_avg
from ridgeline.kernels.score import entry, outcome, row
from ridgeline.kernels.shared import switches


def files():
    return {path.stem for path in (ROOT / "kernels").glob("*.py") if not path.stem.startswith("_")}


def test_the_registry_is_the_folder():
    found = kernels.load()
    assert set(found) == files()
    assert all(name == one.name and one.summary.endswith(".") for name, one in found.items())


def test_the_fused_row_names_exactly_the_folder_in_cost_order():
    source = ast.parse(inspect.getsource(row))
    scored = next(node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "score_row")
    called = [node.func.id[1:] for node in ast.walk(scored) if isinstance(node, ast.Call) and node.func.id[0] == "_"]
    lines = {node.func.id[1:]: node.lineno for node in ast.walk(scored) if isinstance(node, ast.Call)}
    assert sorted(called) == sorted(files())
    assert sorted(called, key=lines.get) == sorted(files(), key=lambda name: kernels.load()[name].cost)


def test_the_rows_columns_are_the_registrys():
    for place, name in enumerate(kernels.load()):
        assert getattr(row, name.upper()) == place
        assert getattr(row, f"_{name}") is kernels.load()[name].kernel
    assert len(kernels.load()) == row.ALGORITHMS


def test_every_algorithm_has_a_readable_twin():
    missing = [name for name in files() if not hasattr(oracle, name) and not hasattr(oracle_ks, name)]
    assert not missing


def test_the_order_is_the_parity_files(shared):
    columns = pq.read_schema(shared / "parity" / "mix.expected_analyzer.parquet").names
    assert [name for name in columns if name in files()] == list(kernels.load())


def test_profiles_fill_the_switches_by_name():
    places = {
        name: value
        for name, value in vars(switches).items()
        if name.isupper() and not name.startswith(("HISTOGRAM_", "FIRST_HOUR_"))
    }
    fields = list(profiles.Profile.__dataclass_fields__)[2:]
    assert [name.upper() for name in fields] == sorted(places, key=places.get)[: len(fields)]
    for profile in profiles.PROFILES.values():
        encoded = profile.encode(86400)
        assert len(encoded) == switches.SWITCHES
        assert encoded[switches.FULL_DURATION] == 86400
        assert encoded[switches.MIN_POINTS] == profile.min_points


def test_the_engine_knows_the_kernels_numbers():
    from ridgeline.engine.score import matrix as scoring
    from ridgeline.engine.score import verdicts
    from ridgeline.io.matrix import NO_AS_OF
    from ridgeline.kernels.adf.layout import SCRATCH_FIXED
    from ridgeline.kernels.shared.summary import STATS
    from ridgeline.kernels.shared.weights import DECAY

    assert [getattr(outcome, name.upper()) for name in verdicts.OUTCOMES[:5]] == list(range(5))
    assert (outcome.FALSE, outcome.TRUE, outcome.NULL, outcome.FAILED) == (0, 1, 2, 3)
    assert (verdicts.FALSE, verdicts.TRUE, verdicts.NULL, verdicts.FAILED) == (0, 1, 2, 3)
    assert outcome.NO_CRITICAL == scoring.NO_CRITICAL
    assert (row.EARLY_EXIT, row.ALL_VOTES, row.SCORES) == (scoring.EARLY_EXIT, scoring.ALL_VOTES, scoring.SCORES)
    assert scoring.SCRATCH_PER_POINT > row.SCRATCH_PER_POINT
    assert scoring.SCRATCH_FIXED >= row.SCRATCH_FIXED + STATS + row.ALGORITHMS
    assert row.SCRATCH_FIXED > SCRATCH_FIXED
    assert entry.OWN_AS_OF == NO_AS_OF
    assert DECAY == 50 / 51


def test_unknown_names_are_said():
    from ridgeline import algorithms
    from ridgeline.engine.rules.profiles import profile_named
    from ridgeline.io.errors import InputError

    assert set(files()) < set(dir(algorithms))
    with pytest.raises(AttributeError):
        _ = algorithms.no_such_algorithm
    with pytest.raises(InputError, match="unknown profile 'skyline': choose one of native, earthgecko,"):
        profile_named("skyline")
    assert tail_avg([(1, 1.0), (2, 5.0)]) == 5.0

"""The registry is the folder; the dispatch, the oracle and the parity files agree with it."""

import ast
import importlib
import inspect
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from twins import ks as oracle_ks
from twins import votes as oracle

from ridgeline import kernels
from ridgeline.engine.rules import profiles
from ridgeline.engine.score import verdicts
from ridgeline.engine.score.series import tail_avg
from ridgeline.io.matrix import NO_AS_OF
from ridgeline.kernels._signature import Floats, Int, signature_of
from ridgeline.kernels.adf import layout as adf_layout
from ridgeline.kernels.decode import layout as decode_layout
from ridgeline.kernels.native.signature import parse
from ridgeline.kernels.replay import layout as replay_layout
from ridgeline.kernels.score import layout as score_layout
from ridgeline.kernels.score import nine, row
from ridgeline.kernels.shared import switches
from ridgeline.kernels.shared.ks import KS_SCRATCH_FIXED


def files():
    return {path.stem for path in (ROOT / "kernels").glob("*.py") if not path.stem.startswith("_")}


def test_the_registry_is_the_folder():
    found = kernels.load()
    assert set(found) == files()
    assert all(name == one.name and one.summary.endswith(".") for name, one in found.items())


def function_of(module, name):
    source = ast.parse(inspect.getsource(module))
    return next(node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == name)


def test_the_dispatch_names_exactly_the_folder():
    calls = [node for node in ast.walk(function_of(nine, "score_of")) if isinstance(node, ast.Call)]
    assert sorted(call.func.id[1:] for call in calls if call.func.id[0] == "_") == sorted(files())


def test_a_row_is_judged_in_cost_order():
    calls = [node for node in ast.walk(function_of(row, "score_row")) if isinstance(node, ast.Call)]
    judged = sorted((call.lineno, call.args[0].id.lower()) for call in calls if call.func.id == "judge")
    assert [name for _, name in judged] == sorted(files(), key=lambda name: kernels.load()[name].cost)


def test_every_algorithm_is_compiled_once_for_all_entries():
    """Inlined, it would compute other bits in one entry than in another."""
    for name in files():
        source = ast.parse((ROOT / "kernels" / f"{name}.py").read_text())
        (function,) = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == name]
        assert ast.unparse(function.body[1]) == "never_inline()", name


def test_the_columns_are_the_registrys():
    for place, name in enumerate(kernels.load()):
        assert getattr(score_layout, name.upper()) == place
        assert getattr(nine, f"_{name}") is kernels.load()[name].kernel
    assert len(kernels.load()) == score_layout.ALGORITHMS


@pytest.mark.parametrize(
    "name",
    ["decode", "density", "gaps", "grades", "history", "paging", "prepare", "replay", "requests", "score", "walks"],
)
def test_entries_take_what_their_annotations_say(name):
    entry = importlib.import_module(f"ridgeline.kernels.{name}.entry")
    slots = parse(entry.SIGNATURE)
    assert len(slots) == len(inspect.signature(entry.run.py_func).parameters)
    assert slots[0].dimensions == 1


def test_an_argument_without_a_type_for_entries_is_refused():
    def run(x: Floats, n: int) -> Int: ...

    def fine(x: Floats, n: Int) -> Int: ...

    assert signature_of(fine) == "i8(f8[::1], i8)"
    with pytest.raises(TypeError, match="run: n has no type that entries may have"):
        signature_of(run)


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
        encoded = profile.encode()
        assert len(encoded) == switches.SWITCHES
        assert encoded[switches.MIN_POINTS] == profile.min_points


def test_layouts_name_their_places_once():
    assert [getattr(score_layout, name.upper()) for name in score_layout.OUTCOMES] == list(range(5))
    assert verdicts.OUTCOMES[:5] == score_layout.OUTCOMES
    assert [getattr(decode_layout, name.upper()) for name in decode_layout.KINDS] == list(range(6))
    assert NO_AS_OF == score_layout.OWN_AS_OF == np.iinfo(np.int64).min
    assert adf_layout.SCRATCH_FIXED + KS_SCRATCH_FIXED < score_layout.SCRATCH_FIXED
    assert replay_layout.WIDTH * 8 % 4096
    rows = (replay_layout.HOUR, replay_layout.DEVIATIONS, replay_layout.DISTANCES, replay_layout.BLOCK_FLOATS)
    assert rows == (
        12,
        19,
        replay_layout.TABLE + score_layout.ALGORITHMS,
        replay_layout.EDGES + 1 + replay_layout.SHARES,
    )


def test_layouts_need_no_numba():
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "kernels").rglob("layout.py")]
    names += ["kernels.shared.stats", "kernels.shared.switches", "kernels.shared.weights"]
    code = f"import sys, {', '.join(f'ridgeline.{name}' for name in names)}; print('numba' in sys.modules)"
    assert len(names) == 18
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


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

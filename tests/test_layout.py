"""The architecture, as a test: who may import whom, every folder ships, what is exported exists."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT

FOLDERS = ("alerters", "bench", "engine", "io", "kernels")
TOP = ROOT / "engine" / "_root"  # the package `ridgeline` itself
# Rooms of `engine/` from bottom to top: each may import only rooms of the rows above it, and its own.
LAYERS = (
    {"units"},
    {"rules", "prepare", "walks"},
    {"score", "replay", "memory"},
    {"alerts", "report", "archive"},
    {"config"},
    {"policy"},
    {"run", "backtest", "evaluate", "batch", "manage", "remote", "verify"},
    {"explain", "doctor", "agent", "demo", "page", "tune"},
    {"api"},
    {"cli"},
)
# Neighbours of one row that are allowed to lean on another, and why.
NEIGHBOURS = {
    ("batch", "run"): "its hand-offs, watermarks and books are those of a run",
    ("walks", "rules"): "a rule says which metrics go by walks, and what its channels are called",
    ("replay", "score"): "one plan, one policy encoding, one set of verdict codes",
    ("report", "alerts"): "a summary counts what was delivered",
    ("prepare", "rules"): "patterns say which series are prepared",
    ("remote", "run"): "one state, one way into the books, one name for the folder of a metric",
    ("memory", "score"): "what is kept is what scoring needs",
    ("manage", "run"): "the books that runs keep are kept on; locks, deadlines and statistics are those of runs",
}
ALLOWED = {
    "kernels": {"ridgeline.kernels"},
    "io": {
        "ridgeline.io",
        "ridgeline.kernels.native",
        "ridgeline.kernels.decode",
        "ridgeline.kernels.score.layout",
        "ridgeline.kernels.memory.layout",
    },
    "alerters": {"ridgeline.alerters", *(f"ridgeline.io.{name}" for name in ("net", "secret", "small", "text"))},
    "engine": {"ridgeline.engine", "ridgeline.io", "ridgeline.kernels", "ridgeline.alerters", "ridgeline"},
    "bench": {
        "ridgeline.bench",
        "ridgeline.engine",
        "ridgeline.io",
        "ridgeline.kernels",
        "ridgeline.alerters",
        "ridgeline",
    },
}
# What dependencies bring along, and what authors of channels install who test them with `alerters.testing`.
BROUGHT = {"llvmlite", "botocore", "trustme"}
# Library code behind one command: only the command may reach it.
MEASURES_ONLY_FROM = "engine/cli/"


def modules():
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported(path):
    """Names a module imports, wherever in the file, as dotted paths."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def under(name, prefixes):
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def against_the_arrows(place, name):
    """What is wrong with a module's import, if anything."""
    first = name.partition(".")[0]
    if first in FOLDERS and first != "io":
        return f"{place} imports {name}: say ridgeline.{name}"
    if first != "ridgeline":
        return None
    if under(name, {"ridgeline.bench"}) and place.parts[0] != "bench":
        may = str(place).startswith(MEASURES_ONLY_FROM)
        return None if may else f"{place} may not import {name}: only the command line may"
    return None if under(name, ALLOWED[place.parts[0]]) else f"{place} may not import {name}"


def test_imports_follow_the_arrows():
    found = [against_the_arrows(path.relative_to(ROOT), name) for path in modules() for name in imported(path)]
    assert len(found) > 2000
    assert [wrong for wrong in found if wrong] == []


def engine_modules():
    return [path for path in modules() if path.is_relative_to(ROOT / "engine") and not path.is_relative_to(TOP)]


def room(dotted):
    return dotted.removeprefix("ridgeline.engine.").partition(".")[0]


def test_rooms_of_the_engine_lean_only_downwards():
    level = {name: height for height, row in enumerate(LAYERS) for name in row}
    wrong, leaning = [], 0
    for path in engine_modules():
        place = path.relative_to(ROOT)
        own = place.with_suffix("").parts[1]
        if own == "__init__":
            continue
        assert own in level, f"{own} has no layer: add it to LAYERS"
        for name in (name for name in imported(path) if name.startswith("ridgeline.engine.")):
            other = room(name)
            leaning += other != own
            if other != own and (own, other) not in NEIGHBOURS and level[other] >= level[own]:
                wrong.append(f"{place} imports {name}: {own} may not lean on {other}")
    assert leaning > 500
    assert wrong == []


def declared(table):
    """The packages that requirements name, as they are imported."""
    return {re.match(r"\w+", requirement)[0] for requirement in table}


def test_what_is_imported_is_declared():
    """Wherever in a file: a library of the development environment alone is missed only where the line is reached."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {name for table in project["optional-dependencies"].values() for name in table}
    allowed = (
        declared(project["dependencies"]) | declared(extras) | BROUGHT | set(sys.stdlib_module_names) | {"ridgeline"}
    )
    found = {(name.partition(".")[0], str(path.relative_to(ROOT))) for path in modules() for name in imported(path)}
    assert len(found) > 2000
    assert sorted((name, place) for name, place in found if name not in allowed) == []


def test_every_module_ships():
    """Where the package is installed as a wheel, each of these files is in it."""
    missing = [str(path.relative_to(ROOT)) for path in modules() if importlib.util.find_spec(dotted(path)) is None]
    assert missing == []


def package(path):
    """The package a module ships in: what lies in `engine/_root` is the top itself."""
    folder = path.parent
    inner = folder.relative_to(TOP if folder.is_relative_to(TOP) else ROOT)
    return ".".join(["ridgeline", *inner.parts])


def dotted(path):
    """The name by which a module is imported."""
    return package(path) if path.stem == "__init__" else f"{package(path)}.{path.stem}"


def test_every_folder_is_packaged():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = set(setuptools["packages"]) - {"ridgeline"}
    found = {package(path) for path in modules()} - {"ridgeline"}
    assert listed == found


def test_every_package_folder_has_a_docstring():
    for path in modules():
        assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


def test_what_is_exported_exists():
    import ridgeline

    for name in ridgeline.__all__:
        assert getattr(ridgeline, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        ridgeline.no_such_thing  # noqa: B018


def test_importing_the_package_is_light():
    heavy = "numba,llvmlite,scipy,polars,pyarrow,numpy,redis,matplotlib,plotly,dask,statsmodels"
    code = f"import sys, ridgeline, ridgeline.engine.cli.main; print([m for m in '{heavy}'.split(',') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )

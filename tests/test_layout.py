"""The architecture, as a test: who may import whom, every folder ships, what is exported exists."""

import ast
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


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    place = path.relative_to(ROOT)
    for name in imported(path):
        first = name.partition(".")[0]
        assert first == "io" or first not in FOLDERS, f"{place} imports {name}: say ridgeline.{name}"
        if first != "ridgeline":
            continue
        if under(name, {"ridgeline.bench"}) and place.parts[0] != "bench":
            assert str(place).startswith(MEASURES_ONLY_FROM), (
                f"{place} may not import {name}: only the command line may"
            )
            continue
        assert under(name, ALLOWED[place.parts[0]]), f"{place} may not import {name}"


def engine_modules():
    return [path for path in modules() if path.is_relative_to(ROOT / "engine") and not path.is_relative_to(TOP)]


def room(dotted):
    return dotted.removeprefix("ridgeline.engine.").partition(".")[0]


@pytest.mark.parametrize("path", engine_modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_of_the_engine_lean_only_downwards(path):
    level = {name: height for height, row in enumerate(LAYERS) for name in row}
    own = path.relative_to(ROOT / "engine").with_suffix("").parts[0]
    if own == "__init__":
        return
    assert own in level, f"{own} has no layer: add it to LAYERS"
    for name in imported(path):
        if not name.startswith("ridgeline.engine."):
            continue
        other = room(name)
        if other == own or (own, other) in NEIGHBOURS:
            continue
        assert level[other] < level[own], f"{path.relative_to(ROOT)} imports {name}: {own} may not lean on {other}"


def package(path):
    """The package a module ships in: what lies in `engine/_root` is the top itself."""
    folder = path.parent
    inner = folder.relative_to(TOP if folder.is_relative_to(TOP) else ROOT)
    return ".".join(["ridgeline", *inner.parts])


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

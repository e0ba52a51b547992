"""A recipe of one small entry, compiled once a session, and private copies of its cache to damage."""

import shutil
import sys

import pytest
from rigs.native import ENTRY, FACTS, environment

from ridgeline.kernels.native.entries import load_numba
from ridgeline.kernels.native.loader import Loader, Recipe
from ridgeline.kernels.native.telling import Telling


@pytest.fixture(scope="session")
def modules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    (folder / "fake_entry.py").write_text(ENTRY)
    (folder / "fake_facts.py").write_text(FACTS)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def recipe(modules):
    return Recipe({"fake": "fake_entry"}, (modules,), "fake_facts:load")


@pytest.fixture(scope="session")
def built(tmp_path_factory, recipe):
    """A cache folder in which the fake entry has been compiled."""
    root = tmp_path_factory.mktemp("built")
    said = []
    warmed = Loader(recipe, environment(root), Telling(said.append)).warmup()
    assert warmed.problem == ""
    assert warmed.origins == {"fake": "library"}
    assert warmed.folder.parent == root
    assert list(warmed.compiled) == ["fake"]
    assert "once" in said[0]
    assert "fake (1 of 1)" in said[1]
    assert str(warmed.folder) in said[2]
    assert len(said) == 3
    return root


@pytest.fixture
def root(built, tmp_path):
    """A private copy of the built cache folder, to damage."""
    shutil.copytree(built, tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def plain(modules):
    import fake_entry

    return load_numba(fake_entry.run, "fake", fake_entry.SIGNATURE)

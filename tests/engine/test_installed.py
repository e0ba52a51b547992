"""Whether an installed package may declare algorithms: never overlooked, and cheap where none does."""

import sys
from importlib.machinery import PathFinder
from importlib.metadata import MetadataPathFinder, distributions

import pytest

from ridgeline.engine.rules.installed import may_declare
from ridgeline.engine.rules.user_algorithms import GROUP, load_user_algorithms
from ridgeline.io.errors import InputError

DECLARED = f"[console_scripts]\nx = y:z\n\n[{GROUP}]\nmine = doubled_by_mine\n"


def install(folder, name, text):
    """Metadata of a package as installers leave it there."""
    metadata = folder / name
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    if text is not None:
        (metadata / "entry_points.txt").write_text(text)


@pytest.fixture(autouse=True)
def _only_the_finder_of_python(monkeypatch):
    """Other libraries bring finders of packages, where only they can tell, and take Python's own away (`importlib_metadata`)."""
    monkeypatch.setattr(PathFinder, "find_distributions", MetadataPathFinder.find_distributions, raising=False)
    own = [one for one in sys.meta_path if one is PathFinder or not hasattr(one, "find_distributions")]
    monkeypatch.setattr(sys, "meta_path", own)


def library(path):
    """What the standard library says."""
    return any(entry.group == GROUP for one in distributions(path=path) for entry in one.entry_points)


@pytest.mark.parametrize(
    ("place", "name"),
    [(".", "mine-1.0.dist-info"), (".", "mine.egg-info"), (".", "Mine-1.0.DIST-INFO"), ("mine.egg", "EGG-INFO")],
)
def test_a_package_that_declares_is_found_wherever_the_library_finds_it(tmp_path, monkeypatch, place, name):
    folder = tmp_path / place
    install(folder, name, DECLARED)
    assert library([str(folder)])
    assert may_declare(GROUP, ["/nowhere", str(folder)])
    monkeypatch.chdir(folder)
    assert may_declare(GROUP, [""]) is library([""])


def test_what_declares_nothing_of_ours_does_not(tmp_path):
    install(tmp_path, "a-1.dist-info", None)
    install(tmp_path, "b-1.dist-info", "[console_scripts]\nx = y:z\n")
    install(tmp_path, "c", DECLARED)
    (tmp_path / "d.dist-info").write_text("no folder")
    assert not library([str(tmp_path)])
    assert not may_declare(GROUP, [str(tmp_path), str(tmp_path / "absent")])


def test_where_only_the_library_can_tell_it_is_asked(tmp_path, monkeypatch):
    archive = tmp_path / "all.zip"
    archive.write_bytes(b"")
    assert may_declare(GROUP, [str(archive)])

    class Finder:
        def find_distributions(self, context=None):
            return ()

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert may_declare(GROUP, [])


def test_what_is_declared_is_loaded(tmp_path, monkeypatch):
    install(tmp_path, "mine-1.0.dist-info", DECLARED)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="entry point 'mine' of group"):
        load_user_algorithms([])
    (tmp_path / "doubled_by_mine.py").write_text(
        "import ridgeline\n@ridgeline.algorithm(summary='Twice.')\ndef doubled(t, x, as_of, scratch):\n    return x[-1]\n"
    )
    assert [one.name for one in load_user_algorithms([])] == ["doubled"]

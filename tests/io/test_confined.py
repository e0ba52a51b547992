"""A folder for files that strangers name: no name leads out of it, and no file is there by half."""

import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.io.disk.confined import Confined, Refused, alike, check_place, name_fault
from ridgeline.io.errors import OutputError

NAMES = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ["..", ".", "", "/", "a/b", "/etc", "..\\x", "con", "NUL.txt", "com1", "a\0", "\u202e", "x" * 256, "é", "e\u0301"]
)


@given(st.lists(NAMES, min_size=1, max_size=5).map(tuple))
def test_whatever_the_names_are_a_file_is_within_or_refused(place):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        root.mkdir()
        try:
            assert Confined(root).add(place, b"whole")
        except Refused:
            assert list(root.iterdir()) == []
        else:
            (file,) = (path for path in root.rglob("*") if path.is_file())
            assert file.relative_to(root).parts == place
            assert file.read_bytes() == b"whole"
        assert list(root.parent.iterdir()) == [root]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("web.host01.cpu.json", None),
        ("a b", None),
        ("ünï", None),
        ("-rf", None),
        ("console.json", None),
        ("Con", "device_name"),
        ("aux.tar.gz", "device_name"),
        ("lpt9.x", "device_name"),
        ("x" * 255, None),
        ("ü" * 128, "too_long"),
        ("\udc80", "unsafe_name"),
        ("a\x7f", "unsafe_name"),
        ("\u2028", "unsafe_name"),
        ("x ", "unsafe_name"),
    ],
)
def test_plain_names_are_plain(name, fault):
    assert name_fault(name) == fault


def test_places_have_an_end():
    check_place(("d",) * 64)
    for place in (("d",) * 65, ("d" * 250,) * 5):
        with pytest.raises(Refused, match="too_long"):
            check_place(place)


def test_alike_is_what_some_file_systems_take_for_one():
    assert alike("Straße.JSON") == alike("STRASSE.json")
    assert alike("café") == alike("cafe\u0301")
    assert alike("a") != alike("b")


def test_content_that_breaks_off_leaves_no_folder(tmp_path):
    def broken(file):
        file.write(b"half")
        raise LookupError

    (tmp_path / "kept").mkdir()
    with pytest.raises(LookupError):
        Confined(tmp_path).add(("kept", "new", "newer", "file"), broken)
    assert [path.name for path in tmp_path.rglob("*")] == ["kept"]


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(tmp_path):
    """Between looking and writing somebody puts a link in the place of a folder: the file goes where the folder is now."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "d").mkdir(parents=True)
    outside.mkdir()

    def swap(file):
        (root / "d").rename(root / "moved")
        (root / "d").symlink_to(outside)
        file.write(b"whole")

    assert Confined(root).add(("d", "file"), swap)
    assert list(outside.iterdir()) == []
    assert (root / "moved" / "file").read_bytes() == b"whole"
    with pytest.raises(Refused, match="in_the_way"):
        Confined(root).add(("d", "other"), b"")


def test_one_of_many_writers_is_the_one(tmp_path):
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(Confined(tmp_path).add(("d", "f"), b"x"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == [False] * 7 + [True]


def test_a_file_that_appears_amid_the_look_is_the_one(tmp_path, monkeypatch):
    (tmp_path / "d").mkdir()
    listed = os.listdir

    def late(folder):
        (tmp_path / "d" / "f").write_bytes(b"theirs")
        return listed(folder)

    monkeypatch.setattr(os, "listdir", late)
    assert Confined(tmp_path).add(("d", "f"), b"ours") is False
    assert (tmp_path / "d" / "f").read_bytes() == b"theirs"


def test_what_cannot_be_written_names_the_place(tmp_path):
    with pytest.raises(OutputError, match=f"cannot use {tmp_path}/none/d/f: No such file"):
        Confined(tmp_path / "none").add(("d", "f"), b"")
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "d" / "pipe")
    with pytest.raises(Refused, match="in_the_way"):
        Confined(tmp_path).holds(("d", "pipe"))


def test_what_is_kept_is_counted_without_following_links(tmp_path):
    (tmp_path / "data" / "d").mkdir(parents=True)
    (tmp_path / "data" / "d" / "f").write_bytes(bytes(1000))
    (tmp_path / "data" / "self").symlink_to(tmp_path)
    (tmp_path / "data" / "link").symlink_to("/etc/passwd")
    (tmp_path / "other").write_bytes(bytes(5000))
    kept = Confined(tmp_path).kept("data", "none")
    assert (kept.bytes, kept.files) == (1000, 1)

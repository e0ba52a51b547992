"""A cache that is damaged, stale or full of nonsense costs a rebuild, never a crash and never wrong code."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from rigs.native import ENTRY, FACTS, answer, arguments, environment, results, stamp_folder, started

from ridgeline.kernels.native import cache as native_cache
from ridgeline.kernels.native.loader import Loader, Recipe, Warmed
from ridgeline.kernels.native.making import Maker
from ridgeline.kernels.native.seal import Known, seal, unseal, unseal_facts


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def overwrite(path):
    path.write_bytes(b"\x7fELF" + b"garbage" * 1000)


def grow(path):
    with path.open("ab") as file:
        file.truncate(1 << 27)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def link(path):
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


DAMAGE = {
    "truncated library": ("fake.so", truncate),
    "a flipped bit": ("fake.so", flip),
    "garbage": ("fake.so", overwrite),
    "an empty library": ("fake.so", lambda path: path.write_bytes(b"")),
    "no library": ("fake.so", Path.unlink),
    "a huge library": ("fake.so", grow),
    "a pipe": ("fake.so", pipe),
    "a link": ("fake.so", link),
    "truncated facts of an entry": ("fake.json", truncate),
    "a flipped bit in them": ("fake.json", flip),
    "none of them": ("fake.json", lambda path: path.write_bytes(b"")),
    "a pipe in their place": ("fake.json", pipe),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_before_anything_is_loaded(recipe, root, damage, monkeypatch):
    name, spoil = DAMAGE[damage]
    spoil(stamp_folder(root) / name)
    monkeypatch.setattr(native_cache, "load_library", lambda *_: pytest.fail("damaged code was loaded"))
    monkeypatch.setattr(native_cache, "load_object", lambda *_: pytest.fail("damaged code was loaded"))
    assert found_at(recipe, root) == {}


def found_at(recipe, root):
    return Loader(recipe, environment(root)).cache.load(["fake"])


@pytest.mark.parametrize("spoil", [truncate, flip, overwrite, Path.unlink])
def test_a_damaged_object_is_not_loaded_where_no_library_can_be(recipe, root, spoil, monkeypatch):
    def refuse(*_):
        raise OSError("noexec")

    spoil(stamp_folder(root) / "fake.o")
    monkeypatch.setattr(native_cache, "load_library", refuse)
    monkeypatch.setattr(native_cache, "load_object", lambda *_: pytest.fail("damaged code was loaded"))
    assert found_at(recipe, root) == {}


def test_the_bytes_that_were_checked_are_the_bytes_that_are_loaded(recipe, root, monkeypatch, plain):
    """Between the check and the load the file becomes another: what was checked runs."""
    real = native_cache.load_library

    def swap_first(code, name, signature):
        overwrite(stamp_folder(root) / "fake.so")
        return real(code, name, signature)

    monkeypatch.setattr(native_cache, "load_library", swap_first)
    entry = Loader(recipe, environment(root)).entry("fake")
    assert entry.origin == "library"
    assert results(entry, arguments()) == results(plain, arguments())
    assert "memfd:ridgeline_fake" in Path("/proc/self/maps").read_text()


def test_damage_costs_one_rebuild(recipe, root, plain):
    overwrite(stamp_folder(root) / "fake.so")
    loader = Loader(recipe, environment(root))
    assert results(loader.entry("fake"), arguments()) == results(plain, arguments())
    assert list(loader.warmup().compiled) == ["fake"]
    after = Loader(recipe, environment(root))
    assert after.warmup() == Warmed(stamp_folder(root), {}, {"fake": "library"})


def test_code_that_cannot_be_loaded_even_afresh_leaves_numba(recipe, root, caplog, monkeypatch):
    builds = []
    monkeypatch.setattr(native_cache, "_load", lambda *_: None)
    monkeypatch.setattr(Maker, "_make_in", lambda *_: builds.append(1))
    assert Loader(recipe, environment(root)).entry("fake").origin == "numba"
    assert len(builds) == 1
    assert "cannot be loaded, even made afresh" in caplog.text


def test_a_changed_source_gets_another_stamp_and_new_code(tmp_path, built, recipe, monkeypatch):
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "fake_entry3.py").write_text(ENTRY.replace("VERSION = 1000", "VERSION = 2000"))
    (folder / "fake_facts.py").write_text(FACTS)
    monkeypatch.syspath_prepend(str(folder))
    changed = Recipe({"fake": "fake_entry3"}, (folder,), "fake_facts:load")
    cache = tmp_path / "cache"
    shutil.copytree(built, cache)
    loader = Loader(changed, environment(cache))
    assert results(loader.entry("fake"), arguments())[0] == 2037
    assert loader.entry("fake").origin == "library"
    assert results(Loader(recipe, environment(cache)).entry("fake"), arguments())[0] == 1037


# Nonsense under a good seal

SUMS = {"code": "0" * 64, "library": "", "unbuildable": "", "seconds": 1.0}
NONSENSE = [
    None, 0, "text", [], {}, [1, 2], {"signature": "i8(i8)"}, {**SUMS, "signature": "f8(c16[::1])"},
    {**SUMS, "signature": 5}, {**SUMS, "signature": "i8(i8)", "seconds": "1"}, {**SUMS, "signature": "i8(i8)", "code": ""},
    {**SUMS, "signature": "i8(i8)", "unbuildable": "and yet there is code"}, {**SUMS, "signature": "i8(i8)", "more": 1},
    {**SUMS, "signature": "i8(i8)", "seconds": float("nan")}, {**SUMS, "signature": "i8(i8)", "code": None},
]  # fmt: skip


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_about_an_entry_is_damage(nonsense):
    with pytest.raises(ValueError):
        Known.read(seal(nonsense))


def test_what_is_known_of_an_entry_comes_back():
    for known in (Known("i8(i8)", "a" * 64, "b" * 64, seconds=2.5), Known(unbuildable="it needs PyErr_SetString")):
        assert Known.read(known.sealed()) == known


FACT = {"summary": "s", "min_points": 2, "threshold": 3.0, "cost": 1}


@pytest.mark.parametrize(
    "nonsense",
    [None, [], {}, {"a": 1}, {"a": {}}, {"a": {**FACT, "cost": "1"}}, {"a": {**FACT, "threshold": 3}}, {"a": {**FACT, "x": 1}},
     {"a": {**FACT, "min_points": True}}, {"a": FACT, "b": None}],
)  # fmt: skip
def test_nonsense_about_algorithms_is_damage(nonsense):
    with pytest.raises(ValueError):
        unseal_facts(seal(nonsense))
    assert unseal_facts(seal({"a": FACT})) == {"a": FACT}


def sealed_text(body):
    import hashlib

    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000, b'{"a": 1} extra'])
def test_what_is_no_json_is_damage(body):
    with pytest.raises(ValueError):
        unseal(sealed_text(body))
    assert unseal(sealed_text(b"[1]")) == [1]
    with pytest.raises(ValueError, match="checksum"):
        unseal(sealed_text(b"[1]").replace(b"1]", b"2]"))


@pytest.mark.parametrize("name", [pytest.param("fake.json", marks=pytest.mark.long), "facts.json"])
@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"fake": 1}'])
def test_a_process_survives_nonsense_in_its_cache(modules, root, name, content):
    """Sealed, so that only what it says can be wrong."""
    (stamp_folder(root) / name).write_bytes(sealed_text(content))
    status, origin, _, _, compiled, names, _ = answer(started(modules, root))
    assert (status, origin, names) == (1003, "library", ["b", "a"])
    assert bool(compiled) == (name == "fake.json")


def test_sealed_garbage_as_code_leaves_the_object_or_numba(recipe, root, plain):
    """The dynamic loader itself refuses what is no library."""
    import hashlib

    folder = stamp_folder(root)
    known = Known.read((folder / "fake.json").read_bytes())
    overwrite(folder / "fake.so")
    digest = hashlib.sha256((folder / "fake.so").read_bytes()).hexdigest()
    (folder / "fake.json").write_bytes(Known(known.signature, known.code, digest).sealed())
    entry = Loader(recipe, environment(root)).entry("fake")
    assert entry.origin == "object"
    assert results(entry, arguments()) == results(plain, arguments())


# Tables


def test_tables_outlive_the_process_and_are_checked(recipe, root):
    table = np.array([np.inf, np.nan, 1.5, -0.0])
    loader = Loader(recipe, environment(root))
    assert loader.load_table("grubbs") is None
    assert loader.save_table("grubbs", table)
    again = Loader(recipe, environment(root)).load_table("grubbs")
    assert again.tobytes() == table.tobytes()
    for spoil in (flip, overwrite, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"x" * 40), grow):
        assert loader.save_table("grubbs", table)
        spoil(stamp_folder(root) / "grubbs.table")
        assert loader.load_table("grubbs") is None


def test_a_table_of_another_size_than_its_numbers_is_damage(recipe, root):
    import hashlib

    odd = b"123456789"
    (stamp_folder(root) / "grubbs.table").write_bytes(hashlib.sha256(odd).digest() + odd)
    assert Loader(recipe, environment(root)).load_table("grubbs") is None


def test_a_table_is_not_kept_where_it_cannot_be(recipe, tmp_path):
    loader = Loader(recipe, environment(tmp_path))
    assert not loader.save_table("grubbs", np.ones(3))
    assert loader.load_table("grubbs") is None

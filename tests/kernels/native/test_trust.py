"""Who could have changed the code that we are about to run: folders, the folders above them, links, races (as root)."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from rigs.native import answer, arguments, environment, results, stamp_folder, started
from rigs.waiting import until

from ridgeline.kernels.native import places, trust
from ridgeline.kernels.native.folder import Folder, opened
from ridgeline.kernels.native.loader import Loader
from ridgeline.kernels.native.places import candidates
from ridgeline.kernels.native.trust import UntrustedError

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")


def refused(path):
    """Why a folder is not taken, "" where it is."""
    try:
        with opened(path) as folder:
            assert os.path.samestat(os.fstat(folder.descriptor), path.stat())
    except UntrustedError as error:
        return error.strerror
    return ""


# Folders and what is above them


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o1777])
@pytest.mark.parametrize("which", ["root", "stamp"])
def test_a_folder_that_others_can_write_to_is_refused(recipe, root, mode, which):
    (root if which == "root" else stamp_folder(root)).chmod(mode)
    assert Loader(recipe, environment(root)).folder() is None
    assert "other users can write to" in refused(root if which == "root" else stamp_folder(root))


def test_where_every_folder_is_refused_numba_does_the_work_and_says_why(recipe, root, caplog, plain):
    root.chmod(0o777)
    entry = Loader(recipe, environment(root)).entry("fake")
    assert entry.origin == "numba"
    assert results(entry, arguments()) == results(plain, arguments())
    assert f"the kernel cache folder {root} cannot be used: other users can write to {root}" in caplog.text
    assert "RIDGELINE_CACHE_DIR" in caplog.text


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_so_is_one_below_a_folder_that_others_can_write_to(recipe, root, mode):
    """Who can write to the parent can put a folder of his own in its place."""
    for place in (root, root / "..", root.parent / "cache" / ".." / "cache"):
        assert refused(place) == ""
    root.parent.chmod(mode)
    assert refused(root) == f"other users can write to {root.parent}"
    assert Loader(recipe, environment(root)).folder() is None
    assert not Loader(recipe, environment(root)).save_table("grubbs", arguments()[5])


def test_a_sticky_folder_above_is_fine(recipe, root):
    root.parent.chmod(0o1777)
    assert Loader(recipe, environment(root)).entry("fake").origin == "library"


def test_a_readable_folder_is_fine(recipe, root):
    root.chmod(0o755)
    root.parent.chmod(0o755)
    assert Loader(recipe, environment(root)).entry("fake").origin == "library"


@needs_root
@pytest.mark.parametrize("which", ["parent", "root", "stamp"])
def test_a_folder_of_another_user_is_refused(recipe, root, which):
    place = {"parent": root.parent, "root": root, "stamp": stamp_folder(root)}[which]
    os.chown(place, NOBODY, NOBODY)
    assert Loader(recipe, environment(root)).folder() is None
    assert refused(place) == f"{place} belongs to another user"


@needs_root
def test_a_folder_of_another_user_in_a_sticky_one_is_refused(tmp_path):
    tmp_path.chmod(0o1777)
    planted = tmp_path / f"ridgeline-{os.geteuid()}"
    planted.mkdir(mode=0o700)
    os.chown(planted, NOBODY, NOBODY)
    assert refused(planted) == f"{planted} belongs to another user"


@needs_root
def test_links_are_followed_where_we_or_root_made_them(recipe, root, tmp_path):
    links = [tmp_path / "absolute", tmp_path / "relative", tmp_path / "twice", tmp_path / "far"]
    for link, target in zip(links, (root, "cache", "relative", "../" * 40 + str(root)[1:]), strict=True):
        link.symlink_to(target)
        assert Loader(recipe, environment(link)).entry("fake").origin == "library"
    os.lchown(links[0], NOBODY, NOBODY)
    assert refused(links[0]) == f"{links[0]} belongs to another user"
    os.lchown(links[1], NOBODY, NOBODY)
    assert refused(links[2]) == f"{links[1]} belongs to another user"


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match=r"directory|symbolic"), opened(tmp_path / "a" / "c"):
        pass


def test_a_link_to_a_place_that_others_can_write_to_is_refused(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    root.chmod(0o777)
    assert "other users can write" in refused(tmp_path / "link")


@pytest.mark.parametrize("name", ["fake.so", "fake.json", "facts.json"])
def test_a_file_that_others_can_write_to_is_not_read(root, name):
    with opened(stamp_folder(root)) as folder:
        assert folder.read(name, 1 << 26)
        (stamp_folder(root) / name).chmod(0o606)
        with pytest.raises(UntrustedError, match="other users can write"):
            folder.read(name, 1 << 26)
        if os.geteuid() == 0:
            (stamp_folder(root) / name).chmod(0o600)
            os.chown(stamp_folder(root) / name, NOBODY, NOBODY)
            with pytest.raises(UntrustedError, match="belongs to another user"):
                folder.read(name, 1 << 26)


def test_everything_made_is_ours_alone(modules, tmp_path):
    """Whatever the umask of the start."""
    place = tmp_path / "a" / "b"
    answer(started(modules, place, before="import os; os.umask(0)"))
    made = [tmp_path / "a", place, *place.rglob("*")]
    assert {path.suffix for path in made} >= {".so", ".o", ".json", ".lock"}
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert not path.is_dir() or stat.S_IMODE(path.stat().st_mode) == 0o700


@needs_root
def test_roots_own_cache_serves_users_who_cannot_write(recipe, built, monkeypatch):
    """As in a container image: warmed up by root, run by somebody else."""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert Loader(recipe, environment(built)).entry("fake").origin == "library"


# Races


@needs_root
def test_another_user_who_swaps_a_folder_in_a_loop_never_gets_his_code_run(recipe, built, reachable):
    """The folder above is his own, as under `sudo -E`; then it is sticky, and only what is in it is his."""
    theirs, cache = reachable / "theirs", reachable / "theirs" / "cache"
    shutil.copytree(built, cache)
    evil = theirs / "evil"
    shutil.copytree(built, evil)
    os.chown(theirs, NOBODY, NOBODY)
    os.chown(evil, NOBODY, NOBODY)
    script = f"cd {theirs} && while :; do mv cache ours; mv evil cache; mv cache evil; mv ours cache; done"
    attacker = subprocess.Popen(
        ["/bin/sh", "-c", script], user=NOBODY, group=NOBODY, extra_groups=[], stderr=subprocess.DEVNULL, start_new_session=True
    )  # fmt: skip
    try:
        for _ in range(300):
            assert Loader(recipe, environment(cache)).folder() is None
        theirs.chmod(0o1777)
        os.chown(theirs, 0, 0)
        for _ in range(300):
            assert refused_or_ours(cache)
    finally:
        os.killpg(attacker.pid, signal.SIGKILL)
        attacker.wait()
        until(lambda: not alive(attacker.pid))


def alive(group):
    """Whether a process of the group is left; one that has ended but was not waited for counts, too."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def refused_or_ours(path):
    try:
        with opened(path) as folder:
            return os.fstat(folder.descriptor).st_uid == 0
    except OSError:
        return True


@needs_root
def test_a_folder_swapped_once_it_is_open_changes_nothing(recipe, root, tmp_path):
    """All that follows is read by the descriptor of what was judged."""
    with opened(root) as outer, outer.inner(stamp_folder(root).name) as folder:
        expected = folder.read("fake.so", 1 << 26)
        root.rename(tmp_path / "moved")
        stamp = root / folder.path.name
        stamp.mkdir(parents=True)
        (stamp / "fake.so").write_bytes(b"his")
        assert folder.read("fake.so", 1 << 26) == expected


def test_a_folder_that_appears_while_it_is_made_is_judged(tmp_path, monkeypatch):
    """Between the look and the making, somebody else makes it."""
    real = os.mkdir

    def race(name, mode, *, dir_fd):
        real(name, mode, dir_fd=dir_fd)
        os.chmod(name, 0o777, dir_fd=dir_fd)
        raise FileExistsError

    monkeypatch.setattr(trust.os, "mkdir", race)
    with pytest.raises(UntrustedError, match="other users can write"), opened(tmp_path / "new", create=True):
        pass


# Where caches are


def test_cache_folders_are_tried_in_order(tmp_path):
    last = Path(f"/tmp/ridgeline-{os.geteuid()}")
    home = Path(places.pwd.getpwuid(os.geteuid()).pw_dir)

    def first(**environ):
        found = list(candidates(environ))
        assert found[1:] in ([last], [])
        return found[0]

    assert first(RIDGELINE_CACHE_DIR="/a/b", XDG_CACHE_HOME="/c", HOME="/d") == Path("/a/b")
    assert first(XDG_CACHE_HOME="/c", HOME="/d") == Path("/c/ridgeline")
    assert first(XDG_CACHE_HOME="relative", HOME=str(tmp_path)) == tmp_path / ".cache/ridgeline"
    assert first() == first(HOME="/proc/1/nowhere") == home / ".cache/ridgeline"
    assert first(RIDGELINE_CACHE_DIR="here") == Path.cwd() / "here"


@needs_root
def test_a_home_of_another_user_is_not_ours(tmp_path):
    """`sudo -E` keeps the caller's HOME."""
    os.chown(tmp_path, NOBODY, NOBODY)
    assert next(candidates({"HOME": str(tmp_path)})) != tmp_path / ".cache/ridgeline"


@pytest.mark.parametrize("entry", [KeyError, "", "relative"])
def test_a_user_without_a_name_or_home_still_gets_a_folder(monkeypatch, entry):
    def look_up(_):
        if entry is KeyError:
            raise KeyError
        return places.pwd.struct_passwd(("x", "x", 1, 1, "", entry, "/bin/sh"))

    monkeypatch.setattr(places.pwd, "getpwuid", look_up)
    assert list(candidates({"TMPDIR": "/t"})) == [Path(f"/t/ridgeline-{os.geteuid()}")]


def test_a_relative_cache_folder_below_a_folder_that_is_gone_is_passed_over(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys; sys.path[:] = [p or '/' for p in sys.path]; from ridgeline.kernels.native import places\n"
        "os.rmdir(os.getcwd()); print(*places.candidates({'RIDGELINE_CACHE_DIR': 'here', 'TMPDIR': '/t'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=gone, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"/t/ridgeline-{os.geteuid()}"


@needs_root
def test_a_user_without_a_passwd_entry_or_an_environment_has_a_cache(modules, built, reachable):
    """`env -i`, and a number that no name belongs to. Imports come first: another user may not reach this Python."""
    private = reachable / "ridgeline-54321"
    shutil.copytree(built, private)
    for path in (private, *private.rglob("*")):
        os.chown(path, 54321, 54321)
    shutil.copytree(modules, reachable / "modules")
    (reachable / "modules").chmod(0o755)
    before = (
        "loader.prepare('fake'); import os; os.setgroups([]); os.setgid(54321); os.setuid(54321)\n"
        f"loader = Loader(loader.recipe, {{'TMPDIR': {str(reachable)!r}}})\n"
        f"assert loader.folder().parent == Path({str(private)!r}), list(loader.cache.folders())"
    )
    assert answer(started(reachable / "modules", built, before=before))[:2] == (1003, "library")


def test_a_folder_is_written_whole_or_not_at_all(tmp_path):
    with opened(tmp_path) as folder:
        assert isinstance(folder, Folder)
        folder.write("a", b"1")
        folder.write("a", b"22")
        assert folder.read("a", 10) == b"22"
        (tmp_path / "b").mkdir()
        with pytest.raises(OSError):
            folder.write("b", b"3")
        assert sorted(folder.names()) == ["a", "b"]
        folder.remove("b")
        folder.remove("nothing")
        assert folder.names() == ["a"]


def test_results_are_the_same_from_a_folder_under_tmp(recipe, root, tmp_path, plain):
    private = tmp_path / f"ridgeline-{os.geteuid()}"
    shutil.copytree(root, private)
    loader = Loader(recipe, environment("/proc/nowhere", TMPDIR=str(tmp_path)))
    assert loader.entry("fake").origin == "library"
    assert loader.folder().parent == private
    assert results(loader.entry("fake"), arguments()) == results(plain, arguments())
    private.chmod(0o777)
    assert Loader(recipe, environment("/proc/nowhere", TMPDIR=str(tmp_path))).folder() is None


def test_only_regular_files_of_a_bearable_size_are_read(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "file").chmod(0o600)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    with opened(tmp_path) as folder:
        assert folder.read("file", 5) == b"12345"
        for name in ("file", "pipe", "folder"):
            with pytest.raises(OSError, match=r"not a file of ours|directory"):
                folder.read(name, 4)


def test_what_is_written_is_ours_alone(tmp_path):
    before = os.umask(0)
    try:
        with opened(tmp_path) as folder:
            folder.write("a", b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600

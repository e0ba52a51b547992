"""Results replace regular files and nothing else: no device, pipe, link or folder, and not what is being read."""

import os
import socket

import pytest

from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.disk.target import check_apart, check_folder_apart, check_target, make_folder
from ridgeline.io.errors import OutputError, UnsafeTarget


def unsafe(folder):
    """One of each kind that must stay what it is."""
    victim = folder / "victim"
    victim.write_bytes(b"precious")
    made = {name: folder / name for name in ("pipe", "link", "dangling", "folder", "socket", "loop")}
    os.mkfifo(made["pipe"])
    made["link"].symlink_to(victim)
    made["dangling"].symlink_to(folder / "nowhere")
    made["loop"].symlink_to(made["loop"])
    made["folder"].mkdir()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(made["socket"]))
    return made


@pytest.mark.parametrize("kind", ["pipe", "link", "dangling", "folder", "socket", "loop"])
def test_what_is_no_regular_file_stays_what_it_is(tmp_path, kind):
    target = unsafe(tmp_path)[kind]
    before = target.lstat()
    for refuses in (check_target, lambda path: write_atomic(path, b"x")):
        with pytest.raises(UnsafeTarget, match=f"{kind} is a") as caught:
            refuses(target)
        assert caught.value.exit_code == 2
    after = target.lstat()
    assert (before.st_mode, before.st_ino) == (after.st_mode, after.st_ino)
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_a_device_and_standard_output(tmp_path):
    with pytest.raises(UnsafeTarget, match="/dev/null is a device"):
        check_target(type(tmp_path)("/dev/null"))
    with pytest.raises(UnsafeTarget, match="standard output"):
        check_target(type(tmp_path)("-"))


def test_new_names_and_regular_files_pass(tmp_path):
    check_target(tmp_path / "new")
    (tmp_path / "old").write_bytes(b"")
    check_target(tmp_path / "old")
    with pytest.raises(OutputError, match="there is no folder") as caught:
        check_target(tmp_path / "absent" / "a")
    assert caught.value.exit_code == 74
    with pytest.raises(OutputError, match="cannot write"):
        check_target(tmp_path / "nul\0")


def test_an_output_is_apart_from_every_input_under_any_name(tmp_path):
    data = tmp_path / "a"
    data.write_bytes(b"x")
    (tmp_path / "hard").hardlink_to(data)
    (tmp_path / "soft").symlink_to(data)
    for target in (data, tmp_path / "hard", tmp_path / "." / "a"):
        with pytest.raises(UnsafeTarget, match="is also read"):
            check_apart(target, str(data), [data])
    with pytest.raises(UnsafeTarget, match="is also read"):
        check_apart(data, str(tmp_path / "soft"), [tmp_path / "soft"])
    (tmp_path / "b").write_bytes(b"x")
    check_apart(tmp_path / "b", str(data), [data, tmp_path / "gone", "nul\0"])
    check_apart(tmp_path / "new", str(data), [data])


def test_an_output_is_apart_from_what_will_be_read_the_next_time(tmp_path):
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(tmp_path / "data")
    dataset = str(tmp_path / "data")
    for target in (
        tmp_path / "data" / "new",
        tmp_path / "alias" / "deep" / "new",
        tmp_path / "data" / "absent" / "new",
    ):
        for searched in (dataset, f"{dataset}/**/*.parquet"):
            with pytest.raises(UnsafeTarget, match="lies within"):
                check_apart(target, searched, [])
    for searched in (dataset, "s3://bucket/data"):
        check_apart(tmp_path / "new", searched, [])


@pytest.mark.parametrize("kind", ["pipe", "dangling", "victim"])
def test_a_folder_for_results_is_made_unless_something_is_in_its_place(tmp_path, kind):
    unsafe(tmp_path)
    with pytest.raises(UnsafeTarget, match=f"{kind} is in the way"):
        make_folder(tmp_path / kind)
    with pytest.raises(OutputError, match="Not a directory") as caught:
        make_folder(tmp_path / "victim" / "below")
    assert caught.value.exit_code == 74
    make_folder(tmp_path / "new" / "folder")
    (tmp_path / "alias").symlink_to(tmp_path / "new")
    make_folder(tmp_path / "alias")
    assert (tmp_path / "alias" / "folder").is_dir()


def test_a_folder_of_results_is_apart_from_the_data(tmp_path):
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(data)
    file = data / "a.parquet"
    file.write_bytes(b"x")
    refused = [(data, str(data)), (data / "out", str(data)), (tmp_path, str(file)), (tmp_path / "alias", str(data))]
    refused += [(data / "deep" / "out", f"{data}/**/*.parquet"), (tmp_path / "alias" / "out", str(data))]
    for folder, dataset in refused:
        with pytest.raises(UnsafeTarget, match="results"):
            check_folder_apart(folder, dataset, [file])
    for folder, dataset in [
        (tmp_path / "out", str(data)),
        (data / "out", str(file)),
        (data / "out", f"{data}/*.parquet"),
    ]:
        check_folder_apart(folder, dataset, [file])
    check_folder_apart(tmp_path / "out", "s3://bucket/data", [])

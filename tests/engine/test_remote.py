"""Files of remote instances: fetched whole, into their place, whatever the other side lists, sends or leaves out."""

import base64
import contextlib
import errno
import gzip
import json
import os
from dataclasses import replace

import pytest
from rigs.http import Answer, http_server
from rigs.peers import NOW, PASSWORD, Webapp, as_json, endless, running

from ridgeline.alerters.testing.tls import Authority
from ridgeline.engine.config.model import RemoteFiles
from ridgeline.engine.remote import backoff, store
from ridgeline.engine.remote import sync as sync_module
from ridgeline.engine.remote.sync import sync_remotes
from ridgeline.engine.run.state import open_run_state
from ridgeline.io.disk import publish
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.errors import InputError, LockHeld
from ridgeline.io.state.interface import StateError
from ridgeline.io.state.names import REMOTE_FAILURES

SET = ("web.host01.cpu", 1_699_999_000)
HERE = "data/1699999000/web/host01/cpu"


def sync(hosts, name=None, now=NOW, **options):
    return sync_remotes(hosts.config(), name, wall=lambda: now, **options)


def of(found, name="a"):
    return next(tally for tally in found.peers if tally.peer == name)


def test_what_peers_have_comes_to_its_place(tmp_path):
    a = Webapp(
        sets={SET: {"x.json": b"one", "y.txt": b""}},
        profiles={"7": ("web.host01.cpu", 1_699_990_000, {"f.csv": b"features"})},
    )
    b = Webapp(sets={("web.host02.mem", 1_699_999_060): {"z.json": b"two" * 100_000}})
    with running(tmp_path, a=a, b=b) as hosts:
        found = sync(hosts)
        assert hosts.there() == {
            f"{HERE}/x.json": b"one",
            f"{HERE}/y.txt": b"",
            "data/1699999060/web/host02/mem/z.json": b"two" * 100_000,
            "features_profiles/web/host01/cpu/1699990000/f.csv": b"features",
        }
        assert (found.exit, found.problems) == (0, [])
        assert [(t.peer, t.status, t.sets, t.files) for t in found.peers] == [("a", "ok", 2, 3), ("b", "ok", 1, 1)]
        assert of(found, "b").bytes == 300_000
        a.asked.clear()
        again = sync(hosts, now=NOW + 60)
        assert (again.exit, of(again).files) == (0, 0)
        assert a.asked == ["/api?training_data", "/api?expected_features_profiles_dir"]


# Paths that lead elsewhere --------------------------------------------------------------------------------------------

FOLDER = "/opt/skyline/ionosphere/data/1699999000/web/host01/cpu"
TRICKS = {
    "passwd": ("/etc/passwd", "outside"),
    "evil1": (f"{FOLDER}/../../../../evil1", "outside"),
    "evil2": (f"{FOLDER}/./evil2", "outside"),
    "evil3": (f"{FOLDER[1:]}/evil3", "outside"),
    "../evil4": (f"{FOLDER}/../evil4", "outside"),
    "named": (f"{FOLDER}/otherwise", "outside"),
    "other": ("/opt/skyline/ionosphere/data/1699999000/web/host02/cpu/other", "outside"),
    "": (f"{FOLDER}/", "outside"),
    "number": (7, "outside"),
    "nul\0": (f"{FOLDER}/nul\0", "unsafe_name"),
    "line\nbreak": (f"{FOLDER}/line\nbreak", "unsafe_name"),
    "\u202etxt": (f"{FOLDER}/\u202etxt", "unsafe_name"),
    "\ud800": (f"{FOLDER}/\ud800", "unsafe_name"),
    ".bashrc": (f"{FOLDER}/.bashrc", "unsafe_name"),
    "back\\slash": (f"{FOLDER}/back\\slash", "unsafe_name"),
    "stream:x": (f"{FOLDER}/stream:x", "unsafe_name"),
    "dot.": (f"{FOLDER}/dot.", "unsafe_name"),
    "con.json": (f"{FOLDER}/con.json", "device_name"),
    "LPT1": (f"{FOLDER}/LPT1", "device_name"),
    "l" * 256: (f"{FOLDER}/{'l' * 256}", "too_long"),
    "deep": (f"{FOLDER}/{'d/' * 70}deep", "too_long"),
    "far": (f"{FOLDER}/{('f' * 200 + '/') * 6}far", "too_long"),
}


def test_no_path_of_a_peer_leads_anywhere_else(tmp_path):
    a = Webapp(sets={SET: {"good.json": b"good"}}, paths={name: path for name, (path, _) in TRICKS.items()})
    a.instead = {"/ionosphere_file?": lambda request: Answer(body=b"good" if "good" in request.line else b"evil")}
    with running(tmp_path, a=a) as hosts:
        found = sync(hosts)
        assert hosts.there() == {f"{HERE}/good.json": b"good"}
    reasons = [reason for _, reason in TRICKS.values()]
    assert of(found).refused == {reason: reasons.count(reason) for reason in reasons}
    assert (found.exit, of(found).status, of(found).sets) == (70, "partial", 0)
    assert sum(target.startswith("/ionosphere_file?") for target in a.asked) == 1
    everything = {path.name for path in tmp_path.rglob("*")}
    assert everything >= {"good.json"}
    assert not {name for name in everything if "evil" in name}


@pytest.mark.parametrize(
    "metric", ["../../../etc", "a/../../b", "..", ".", "a..b", "/etc/cron.d/x", "~.ssh", "web.host01.cpu/../x"]
)
def test_no_name_of_a_metric_leads_anywhere_else(tmp_path, metric):
    folder = f"/opt/skyline/ionosphere/data/1699999000/{metric.replace('.', '/')}"
    a = Webapp(listed=[[metric, SET[1]]])
    a.instead = {
        "/ionosphere_files": as_json(files={"x": f"{folder}/x", "y": f"/opt/1699999000/{metric}/y"}),
        "/ionosphere_file?": Answer(body=b"x"),
    }
    with running(tmp_path, a=a) as hosts:
        sync(hosts)
        root = tmp_path / "files"
        assert {path.name for path in tmp_path.iterdir()} <= {"files", "out"}
        assert all(path.resolve().is_relative_to(root / "data" / "1699999000") for path in root.rglob("?"))


@pytest.mark.parametrize(
    ("metric", "folder"),
    [
        ('up{a="b/c.d"}', "upabc/d"),  # without what is not sane, as Skyline names files
        ('up{a="b/c.d"}', "upab/c/d"),  # the same, but for what parts folders
        ("plain name.of metric", "plain name/of metric"),
        ("plain name.of metric", "plainname/ofmetric"),
    ],
)
def test_the_folder_of_a_metric_is_called_as_skyline_calls_it(tmp_path, metric, folder):
    a = Webapp(listed=[[metric, float(SET[1])]], instead={FILE: Answer(body=b"one")})
    a.instead["/ionosphere_files"] = as_json(files={"x": f"/srv/{SET[1]}/{folder}/x"})
    with running(tmp_path, a=a) as hosts:
        assert sync(hosts).exit == 0
        assert hosts.there() == {f"data/{SET[1]}/{folder}/x": b"one"}


def test_links_and_other_things_on_the_disk_are_not_followed(tmp_path):
    files = dict.fromkeys(("x.json", "pipe", "folder", "link", "kept"), b"theirs")
    a = Webapp(sets={SET: files, ("linked.away", SET[1]): {"x": b"theirs"}, ("blocked.off", SET[1]): {"x": b"theirs"}})
    outside, data = tmp_path / "outside", tmp_path / "files" / "data" / "1699999000"
    here = tmp_path / "files" / HERE
    for folder in (outside, here / "folder"):
        folder.mkdir(parents=True)
    (data / "linked").symlink_to(outside)
    (data / "blocked").write_text("a file")
    (here / "link").symlink_to(outside / "target")
    (here / "kept").write_text("ours")
    os.mkfifo(here / "pipe")
    with running(tmp_path, a=a) as hosts:
        found = sync(hosts)
    assert of(found).refused == {"in_the_way": 5}
    assert list(outside.iterdir()) == []
    assert (here / "kept").read_text() == "ours"
    assert (here / "x.json").read_bytes() == b"theirs"


def test_the_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "files").symlink_to(tmp_path / "elsewhere")
    with running(tmp_path, a=Webapp(sets={SET: {"x.json": b"one"}})) as hosts:
        assert sync(hosts).exit == 0
    assert (tmp_path / "elsewhere" / HERE / "x.json").read_bytes() == b"one"


def test_names_that_differ_in_case_or_form_only_are_one_file(tmp_path):
    alike = ["report.json", "REPORT.json", "café", "cafe\u0301", "file\ufb01", "filefi"]
    with running(tmp_path, a=Webapp(sets={SET: {name: name.encode() for name in alike}})) as hosts:
        found = sync(hosts)
        assert list(hosts.there().values()) == [b"caf\xc3\xa9", b"file\xef\xac\x81", b"report.json"]
        assert of(found).refused == {"alike": 3}


# Answers that are none -------------------------------------------------------------------------------------------------

LISTING = "/api?training_data"
FILE = "/ionosphere_file?"
NONSENSE = {
    "not json": Answer(body=b"<html>"),
    "empty": Answer(body=b""),
    "a list": Answer(body=b"[]"),
    "no data": Answer(body=b'{"metrics": []}'),
    "data of another kind": Answer(body=b'{"data": []}'),
    "metrics of another kind": as_json(metrics={"a": 1}),
    "deep": Answer(body=b"[" * 4_000_000),
    "deep and closed": Answer(body=b"[" * 100_000 + b"]" * 100_000),
    "a number too long": Answer(body=b'{"data": {"metrics": ' + b"9" * 5000 + b"}}"),
    "not UTF-8": Answer(body=b'{"data": {"metrics": "\xff"}}'),
    "packed": Answer(body=gzip.compress(b'{"data": {"metrics": []}}'), headers={"Content-Encoding": "gzip"}),
    "not HTTP": Answer(raw=b"SSH-2.0-OpenSSH\r\n\r\n"),
    "no end of headers": Answer(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500),
    "half": Answer(body=b'{"data": {"metrics": []', headers={"Content-Length": 900}),
    "an error": Answer(500, body=b'{"data": {}}'),
    "too large": Answer(body=b" " * (5 << 20)),
    "claims to be larger": Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{"),
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_a_list_that_is_none_ends_the_visit_and_nothing_else(tmp_path, answer):
    a, b = Webapp(sets={SET: {"x": b"one"}}, instead={LISTING: answer}), Webapp(sets={SET: {"x": b"two"}})
    with running(tmp_path, a=a, b=b) as hosts:
        found = sync(hosts)
        assert hosts.there() == {f"{HERE}/x": b"two"}
        assert (found.exit, of(found).status, of(found, "b").status) == (70, "unreachable", "ok")
        assert len(a.asked) == 1
        assert len(found.problems) == 1


def test_items_of_a_list_that_are_none_are_counted(tmp_path):
    listed = [
        None,
        7,
        "web.host01.cpu",
        [],
        ["only"],
        ["a", "b"],
        ["a", True],
        ["a", -5],
        ["a", 1.5],
        ["a", 10**12],
        [["a"], 5],
    ]
    listed += [["", 5], ["\n", 5], ["a" * 2000, 5], {"a": 5}, ['m{_tenant_id="1"}', 1_699_999_000]]
    with running(tmp_path, a=Webapp(sets={SET: {"x": b"one"}}, listed=listed)) as hosts:
        found = sync(hosts)
        assert hosts.there() == {f"{HERE}/x": b"one"}
    assert (of(found).failed, of(found).sets) == ({"malformed": 15}, 1)
    assert found.problems[0].endswith("15 items of its list are none of Skyline's")


def test_a_list_of_a_million_sets_costs_neither_time_nor_room(tmp_path):
    million = b'{"data": {"metrics": [' + b",".join([b'["a",1]'] * 1_000_000) + b"]}}"
    many = as_json(metrics=[[f"m{number}", 1_699_999_000] for number in range(60_000)])
    none = as_json(files={})
    a = Webapp(instead={LISTING: Answer(body=million)})
    b = Webapp(instead={LISTING: many, "/ionosphere_files": none})
    with running(tmp_path, a=a, b=b) as hosts:
        found = sync(hosts, seconds=4.0)
        assert of(found).failed == {"too_large": 1}
        assert of(found, "b").failed["malformed"] == 40_000
        assert of(found, "b").left > 0
        assert of(found, "b").left + of(found, "b").absent == 20_000
        assert found.seconds < 30


FILES = {
    "missing": (Answer(404, body=b"not found"), "refused"),
    "half": (Answer(body=b"half", headers={"Content-Length": 900}), "broken_off"),
    "without a length": (Answer(raw=b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf?"), "broken_off"),
    "chunks without an end": (
        Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        "broken_off",
    ),
    "a range": (Answer(206, body=b"half", headers={"Content-Range": "bytes 0-3/900"}), "refused"),
    "packed": (Answer(body=gzip.compress(bytes(1 << 20)), headers={"Content-Encoding": "gzip"}), "nonsense"),
    "huge": (Answer(body=bytes((64 << 10) + 1)), "too_large"),
    "said to be huge": (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx"), "too_large"),
    "dripping": (Answer(body=b"y" * 900, drip=0.02), "broken_off"),
}


@pytest.mark.parametrize(("answer", "reason"), FILES.values(), ids=FILES)
def test_a_file_that_is_not_all_there_leaves_nothing_and_comes_later(tmp_path, answer, reason):
    a = Webapp(sets={SET: {"x.json": b"one", "y.json": b"two"}})
    a.instead = {f"{FILE}file={FOLDER}/x.json": answer}
    with running(tmp_path, 'max_file = "64KiB"', a=a) as hosts:
        found = sync(hosts, seconds=6.0)
        there = hosts.there()
        there.pop(f"{HERE}/y.json", None)  # there may be no time for it, after one that drips
        assert there == {}
        assert [path.name for path in (tmp_path / "files").rglob("*") if path.name.startswith(".")] == []
        assert (found.exit, of(found).failed, of(found).sets) == (70, {reason: 1}, 0)
        a.instead.clear()
        assert of(sync(hosts, now=NOW + 30)).waiting == 1
        again = sync(hosts, now=NOW + 61)
        assert (again.exit, of(again).sets) == (0, 1)
        assert hosts.there() == {f"{HERE}/x.json": b"one", f"{HERE}/y.json": b"two"}


@pytest.mark.parametrize(
    "head", [b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n", b"Content-Length: 9999999999999\r\n\r\n"]
)
def test_an_endless_answer_ends(tmp_path, head):
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    with endless(b"HTTP/1.1 200 OK\r\n" + head, chunk) as (port, sent), running(tmp_path) as hosts:
        hosts.extra = f'[[remote]]\nname = "a"\nurl = "http://127.0.0.1:{port}"'
        found = sync(hosts)
        assert (found.exit, of(found).failed) == (69, {"too_large": 1})
        assert sum(sent) < 50 << 20


def test_a_packed_file_may_be_called_so(tmp_path):
    packed = gzip.compress(b"features")
    a = Webapp(sets={SET: {"x.json.gz": b""}})
    a.instead = {FILE: Answer(body=packed, headers={"Content-Encoding": "gzip"})}
    with running(tmp_path, a=a) as hosts:
        assert sync(hosts).exit == 0
        assert hosts.there() == {f"{HERE}/x.json.gz": packed}


# Who is asked, and with what --------------------------------------------------------------------------------------------


def test_credentials_go_to_their_own_host_alone(tmp_path, monkeypatch):
    with http_server(Webapp()) as other:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, other.url)
        away = Answer(302, headers={"Location": f"{other.url}api?training_data"})
        b = Webapp(sets={SET: {"x": b"one"}})
        with running(tmp_path, a=Webapp(instead={LISTING: away}), b=b) as hosts:
            found = sync(hosts)
            assert of(found).failed == {"redirected": 1}
            assert hosts.there() == {f"{HERE}/x": b"one"}
        assert other.requests == []
    pair = base64.b64encode(f"peer:{PASSWORD}".encode()).decode()
    assert {headers["authorization"] for headers in b.headers} == {f"Basic {pair}"}


@pytest.mark.parametrize(
    "challenge", ["", "Basic realm=x", f'Digest realm="{PASSWORD}", nonce="1"', "Negotiate", "Bearer"]
)
def test_refused_credentials_are_told_without_them(tmp_path, challenge, capfd):
    refusing = Answer(401, headers={"WWW-Authenticate": challenge}, body=f"wrong: {PASSWORD}".encode())
    a = Webapp(instead={"/": refusing})
    with running(tmp_path, a=a) as hosts:
        found = sync(hosts)
    (said,) = found.problems
    assert "refuses the credentials (401)" in said
    assert ("another authentication" in said) == (challenge[:5] not in {"", "Basic"})
    assert (found.exit, of(found).status, len(a.asked)) == (77, "unauthorised", 1)
    everything = json.dumps(found.as_json()) + repr(found) + repr(hosts.config()) + "".join(capfd.readouterr())
    assert PASSWORD not in everything
    assert base64.b64encode(PASSWORD.encode()).decode()[:-4] not in everything


def test_tls_is_verified(tmp_path):
    authority = Authority(tmp_path)
    contexts = {"good": authority.good(), **authority.bad()}
    with contextlib.ExitStack() as stack:
        lines = []
        for name, context in contexts.items():
            server = stack.enter_context(http_server(Webapp(sets={SET: {name: b"one"}}), context=context))
            lines += ["[[remote]]", f'name = "{name}"', f'url = "{server.url}"', f'ca_file = "{authority.ca_file}"']
        hosts = stack.enter_context(running(tmp_path, "\n".join(lines)))
        found = sync(hosts)
        assert hosts.there() == {f"{HERE}/good": b"one"}
        assert [tally.status for tally in found.peers] == ["ok", *["unreachable"] * 3]
        assert all("certificate we cannot trust" in sentence for sentence in found.problems)


def test_a_peer_that_fails_is_left_alone_for_longer_each_time_unless_it_is_named(tmp_path):
    a, b = Webapp(instead={LISTING: Answer(503)}), Webapp()
    with running(tmp_path, a=a, b=b) as hosts:
        tried = []
        for minute in range(12):
            found = sync(hosts, now=NOW + 60 * minute)
            tried.append(of(found).status)
            assert (found.exit, of(found, "b").status) == (70, "ok")
        assert [minute for minute, status in enumerate(tried) if status == "unreachable"] == [0, 1, 3, 7]
        assert of(sync(hosts, "a", now=NOW + 60 * 12)).status == "unreachable"
        a.instead.clear()
        assert sync(hosts, "a", now=NOW + 60 * 12).exit == 0
        assert of(sync(hosts, now=NOW + 60 * 13)).status == "ok"


def test_a_clock_that_was_wrong_keeps_nobody_waiting(tmp_path):
    a = Webapp(instead={LISTING: Answer(503)})
    with running(tmp_path, a=a) as hosts:
        assert sync(hosts, now=NOW + 10**8).exit == 69
        a.instead.clear()
        assert sync(hosts, now=NOW).exit == 0


def test_a_peer_that_dies_midway_is_left_and_the_others_are_not(tmp_path):
    many = {(f"m{number}", SET[1]): {"x": b"1"} for number in range(20)}
    a, b = Webapp(sets=many, instead={FILE: Answer(raw=b"")}), Webapp(sets=many)
    with running(tmp_path, a=a, b=b) as hosts:
        found = sync(hosts)
        assert of(found).failed == {"unreachable": 3}
        assert (of(found).status, of(found).left, of(found, "b").sets) == ("unreachable", 17, 20)


def test_a_slow_peer_does_not_take_the_time_of_the_others(tmp_path):
    many = {(f"m{number}", SET[1]): {"x": b"1"} for number in range(100)}
    slow = Webapp(sets=many, instead={FILE: Answer(body=b"1", delay=0.5)})
    with running(tmp_path, a=slow, b=Webapp(sets={SET: {"x": b"one"}})) as hosts:
        found = sync(hosts, seconds=6.0)
        assert of(found).left > 0
        assert (of(found, "b").sets, of(found, "b").left) == (1, 0)


# Limits, profiles, state --------------------------------------------------------------------------------------------------


def test_all_files_together_keep_to_their_limit(tmp_path):
    sets = {(f"m{number}", SET[1]): {"x": bytes(1000)} for number in range(10)} | {("small", SET[1]): {"x": b"1"}}
    with running(tmp_path, "max_file = 2000\nmax_total = 3500", a=Webapp(sets=sets)) as hosts:
        found = sync(hosts)
        assert sum(map(len, hosts.there().values())) == 3001
        assert (found.exit, of(found).failed, of(found).files) == (70, {"no_room": 7}, 4)
        assert "max_total" in found.problems[0]
        again = sync(hosts, now=NOW + 61)
        assert of(again).failed == {"no_room": 7}
        assert sum(map(len, hosts.there().values())) == 3001


def test_many_small_files_have_an_end_too(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MOST", 5)
    with running(tmp_path, a=Webapp(sets={SET: {f"x{number}": b"" for number in range(9)}})) as hosts:
        assert of(sync(hosts)).failed == {"no_room": 4}
        assert of(sync(hosts, now=NOW + 61)).failed == {"no_room": 4}
        assert len(hosts.there()) == 5


def test_profiles_come_from_whoever_has_them(tmp_path):
    known = {
        "1": ("web.host01.cpu", 1_699_990_000, {"f.csv": b"1"}),
        "2": ("web.host02.cpu", 1_699_990_000, {"f.csv": b"2"}),
    }
    a = Webapp(profiles=known, instead={"/ionosphere_files?source=features_profiles&metric=web.host02": Answer(500)})
    b = Webapp(profiles={"2": known["2"]})
    with running(tmp_path, a=a, b=b) as hosts:
        found = sync(hosts)
        assert list(hosts.there().values()) == [b"1", b"2"]
        assert (of(found).sets, of(found, "b").sets) == (1, 1)


@pytest.mark.parametrize(
    "folder",
    [
        "/etc",
        "relative/features_profiles/a/5",
        "/opt/features_profiles/a/b",
        "/opt/features_profiles/5",
        "/opt/features_profiles/../../etc/5",
        "/opt/features_profiles/con/5",
        7,
    ],
)
def test_a_profile_elsewhere_is_none(tmp_path, folder):
    a = Webapp(instead={"/api?expected": as_json(features_profile_dirs={"1": folder})})
    with running(tmp_path, a=a) as hosts:
        found = sync(hosts)
        assert (hosts.there(), of(found).failed) == ({}, {"malformed": 1})


def test_who_cannot_say_which_profiles_there_are_may_have_training_data(tmp_path):
    a = Webapp(sets={SET: {"x": b"one"}}, instead={"/api?expected": Answer(404)})
    b = Webapp(profiles={"1": ("m", 1_699_990_000, {"f": b"1"})})
    with running(tmp_path, a=a, b=b) as hosts:
        for now in (NOW, NOW + 60):
            found = sync(hosts, now=now)
            assert (of(found).status, of(found).failed, of(found, "b").status) == ("partial", {"refused": 1}, "ok")
        assert list(hosts.there().values()) == [b"one", b"1"]


def test_a_profile_that_nobody_has_is_told(tmp_path):
    profile = {"1": ("m", 1_699_990_000, {}), "2": ("n", 1_699_990_000, {}), "3": ("o", 1_699_990_000, {"f": b"3"})}
    with running(tmp_path, a=Webapp(profiles=profile), b=Webapp(profiles={"3": profile["3"]})) as hosts:
        found = sync(hosts)
        assert found.problems == ["no peer has 2 features profiles that there should be, such as 1"]
        assert (found.exit, of(found).absent, of(found, "b").absent, len(hosts.there())) == (70, 2, 2, 1)
        again = sync(hosts, now=NOW + 30)
        assert (again.exit, of(again).waiting, of(again, "b").waiting) == (0, 2, 2)


def test_a_silent_web_application_of_this_host_costs_no_peer_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(sync_module, "OWN", 1.0)
    own, a = Webapp(instead={"/": Answer(silent=True)}), Webapp(profiles={"1": ("m", 1_699_990_000, {"f": b"1"})})
    with running(tmp_path, '[shards]\nhosts = ["own", "a"]\nhost = "own"', own=own, a=a) as hosts:
        found = sync(hosts)
        (problem,) = found.problems
        assert problem.startswith('this host\'s own web application: "own": http://127.0.0.1:')
        assert problem.endswith("did not answer in time")
        assert (found.exit, list(hosts.there().values())) == (70, [b"1"])


def test_failures_that_are_remembered_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(backoff, "MOST", 10)
    sets = [[f"m{number}", 1_699_999_000] for number in range(50)]
    a = Webapp(listed=sets, instead={"/ionosphere_files": as_json(files={})})
    with running(tmp_path, a=a) as hosts:
        assert of(sync(hosts)).absent == 50
        with open_run_state(hosts.config()) as state:
            assert len(state.fields(REMOTE_FAILURES)) == 10
        assert of(sync(hosts, "a")).absent == 50
        sync(hosts, now=NOW + backoff.FORGOTTEN + 100_000)
        with open_run_state(hosts.config()) as state:
            assert len(state.fields(REMOTE_FAILURES)) == 10


def test_state_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "out" / "state.db").mkdir(parents=True)
    with running(tmp_path, a=Webapp()) as hosts, pytest.raises(StateError):
        sync(hosts)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(publish.os, "fsync", full)
    with running(tmp_path, a=Webapp(sets={SET: {"x": b"one"}})) as hosts:
        found = sync(hosts)
        assert hosts.there() == {}
    assert (found.exit, of(found).failed) == (74, {"unwritable": 1})
    assert found.problems[0] == f"cannot write {tmp_path}/files/{HERE}/x: No space left on device"
    assert list((tmp_path / "files").iterdir()) == []


def test_another_sync_at_work_is_told(tmp_path):
    with running(tmp_path, a=Webapp()) as hosts:
        config = hosts.config()
        with lock(lock_path("remote", str(tmp_path / "files"), config.output.directory)), pytest.raises(LockHeld):
            sync(hosts)


@pytest.mark.parametrize(
    ("name", "message"), [("nobody", 'there is no .* named "nobody"; there are a'), (None, "remote_files. directory")]
)
def test_what_cannot_be_asked_for_is_told(tmp_path, name, message):
    with running(tmp_path, a=Webapp()) as hosts, pytest.raises(InputError, match=message):
        sync_remotes(replace(hosts.config(), remote_files=RemoteFiles()), name)


def test_this_host_is_not_asked_for_files(tmp_path):
    own, a = (
        Webapp(profiles={"1": ("m", 1_699_990_000, {"f": b"1"})}),
        Webapp(profiles={"1": ("m", 1_699_990_000, {"f": b"1"})}),
    )
    with running(tmp_path, '[shards]\nhosts = ["own", "a"]\nhost = "own"', own=own, a=a) as hosts:
        found = sync(hosts)
        assert (own.asked, [tally.peer for tally in found.peers]) == (["/api?expected_features_profiles_dir"], ["a"])
        assert list(hosts.there().values()) == [b"1"]
        with pytest.raises(InputError, match="is this host itself"):
            sync(hosts, "own")

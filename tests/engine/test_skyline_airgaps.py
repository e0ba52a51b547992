"""Airgaps by Skyline's names: what is found in one series, and what siblings in Redis are told."""

import pytest
from rigs.redis import redis_server

from ridgeline.io.errors import InputError
from ridgeline.skyline.algorithms import identify_airgaps, run_selected_algorithm

NOW = 1_700_000_040
FULL = [(NOW - 60 * (500 - i), float(i % 7)) for i in range(501)]
GAPPED = FULL[:300] + FULL[310:]
GAP = ["app.x", 60, GAPPED[299][0] + 1, GAPPED[300][0] - 1, 0]
SETS = ("analyzer.airgapped_metrics", "analyzer.unordered_timeseries")


@pytest.fixture(autouse=True)
def now(nowhere, clock):
    clock(NOW)


@pytest.fixture(scope="module")
def server():
    with redis_server() as found:
        yield found


@pytest.fixture
def told(server):
    """What the two sets hold; empty at first."""
    server.client.flushall()
    return lambda: tuple({member.decode() for member in server.client.smembers(key)} for key in SETS)


def configure(tmp_path, url, text):
    (tmp_path / "ridgeline.toml").write_text(f'[source]\nkind = "redis"\nurl = "{url}"\nconnect_budget = "1s"\n{text}')


def run(timeseries, known=(), filled=(), *, only=False, name="metrics.app.x"):
    return run_selected_algorithm(timeseries, name, list(known), list(filled), False, only, {})


def test_closed_gaps_are_found_once():
    assert identify_airgaps("metrics.app.x", GAPPED, [], []) == ([GAP], False)
    assert identify_airgaps("app.x", GAPPED, [], []) == ([GAP], False)
    assert identify_airgaps("app.x", FULL, [], []) == ([], False)
    for told in (GAP, tuple(GAP), repr(GAP), repr(GAP).encode(), [*GAP[:4], 1], GAP[:4]):
        assert identify_airgaps("metrics.app.x", GAPPED, [told], []) == ([], False)
        assert identify_airgaps("metrics.app.x", GAPPED, [], [told]) == ([], False)


def test_other_gaps_are_no_reason_to_pass_one_over():
    others = [["app", *GAP[1:]], [*GAP[:3], GAP[3] + 1, 0], "nonsense", b"\xff", None, 5, [], ["app.x", "a", "b", "c"]]
    assert identify_airgaps("metrics.app.x", GAPPED, others, others) == ([GAP], False)


def test_gaps_that_are_open_old_or_of_short_series_are_not_told():
    assert identify_airgaps("a", FULL[:-20], [], []) == ([], False)
    assert identify_airgaps("a", FULL[:100] + FULL[110:], [], []) == ([], False), "over six hours ago"
    assert identify_airgaps("a", GAPPED[280:309], [], []) == ([], False), "29 points"
    assert identify_airgaps("a", [], [], []) == ([], False)
    with pytest.raises(InputError, match="item 0 of the series"):
        identify_airgaps("a", [5], [], [])


def test_disorder_is_told_as_the_points_came():
    assert identify_airgaps("app.x", GAPPED[::-1], [], []) == ([GAP], True)
    swapped = [*FULL[:-2], FULL[-1], FULL[-2]]
    assert identify_airgaps("app.x", swapped, [], []) == ([], True)


def test_siblings_are_told_what_is_new(server, told, tmp_path):
    configure(tmp_path, server.url, "[airgaps]\nidentify = true\n")
    votes = run(FULL)
    assert told() == (set(), set())
    assert run(GAPPED[::-1], only=True) == (False, [], 1.0, False, [])
    assert told() == ({repr(GAP)}, {"metrics.app.x"})
    server.client.flushall()
    assert run(GAPPED)[0] is votes[0] is False
    assert told() == ({repr(GAP)}, set())
    server.client.flushall()
    assert run(GAPPED, known=[repr(GAP)])[0] is False
    assert run(GAPPED, filled=[repr(GAP)])[0] is False
    assert told() == (set(), set())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[airgaps]\nidentify = false\n",
        '[airgaps]\nidentify = true\nskip = ["^app.x$"]\n',
        '[airgaps]\nidentify = true\ncheck = ["^app.y$"]\n',
        "[analysis]\nbookkeeping = false\n[airgaps]\nidentify = true\n",
    ],
)
def test_siblings_are_told_nothing_unless_asked_for(server, told, tmp_path, text):
    configure(tmp_path, server.url, text)
    assert run(GAPPED[::-1])[0] is False
    assert run(GAPPED, only=True) == (False, [], 1.0, False, [])
    assert told() == (set(), set())


def test_a_redis_that_is_down_costs_no_verdict(tmp_path, capsys):
    configure(tmp_path, "redis://127.0.0.1:1", "[airgaps]\nidentify = true\n")
    assert len(run(GAPPED)[1]) == 9
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ridgeline: cannot write to the books in Redis: ")

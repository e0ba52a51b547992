"""What a run that remembers knows of names: new ones and ones that go, ones left out, and ones that are hard to say."""

import numpy as np
import pytest
from rigs.hostile.stored import Stored
from rigs.remembering import SAME, both_sides, differences

NOW = 1_700_000_000
ODD = ("naïve.metric", "tab\there", "quote'\"s", "a b", "metrics.metrics.twice", "\U0001f600")


class World:
    """Both sides, and a fleet of plain metrics whose senders go on."""

    def __init__(self, sides, names):
        self.sides, self.names, self.now, self.last = sides, list(names), NOW, None
        self.stored = {name: Stored("float") for name in names}
        rng = np.random.default_rng(7)
        for stored in self.stored.values():
            for t in range(NOW - 60 * 150, NOW, 60):
                stored.append(t, 10 + rng.normal())

    def add(self, name):
        self.stored[name] = Stored("float")
        for t in range(self.now - 60 * 120, self.now, 60):
            self.stored[name].append(t, 5.0 + t % 7)

    def minute(self, **request):
        """A minute later: (report, recorder) of the side that remembers, once both agree."""
        self.now += 60
        for stored in self.stored.values():
            stored.append(self.now - 1, 10 + self.now % 11 / 10)
        for side in self.sides:
            side.store({name: stored.data for name, stored in self.stored.items()})
            side.list(self.stored)
        report, one = self.sides[0].run(self.now, **request)
        theirs, other = self.sides[1].run(self.now, full=True, **request)
        assert differences(one, other) == {}, report.problems
        for told in ("outcomes", "reasons", "unmatched"):
            assert getattr(report, told) == getattr(theirs, told), told
        self.last = report
        return report, one


@pytest.fixture
def world(tmp_path):
    with both_sides(tmp_path) as sides:
        yield World(sides, [f"app{k % 3}.m{k}" for k in range(40)])


def spared(report):
    """Metrics that had not to be read: in a fleet as small as these, whose turn it is to be may be many."""
    return report.read_for["settled"] + report.read_for.get("refresh", 0)


def settled(world):
    return spared(world.minute()[0])


def lists(world):
    """How often the next run asks for all names: by pages of the set."""
    before = world.sides[0].server.client.info("commandstats").get("cmdstat_sscan", {"calls": 0})["calls"]
    world.minute()
    return world.sides[0].server.client.info("commandstats")["cmdstat_sscan"]["calls"] - before


def test_what_comes_is_read_and_what_goes_is_forgotten(world):
    world.minute()
    assert settled(world) >= 38
    world.add("app1.new")
    assert world.minute()[0].read_for["new"] == 1
    assert settled(world) >= 39
    del world.stored["app0.m0"], world.stored["app1.new"]
    assert len(world.minute()[1].verdicts) == 39
    world.add("app0.m0")  # it comes back to its row, which knows how far it is behind
    assert len(world.minute()[1].verdicts) == 40


def test_one_in_and_one_out_is_seen_within_ten_runs(tmp_path):
    """The count of names stays as it was."""
    with both_sides(tmp_path) as sides:
        world = World(sides, [f"m{k}" for k in range(30)])
        world.minute()
        world.add("other")
        client = sides[0].server.client
        world.minute()
        del world.stored["m3"], world.stored["other"]
        world.add("another")
        world.add("m3 again")
        client.srem("metrics.unique_metrics", "metrics.none")
        found = []
        for _ in range(10):
            world.now += 60
            for side in sides:
                side.store({name: stored.data for name, stored in world.stored.items()})
                side.list(world.stored)
            found.append(set(sides[0].run(world.now)[1].verdicts) == set(world.stored))
        assert found[-1]


def test_names_that_keys_do_not_say_are_told_alike(tmp_path):
    with both_sides(tmp_path) as sides:
        world = World(sides, ["plain", *ODD])
        for side in sides:
            side.server.client.set(b"metrics.bad\xff", world.stored["plain"].data)
            side.server.client.set(b"no.namespace", world.stored["plain"].data)
        world.minute()
        for side in sides:
            side.server.client.sadd("metrics.unique_metrics", b"metrics.bad\xff", b"no.namespace")
            side.list = lambda names: None
        for _ in range(3):
            assert len(world.minute()[1].verdicts) == len(ODD) + 3
        assert settled(world) >= len(ODD)


def test_some_metrics_alone_are_brought_up_to_date_and_no_other_is_forgotten(world):
    world.minute()
    report, one = world.minute(match="app1.")
    assert set(one.verdicts) == {name for name in world.stored if name.startswith("app1.")}
    assert spared(report) >= 10
    report, one = world.minute()
    assert len(one.verdicts) == 40
    assert spared(report) >= 35


def test_some_metrics_alone_and_ones_that_are_gone_under_overrides(tmp_path):
    """The policies of a run are those of its own metrics: what was noted by number for others says nothing there."""
    extra = "".join(f'[[override]]\nmatch = "app{k}"\nconsensus = {5 + k}\n' for k in range(3))
    with both_sides(tmp_path, extra=extra) as sides:
        world = World(sides, [f"app{k % 3}.m{k}" for k in range(9)])
        world.minute()
        assert set(world.minute(match="app2.")[1].verdicts) == {"app2.m2", "app2.m5", "app2.m8"}
        del world.stored["app2.m2"], world.stored["app2.m5"], world.stored["app2.m8"]
        for report in (world.minute(match="app0.")[0], world.minute()[0], world.minute()[0]):
            assert report.exit == 0
        assert settled(world) >= 4


def test_density_in_a_window_of_their_own_is_that_of_a_full_read(tmp_path):
    extra = """
[[override]]
match = "app0"
full_duration = "1h"
[[override]]
match = "app1"
full_duration = "3d"
"""
    with both_sides(tmp_path, extra=extra) as sides:
        world = World(sides, [])
        for name in ("app0.a", "app1.b", "c"):
            world.stored[name] = Stored("float")
            for t in range(NOW - 2 * 86400, NOW, 60):
                world.stored[name].append(t, 10 + t % 11 / 10)
        world.minute()
        for _ in range(3):
            assert settled(world) >= 2
        key = "analyzer.metrics_manager.hash_key.metrics_data_sparsity"
        told = {name.decode(): float(share) for name, share in sides[0].server.client.hgetall(key).items()}
        assert told == {f"metrics.{name}": pytest.approx(100, abs=2) for name in world.stored}


def test_overrides_skips_and_operators_say_the_same_of_names_that_are_remembered(tmp_path):
    extra = """
[analysis]
skip = ["m17", "m27", "nobody"]
[[override]]
match = "app1"
consensus = 1
[[override]]
match = "m1"
stale_period = 900
[[override]]
match = "app2"
min_window_points = 50
"""
    with both_sides(tmp_path, extra=extra) as sides:
        world = World(sides, [f"app{k % 3}.m{k}" for k in range(40)])
        world.minute()
        for _ in range(2):
            report, _ = world.minute()
            assert report.outcomes["skipped"] == 2
            assert report.read_for["odd"] == 12  # of app2 one is skipped
            assert spared(report) >= 10
        for side in sides:
            side.server.client.hset("metrics_manager.api_skip_analysis", "app0.m3", str(world.now + 86400))
        report, one = world.minute()
        assert report.reasons["api_skip"] == 1
        assert "app0.m3" not in one.verdicts
        for side in sides:
            side.server.client.delete("metrics_manager.api_skip_analysis")
        assert "app0.m3" in world.minute()[1].verdicts


def test_metrics_with_cutoffs_are_read_in_full_and_judged_by_them(tmp_path):
    extra = """
[[override]]
match = "app1"
rule_threshold = 0.05
[[override]]
match = "app2"
cutoffs = { grubbs = 0.2, least_squares = 3.0 }
[[override]]
match = "app0"
cutoffs = { grubbs = 1.0 }
"""
    with both_sides(tmp_path, extra=extra) as sides:
        world = World(sides, [f"app{k % 3}.m{k}" for k in range(40)])
        world.minute()
        for _ in range(2):
            report, one = world.minute()
            assert report.read_for["odd"] == 26
            assert spared(report) >= 10
            loud = {name for name, (told, _) in one.verdicts.items() if told[SAME.index("anomalous")]}
            assert loud
            assert all(name.startswith("app1") for name in loud)


def test_what_siblings_filled_or_sorted_is_read_at_once(world):
    world.minute()
    world.minute()
    world.stored["app0.m0"].items[40:60] = []  # deep inside: no end of it tells
    for side in world.sides:
        side.server.client.sadd("flux.sort_and_dedup.metrics", "metrics.app0.m0")
    assert world.minute()[0].read_for["refresh"] >= 1


def test_a_dry_run_and_one_as_of_another_instant_write_no_memory(world, tmp_path):
    world.minute()
    file = next((tmp_path / "remembers" / "out").glob("memory-*[!k]"))
    before = file.read_bytes()
    assert spared(world.minute(dry_run=True)[0]) >= 38
    assert world.minute(as_of=world.now - 30)[0].read_for is None
    assert file.read_bytes() == before
    world.minute()
    assert file.read_bytes() != before


def test_a_damaged_row_is_read_in_full(world, tmp_path):
    world.minute()
    world.minute()
    file = next((tmp_path / "remembers" / "out").glob("memory-*[!k]"))
    rng = np.random.default_rng(3)
    for _ in range(4):
        content = bytearray(file.read_bytes())
        start = len(content) // 3  # behind header and keys: rows and queues
        for at in rng.integers(start, len(content), 400):
            content[at] ^= 1 << int(rng.integers(8))
        file.write_bytes(content)
        world.minute()  # and finds what a run finds that reads everything


def test_one_that_may_not_ask_for_ends_reads_everything(world):
    world.minute()
    client = world.sides[0].server.client
    client.execute_command("ACL", "SETUSER", "default", "-getrange")
    report, _ = world.minute()
    assert report.read_for["settled"] == 0
    assert any(problem.startswith("every series is read in full: ") for problem in report.problems)
    assert report.exit == 0


def test_history_rewritten_deep_inside_shows_within_sixty_runs(tmp_path):
    """No end of a series can tell of it: both halves of what is promised."""
    with both_sides(tmp_path) as sides:
        world = World(sides, [f"m{k}" for k in range(3)])
        world.minute()
        world.minute()
        world.stored["m1"].rewrite(40, -5.0)
        seen = []
        for _ in range(60):
            world.now += 60
            for stored in world.stored.values():
                stored.append(world.now - 1, 10 + world.now % 11 / 10)
            for side in sides:
                side.store({name: stored.data for name, stored in world.stored.items()})
            found = sides[0].run(world.now)[1].verdicts
            seen.append(found["m1"][0][SAME.index("negatives")])
            assert found["m0"][0][SAME.index("negatives")] is False
        assert seen[0] is False
        assert seen[-1] is True
        world.minute()  # and all is as if everything were read again

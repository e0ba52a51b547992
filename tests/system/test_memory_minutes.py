"""`ridgeline run` that remembers against `ridgeline run` without memory: all that both tell, minute by minute.

Fleets of every resolution under a hostile hand, odd names, runs that are missed or doubled or of another kind, rules that change.
"""

from contextlib import ExitStack

import pytest
from rigs.hostile.fleet import GRACE
from rigs.hostile.roomba import Roomba
from rigs.hostile.world import PLAIN, WINDOWS, world
from rigs.remembering import NAMESPACE, SAME

FEW = ("gauge", "latency", "counter", "turning")


def play(folder, minutes, seed, **options):
    """(share of metrics that were settled, how many differences may stand) of so many minutes, in which no other was found."""
    with world(folder, seed, **options) as fleet:
        settled = judged = excused = 0
        for _ in range(minutes):
            for seen in (fleet.minute(), *([fleet.again()] if fleet.rng.random() < 0.08 else [])):
                assert seen.wrong == {}, seen.now
                assert seen.rest == {}, seen.now
                settled, judged = settled + seen.ours.recorder.settled, judged + len(seen.ours.recorder.verdicts)
                excused += len(seen.excused)
        return settled / judged, excused


def test_minutes_of_a_hostile_fleet(tmp_path):
    share, _ = play(tmp_path, 6, seed=1, hostility=0.2, kinds=FEW)
    assert share > 0.2


@pytest.mark.long
@pytest.mark.parametrize(
    ("seed", "least", "options"),
    [
        (11, 0.6, {"deep": 0, "hostility": 0.02}),
        (12, 0.5, {}),
        (13, 0.3, {"hostility": 0.2, "deep": 0.2}),
        (14, 0.4, {"counters": '["counter"]'}),
        (15, 0.4, {"period": 300}),
        (16, 0.2, {"trims": 1, "held": 86400 + 30, "hostility": 0.1}),
    ],
)
def test_two_hundred_minutes_of_hostile_fleets(tmp_path, seed, least, options):
    """What is rewritten deep inside is told otherwise for a while, and no longer than 60 runs."""
    share, excused = play(tmp_path, 200, seed=seed, **options)
    assert share > least
    assert excused > 0 or options.get("deep") == 0


def newest(both):
    """The newest of the timestamps that two runs told of a metric."""
    return max(told[0][SAME.index("timestamp")] or 0 for told in both if told)


@pytest.mark.parametrize("minutes", [4, pytest.param(100, marks=pytest.mark.long)])
def test_while_a_trimmer_is_at_work(tmp_path, minutes):
    """Senders append, it writes every key anew, and runs read, all at once."""
    with world(tmp_path, 3, hostility=0, trims=0, steps=(60, 300), kinds=FEW) as fleet, ExitStack() as stack:
        held = WINDOWS[60] + GRACE
        assert fleet.minute().wrong == {}
        fleet.append = True
        roombas = [
            stack.enter_context(Roomba(judge.socket, f"{NAMESPACE}unique_metrics", lambda: fleet.now - held))
            for judge in fleet.judges
        ]
        for _ in range(minutes):
            before = [roomba.trimmed for roomba in roombas]
            seen = fleet.minute()
            assert not seen.excused
            # What is silent loses points of its window: on the one server a moment before the other.
            assert {name for name, both in seen.wrong.items() if newest(both) >= seen.now - GRACE} == set()
            assert seen.ours.recorder.settled > 10
            assert all(roomba.trimmed > was for roomba, was in zip(roombas, before, strict=True))
    assert set(fleet.fleets) == {"s60", "s300", PLAIN}

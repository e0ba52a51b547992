"""Series that are read in full leave rows that are whole, in whatever order they are read."""

from rigs.hostile.fleet import Fleet
from rigs.remembering import both_sides

from ridgeline.io.redis.waiting_line import WaitingLine


def test_rows_are_whole_in_whatever_order_series_are_read(tmp_path, monkeypatch):
    """Backwards here: of the queue of another row a run says that it is damaged as soon as a point leaves the window."""
    add = WaitingLine.add
    monkeypatch.setattr(WaitingLine, "add", lambda line, names, keys: add(line, names[::-1], keys[::-1]))
    with both_sides(tmp_path) as (side, _):
        fleet = Fleet(seed=6, hostility=0, kinds=("gauge", "season", "errors"))
        settled = 0
        for _ in range(4):
            minute = fleet.minute()
            side.store(minute.values)
            side.list(minute.values)
            report, _ = side.run(minute.now)
            settled += report.read_for["settled"]
            assert "damaged" not in report.read_for
        assert settled > 0

"""Pictures of a run: a few series are kept of any fleet, those of the top alerts; they are drawn once and say what alerts say."""

import numpy as np
import pyarrow as pa
import pytest
from rigs.parts import NAMES, verdicts

from ridgeline.alerters import Alert
from ridgeline.engine.alerts.strategy import show_pictures
from ridgeline.engine.prepare.series import Prepared
from ridgeline.engine.report.drawings import Drawings
from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.run.gallery import LONGEST, SPARE, Gallery
from ridgeline.engine.run.kept import COLUMNS, KeptSeries
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix

END = 1_700_000_000
SCORER = Scorer.of(Analysis(full_duration=3600 * 24), as_of=END)


def block(names, points=300):
    """A matrix whose rows rise from 0 by as much as their position in it, and verdicts that call each anomalous."""
    values = np.concatenate([np.arange(points) * float(row + 1) for row in range(len(names))])
    stamps = np.tile(END - 60 * np.arange(points)[::-1], len(names))
    return MetricMatrix.from_columns(pa.array(names), np.arange(len(names) + 1) * points, stamps, values)


def judged(rows):
    return verdicts([(name, "analysed", None, votes > 0, (votes > 0, votes > 1)) for name, votes in rows])


def kept(rows, most=3, described=()):
    report = Report(NAMES)
    for name, expected in described:
        report.describe(name, expected=expected)
    sink = KeptSeries(report, SCORER, most)
    for start in range(0, len(rows), 4):
        some = rows[start : start + 4]
        matrix = block([name for name, _ in some])
        sink.take(Series(matrix, Prepared(matrix)), judged(some))
    return sink


def test_the_top_is_kept_by_votes_then_size_then_name():
    rows = [("b", 1), ("quiet", 0), ("a", 1), ("c", 2), ("d", 1), ("e", 1), ("f", 0), ("g", 1), ("big", 1)]
    assert list(kept(rows).by_metric()) == ["c", "a", "b"]
    assert list(kept(rows, described=[("big", (0.0, 1.0)), ("g", (0.0, 1.4))]).by_metric()) == ["c", "big", "g"]
    assert list(kept(rows, most=99).by_metric()) == ["c", "a", "b", "big", "d", "e", "g"]


def test_what_is_kept_is_the_series_that_was_judged():
    scorer = Scorer.of(Analysis(full_duration=600), as_of=END - 120)
    cleaned, prepared = block(["a", "b"]), block(["b"])
    sink = KeptSeries(Report(NAMES), scorer, 5)
    sink.take(Series(cleaned, Prepared(prepared)), judged([("a", 1), ("b", 1)]))
    sink.take(None, judged([("c", 2)]))
    assert list(sink.by_metric()) == ["b"], "of the others no series was read whole"
    found = sink.by_metric()["b"]
    assert found.timestamps.tolist() == list(range(END - 120 - 540, END - 119, 60))
    assert found.values.tolist() == list(range(288, 298))
    assert found.median == np.median(np.arange(288, 298))


def test_memory_is_that_of_what_may_be_drawn_whatever_the_fleet():
    sink = KeptSeries(Report(NAMES), Scorer.of(Analysis(full_duration=10**7), as_of=END), 4)
    for chunk in range(50):
        names = [f"{chunk:03}.{row}" for row in range(8)]
        matrix = block(names, points=20_000)
        sink.take(Series(matrix, Prepared(matrix)), judged([(name, 1 + (chunk == 30)) for name in names]))
    series = sink.by_metric()
    assert list(series) == ["030.0", "030.1", "030.2", "030.3"]
    for one in series.values():
        assert len(one.values) <= 4 * COLUMNS
        assert one.values.base is None, "no view, which would keep its whole block"
        assert one.timestamps.base is None
        assert (one.values[0], one.values[-1]) != (0, 0), "both ends are there"


class Recorder(Drawings):
    """Drawings that note what they are asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def draw(self, pictures, seconds):
        self.asked.append((pictures, seconds))
        self.drawn = {picture.metric: b"PNG" for picture in pictures}


def alert(metric, **more):
    return Alert(metric, 299.0, END, (0.0, 100.0), NAMES[:1], NAMES, rule="stats.", **more)


def gallery(rows, left=60.0):
    report = Report(NAMES)
    made = Gallery.of(report, SCORER, 2, lambda: left)
    assert made.kept.most == 2 * SPARE
    matrix = block(rows)
    made.kept.take(Series(matrix, Prepared(matrix)), judged([(name, 1) for name in rows]))
    made.drawings = Recorder()
    return made


def test_the_first_alerts_that_can_be_drawn_are_drawn_once_in_a_run():
    made = gallery(["a", "b", "c"])
    assert made.draw([alert("over by now")], 2) == {}
    assert made.draw([alert("gone"), alert("c"), alert("b"), alert("a")], 2) == {"c": b"PNG", "b": b"PNG"}
    assert made.draw([alert("a")], 2) == {"c": b"PNG", "b": b"PNG"}
    assert [[picture.metric for picture in pictures] for pictures, _ in made.drawings.asked] == [["c", "b"]]


@pytest.mark.parametrize(("left", "seconds"), [(100.0, LONGEST), (8.0, 2.0), (-1.0, 0.0)])
def test_drawing_takes_a_share_of_what_is_left(left, seconds):
    made = gallery(["a"], left)
    made.draw([alert("a")], 2)
    assert [given for _, given in made.drawings.asked] == [seconds]


def test_a_picture_says_what_the_alert_says():
    made = gallery(["a"])
    made.draw([alert("a", first_seen=END - 720, ongoing=True)], 2)
    ((picture,), _) = made.drawings.asked[0]
    assert picture.note == "299, expected 0 to 100 (above); for 12 min"
    assert (picture.voted, picture.silent) == (NAMES[:1], NAMES[1:])
    assert (picture.expected, picture.since, picture.median) == ((0.0, 100.0), END - 720, 149.5)
    assert np.flatnonzero(picture.anomalous).tolist() == [299]


def test_a_bug_in_drawing_keeps_no_alert_back():
    made = gallery(["a"])
    made.drawings.draw = lambda *_: 1 / 0
    assert made.draw([alert("a")], 2) == {}
    assert (
        made.problem
        == "alerts went out without some pictures: drawing failed, a bug: ZeroDivisionError: division by zero"
    )


def test_a_problem_is_one_sentence():
    made = gallery(["a"])
    assert made.problem == ""
    made.drawings.problem = "matplotlib is not installed"
    assert made.problem == "alerts went out without some pictures: matplotlib is not installed"


def test_which_channels_show_pictures():
    from ridgeline.alerters import Secret, load

    channels = load()
    token, webhook = Secret("xoxb-1"), Secret("https://hooks.example/1")
    slack = channels["slack"]
    bot = slack.settings(token=token, default_recipients=("#a",))
    configured = [
        ("console", channels["console"], channels["console"].settings()),
        ("mail", channels["smtp"], channels["smtp"].settings(sender="a@b.c")),
        ("bot", slack, bot),
        ("hook", slack, slack.settings(webhook=webhook)),
    ]
    assert show_pictures(configured, {"console", "mail"})
    assert show_pictures(configured, {"bot"})
    assert not show_pictures(configured, {"console", "hook"}), "a webhook of Slack's takes none"
    assert not show_pictures(configured, set())
    shown = {kind for kind, channel in channels.items() if channel.pictures}
    assert shown == {"smtp", "slack", "apprise"}

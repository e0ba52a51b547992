"""The files that Skyline handed to its siblings, byte for byte, made from its own verdicts and the stored series.

Verdicts of ours take no part: each sibling's texts and names are held against the recorded ones directly.
"""

import ast
import hashlib
import io
import re

import msgpack
import numpy as np
import pytest
from conftest import SHARED
from rigs.golden.flat import LONG
from rigs.golden.series import stored_series
from rigs.golden.trace import Trace

from ridgeline.engine.run.handoffs.crucible import Crucible
from ridgeline.engine.run.handoffs.findings import Finding
from ridgeline.engine.run.handoffs.folder import Checks
from ridgeline.engine.run.handoffs.mirage import check_of
from ridgeline.engine.run.handoffs.panorama import check_of as panorama_check
from ridgeline.engine.run.handoffs.parked import PARKED, Parked
from ridgeline.engine.run.handoffs.web_ui import dump
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.matrix import INTEGER_TIMESTAMPS, INTEGER_VALUES

pytestmark = pytest.mark.usefixtures("shared")
NOT_FOUND_HERE = {"app.none.last"}  # its newest value is nil, which is no number
RUNS = range(2, 9)


@pytest.fixture(scope="module")
def trace(shared):
    return Trace(shared / "golden")


@pytest.fixture(scope="module")
def series(shared):
    return stored_series(Trace(shared / "golden"))


def findings(trace, series, run):
    """Skyline's anomalies of a run, with the points that it judged."""
    found = {}
    for metric, verdict in trace.verdicts(run).items():
        if not verdict.get("anomalous") or metric in NOT_FOUND_HERE:
            continue
        points = list(msgpack.Unpacker(io.BytesIO(series[run][metric])))
        integers = INTEGER_TIMESTAMPS * isinstance(points[0][0], int) | INTEGER_VALUES * isinstance(points[0][1], int)
        stamps, values = np.array([p[0] for p in points], np.int64), np.array([p[1] for p in points], float)
        if verdict["n"] == len(points) - 1:  # a counter
            stamps, values = stamps[1:], np.diff(values)
        names, votes = verdict["algorithms_run"], verdict["ensemble"]
        voted = tuple(name for name, vote in zip(names, votes, strict=True) if vote)
        anomaly = Anomaly(metric, float(values[-1]), int(stamps[-1]), len(voted), voted, tuple(names))
        found[metric] = Finding(anomaly, int(stamps[1]), integers, (stamps, values))
    return found


def recorded(trace, run, place):
    """By path below the place, what the recording has of each file: its text, or the hash of a long one."""
    return {
        entry["path"].removeprefix(f"<{place}>/"): entry.get("content", entry.get("sha256"))
        for entry in trace.files(run)
        if entry["path"].startswith(f"<{place}>/") and entry["what"] != "deleted" and "none" not in entry["path"]
    }


def written(folder, names):
    """The same of what was written, paths called as in the recording."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for name in names:
                content = content.replace(str(folder.parent / name).encode(), f"<{name}>".encode())
            long = len(content) > LONG
            found[str(path.relative_to(folder))] = (
                hashlib.sha256(content).hexdigest()[:16] if long else content.decode()
            )
            assert path.stat().st_mode & 0o777 == 0o644
    return found


@pytest.mark.parametrize("run", RUNS)
def test_panorama(trace, series, run, tmp_path):
    theirs = recorded(trace, run, "PANORAMA_CHECK_PATH")
    checks, now = Checks(tmp_path), trace.clock(run)
    for metric, found in findings(trace, series, run).items():
        if f"{now}.{metric}.txt" in theirs:  # Mirage's metrics are not told of
            checks.put(str(now), metric, panorama_check(found.anomaly, found.value, found.start, now, "golden-host"))
    assert written(tmp_path, ()) == theirs
    assert theirs


@pytest.mark.parametrize("run", RUNS)
def test_crucible(trace, series, run, tmp_path):
    checks, data = tmp_path / "CRUCIBLE_CHECK_PATH", tmp_path / "CRUCIBLE_DATA_FOLDER"
    checks.mkdir()
    data.mkdir()
    crucible = Crucible(Checks(checks), data)
    for found in findings(trace, series, run).values():
        crucible.hand_over(found, *found.judged)
    for folder in (checks, data):
        assert written(folder, (data.name,)) == recorded(trace, run, folder.name)


@pytest.mark.parametrize("run", [2, 3])
def test_mirage(trace, series, run, tmp_path):
    theirs = recorded(trace, run, "MIRAGE_CHECK_PATH")
    checks = Checks(tmp_path)
    for metric, found in findings(trace, series, run).items():
        if metric.startswith("mirage."):
            checks.put(str(found.anomaly.timestamp), metric, check_of(found, 168))
    assert written(tmp_path, ()) == theirs
    assert len(theirs) == 2


@pytest.mark.parametrize("run", RUNS)
def test_web_ui(trace, series, run):
    (theirs,) = recorded(trace, run, "ANOMALY_DUMP_DIR").values()
    without = re.sub(r"\[None, 'app.none.last', [0-9.]+\], ", "", theirs)
    assert dump(list(findings(trace, series, run).values())) == without


@pytest.mark.parametrize("run", [2, 3, 4])
def test_what_is_parked_for_mirage(series, run):
    """With Ionosphere, Skyline parks its checks as well; the members are read and written alike."""
    trace = Trace(SHARED / "golden", "ionosphere")
    theirs = trace.keys(run)[PARKED]["value"]
    for text in theirs:
        item = Parked.read(text)
        assert str(ast.literal_eval(text)) == text
        assert (item.text, item.anomaly.value) == (text, 400.0)
        first = 2 if item.anomaly.timestamp == 1700000160 else 3
        ours = findings(trace, series, first)[item.anomaly.metric]
        assert Parked.of(ours, item.added, "golden-host").text == text
    assert theirs

"""Pictures: whatever the series and its name, they are drawn, and nothing in them covers anything else."""

import io
import itertools
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rigs.pixels import BLUE, GREEN, RED, pixels, places

from ridgeline.engine.report.axis import Axis, label
from ridgeline.engine.report.envelope import envelope, gaps
from ridgeline.engine.report.picture import Lanes, Picture
from ridgeline.engine.report.wording import legible, shortened, wrapped

pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")

END = 1_700_000_000
NINE = (
    "histogram_bins", "first_hour_average", "stddev_from_average", "grubbs", "ks_test", "mean_subtraction_cumulation",
    "median_absolute_deviation", "stddev_from_moving_average", "least_squares",
)  # fmt: skip


def wave(points=1440, scale=1.0, offset=0.0):
    """A day's wave that ends in a jump."""
    values = 10 + 2 * np.sin(np.arange(points) / 230) + np.tile([-0.5, 0.3, 0.2], points)[:points]
    values[-4:] = 25
    return offset + scale * values


def picture(values, name="stats.web01.requests", step=60, **more):
    values = np.asarray(values, np.float64)
    last = np.zeros(len(values), bool)
    last[-1:] = True
    usual = {"median": 10.0, "expected": (5.0, 15.0), "note": "25, expected 5 to 15 (above); new", "voted": NINE[:6]}
    times = END - step * np.arange(len(values))[::-1]
    return Picture(name, times, values, last, **{**usual, "silent": NINE[6:], **more})


def drawn(shown, kind="png"):
    from ridgeline.engine.report.plot import draw

    file = io.BytesIO()
    draw(shown, file, kind)
    return file.getvalue()


HOSTILE = {
    "ordinary": picture(wave()),
    "ongoing": picture(wave(), since=END - 6000),
    "since before the series": picture(wave(), since=0),
    "dollars, lines, other scripts": picture(wave(), "a.$x_1$.{\\frac}\n^_ä.中文.\u202e.😀.\udc80.\x1b[31m$", note="$\\alpha_$ & <b>"),
    "a long name": picture(wave(), "stats." + "very.long.name." * 4000, note="why " * 900),
    "a large offset": picture(wave(offset=1e15), median=1e15 + 10, expected=(1e15 + 5, 1e15 + 15)),
    "a negative offset": picture(wave(offset=-1e9), median=-1e9, expected=None),
    "an offset and small numbers": picture(wave(scale=1e-9, offset=3.0), median=3.0, expected=None),
    "a constant": picture(np.full(200, 1e15), median=1e15, expected=(1e15, 1e15)),
    "zeros": picture(np.zeros(200), median=0.0, expected=(0.0, 0.0)),
    "one point": picture([5.0]),
    "no point": picture([], median=None, expected=None),
    "huge": picture(wave(scale=1e300), median=1e301, expected=(-math.inf, math.inf)),
    "tiny": picture(wave(scale=1e-300), median=1e-299, expected=(0.0, 1e-298)),
    "denormal": picture([0.0, 5e-324] * 50, median=0.0, expected=(0.0, 5e-324)),
    "both ends of doubles": picture([-1.7e308, 1.7e308] * 100, median=0.0, expected=(-1.7e308, 1.7e308)),
    "infinities and holes": picture([*wave(900), math.inf, -math.inf, *[math.nan] * 20, 3.0, math.nan, 25.0]),
    "infinite alone": picture([math.inf, -math.inf], median=math.nan, expected=(math.nan, math.nan)),
    "a band without end": picture(wave(), expected=(-1e300, 1e300)),
    "very many points": picture(wave(200_000), step=1),
    "many algorithms": picture(wave(), voted=("a" * 500, *NINE), silent=tuple(f"algorithm_{n}" for n in range(60))),
    "years": picture(wave(3000), step=86400),
    "lanes": picture(wave(500), lanes=Lanes((*NINE, "x" * 300, "$_"), np.tile(np.arange(11) % 2 == 0, (500, 1))), labels=((END - 9000, END - 6000), (END, END)), voted=()),
}  # fmt: skip


@pytest.fixture
def written(monkeypatch):
    """Every text that is drawn, as (text, left, top, right, bottom) in pixels."""
    from matplotlib.backends.backend_agg import RendererAgg

    found, original = [], RendererAgg.draw_text

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        wide, high, below = self.get_text_width_height_descent(s, prop, ismath)
        assert not ismath, f"{s!r} is read as a formula"
        found.append((s, x, y - high + below, x + wide, y + below))
        original(self, gc, x, y, s, prop, angle, ismath, mtext)

    monkeypatch.setattr(RendererAgg, "draw_text", draw_text)
    return found


@pytest.mark.parametrize("shown", HOSTILE.values(), ids=HOSTILE)
def test_nothing_covers_anything_or_runs_off(shown, written):
    image = pixels(drawn(shown))
    height, width = image.shape[:2]
    assert written
    for text, left, top, right, bottom in written:
        assert min(left, top, width - right, height - bottom) >= 2, f"{text!r} runs off"
    for (one, *box), (other, *there) in itertools.combinations(written, 2):
        wide = min(box[2], there[2]) - max(box[0], there[0])
        high = min(box[3], there[3]) - max(box[1], there[1])
        assert wide <= 1 or high <= 3, f"{one!r} and {other!r} cover each other"


@pytest.mark.parametrize(
    "name",
    [
        "ordinary",
        "lanes",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("ongoing", "a large offset", "tiny", "huge", "very many points")
        ),
    ],
)
def test_series_band_and_anomaly_can_be_seen(name):
    image = pixels(drawn(HOSTILE[name]))
    height, width = image.shape[:2]
    assert width == (1430 if name == "lanes" else 880)
    rows, columns = places(image, RED, 40)
    right = columns > width - 60
    assert right.any(), "the newest point is marked at the end of the series"
    assert rows[right].min() < height / 2, "where it jumped to"
    assert len(places(image, BLUE, 60)[0]) > 500
    if name != "lanes":
        assert len(places(image, GREEN)[0]) > 5000


def test_it_reads_the_same_on_any_ground():
    from matplotlib.image import imread

    alpha = imread(io.BytesIO(drawn(HOSTILE["ordinary"])), format="png")[..., 3:]
    assert (alpha == 1).all()
    image = pixels(drawn(HOSTILE["ordinary"])).astype(int)
    assert image[5, 5].min() > 240, "a light ground of its own"
    assert 100 < image[0, 5].max() < 225, "in a frame that shows on white"


def test_the_same_picture_is_the_same_bytes_whatever_the_settings():
    import matplotlib as mpl

    first, scalable = drawn(HOSTILE["ordinary"]), drawn(HOSTILE["ordinary"], "svg")
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "timezone": "Asia/Tokyo", "text.color": "white"}):
        assert drawn(HOSTILE["ordinary"]) == first
        assert drawn(HOSTILE["ordinary"], "svg") == scalable
        assert mpl.rcParams["font.size"] == 30


def test_svg_for_those_who_scale():
    root = ET.fromstring(drawn(HOSTILE["dollars, lines, other scripts"], "svg"))
    assert root.tag.endswith("svg")


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    import sys

    from ridgeline.io.errors import InputError

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"pip install 'ridgeline\[plot\]'"):
        drawn(HOSTILE["ordinary"])


# Axis --------------------------------------------------------------------------------------------------------------------------------

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(DOUBLES, min_size=1, max_size=20), st.none() | st.tuples(DOUBLES, DOUBLES).map(sorted))
def test_any_values_fit_the_axis_in_their_order(values, band):
    axis = Axis.of(np.array(values), band)
    shown = axis.shown(np.array(values))
    assert -math.inf < axis.bottom < axis.top < math.inf
    assert max(abs(axis.bottom), abs(axis.top)) < 1e8
    assert np.isfinite(shown).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(shown[order]) >= 0).all()
    size, span = max(map(abs, values)), max(values) / 2 - min(values) / 2
    if size > 1e-300 and span > 1e-9 * size and band is None:
        assert shown.max() - shown.min() > 0.8 * (axis.top - axis.bottom), "the series takes up the height"


@pytest.mark.parametrize(
    ("values", "unit", "shown"),
    [
        ([0.0, 50_000.0], "", ["0", "50,000"]),
        ([0.0, 2e6], "x 1e6", ["0", "2"]),
        ([1e15, 1e15 + 10], "+ 1,000,000,000,000,000", ["0", "10"]),
        ([-1e15 - 10, -1e15], "- 1,000,000,000,000,010", ["0", "10"]),
        ([3.0, 3.0 + 2e-9], "x 1e-9 + 3", ["0", "2"]),
        ([0.0, 3e300], "x 1e300", ["0", "3"]),
        ([0.0, 3e-300], "x 1e-300", ["0", "3"]),
        ([0.25, 0.75], "", ["0.25", "0.75"]),
    ],
)
def test_labels_and_their_unit(values, unit, shown):
    axis = Axis.of(np.array(values), None)
    assert axis.unit == unit
    assert [label(round(float(one), 6)) for one in axis.shown(np.array(values))] == shown


def test_a_band_widens_the_axis_only_as_far_as_the_series_stays_visible():
    near, far = Axis.of(np.array([0.0, 10.0]), (-2.0, 12.0)), Axis.of(np.array([0.0, 10.0]), (-1e9, 1e9))
    assert near.bottom < -2 < 12 < near.top
    assert far.bottom > -15
    assert far.top < 25


# Envelope ----------------------------------------------------------------------------------------------------------------------------


@given(st.data(), st.integers(1, 7))
def test_the_envelope_keeps_what_each_column_shows(data, columns):
    steps = data.draw(st.lists(st.integers(0, 50), min_size=1, max_size=120))
    times = np.cumsum(steps) + END
    values = np.array(data.draw(st.lists(st.floats(-5, 5), min_size=len(times), max_size=len(times))))
    kept = envelope(times, values, columns)
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= max(4 * columns, 0) or len(times) <= 4 * columns
    column = (times - times[0]) * columns // (times[-1] - times[0] + 1)
    for one in np.unique(column):
        inside, left = values[column == one], values[kept[column[kept] == one]]
        assert (inside.min(), inside.max(), inside[0], inside[-1]) == (left.min(), left.max(), left[0], left[-1])


def test_the_line_breaks_where_nothing_was_measured():
    times = np.array([0, 60, 120, 5000, 5060, 9000])
    assert gaps(times, np.arange(6)).tolist() == [3, 5]
    assert gaps(times, np.array([0, 2, 3, 5])).tolist() == [2], "what the envelope left out is no gap"
    assert gaps(times[:1], np.arange(1)).tolist() == []


# Words -------------------------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=60), st.integers(3, 40))
@example("0.00000", 6)
def test_shortened_texts_fit_and_keep_both_ends(text, room):
    found = shortened(text, len, room)
    assert len(found) <= max(room, 3)
    if len(text) <= room:
        assert found == text
    else:
        assert len(found) == room
        cuts = [at for at in range(room) if found.startswith("...", at)]  # an end of the text may be a dot itself
        assert any(text.startswith(found[:at]) and text.endswith(found[at + 3 :]) for at in cuts)


@given(st.lists(st.text("abc", min_size=1, max_size=8), max_size=20), st.integers(30, 60), st.integers(1, 3))
def test_wrapped_words_fit_and_none_is_lost(words, room, lines):
    made = wrapped("voted:", words, len, room, lines)
    assert len(made) <= lines
    assert all(len(line) <= room for line in made)
    told = " ".join(made)
    kept = told.removeprefix("voted:").partition(" and ")[0].replace(",", " ").split()
    more = int(told.rpartition(" and ")[2].split()[0]) if told.endswith(" more") else 0
    assert kept == words[: len(kept)]
    assert len(kept) + more == len(words)


def test_characters_without_a_glyph_are_spelled():
    assert legible("cpu.中\n", {ord(c) for c in "cpu.\\n"}) == "cpu.\\u4e2d\\n"

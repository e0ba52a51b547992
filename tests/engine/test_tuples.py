"""Skyline's tuples, in every shape that its callers use, and in those that nobody thought of."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.names import names

from ridgeline.engine.alerts.rule import EXPIRATION
from ridgeline.engine.alerts.tuples import Row, read_alert, read_row
from ridgeline.io.errors import InputError

DAY, NOW = 86400, 1_700_000_500
EXTERNAL = {"id": "external-77", "type": "external", "namespace": "a", "expiration": 600, "second_order_resolution": 0}
INTERNAL = {"id": "internal-3", "type": "internal"}


def read(row, metric=(400.0, "app.anom", 1_700_000_160), context="Analyzer"):
    return read_alert(read_row(row), metric, context, DAY, 300, NOW)


@pytest.mark.parametrize(
    ("alert", "row"),
    [
        (("app", "syslog"), Row("app", ("syslog",), EXPIRATION)),
        (("app", "syslog", 600), Row("app", ("syslog",), 600)),
        (["app", "smtp", 600, 168], Row("app", ("smtp",), 600, 168)),
        (("app", "smtp|http_alerter-x", 60), Row("app", ("smtp", "http_alerter-x"), 60)),
        (("app", " smtp || slack|smtp", 60), Row("app", ("smtp", "slack"), 60)),
        (("app", "ana@example.org", 60), Row("app", ("ana@example.org",), 60)),
        (("app", "smtp", 600, 0, EXTERNAL), Row("app", ("smtp",), 600, external=True, external_id="77")),
        (("app", "smtp", 600, 24, INTERNAL), Row("app", ("smtp",), 600, 24)),
        (("app", "smtp", 600, "external"), Row("app", ("smtp",), 600, external=True)),
        (("app", "smtp", 10, {"test alert": True}), Row("app", ("smtp",), 10, test=True)),
        (
            ("app", "http_alerter-x", 300, ["anomaly_id", 4711], ["anomalyScore", 0.75]),
            Row("app", ("http_alerter-x",), 300, anomaly_id="4711", score=0.75),
        ),
        (
            ("app", "http_alerter-x", 300, 168, ["anomaly_id", None], ["anomalyScore", 1]),
            Row("app", ("http_alerter-x",), 300, 168, score=1.0),
        ),
        (
            ["app", "http_alerter-x", 300, 0, EXTERNAL, ["anomaly_id", 1], ["anomalyScore", 0.5]],
            Row("app", ("http_alerter-x",), 300, external=True, external_id="77", anomaly_id="1", score=0.5),
        ),
        (
            ("app", "http_alerter-x", 10, {"test alert": True}, ["anomaly_id", 9], ["anomalyScore", 0.5]),
            Row("app", ("http_alerter-x",), 10, test=True, anomaly_id="9", score=0.5),
        ),
        (("app", "slack", 600, [None, None, None, "snab"], None), Row("app", ("slack",), 600)),
        (("app", "slack", math.nan, math.inf, True, -5), Row("app", ("slack",), 0)),
        (("app", "slack", 10**400), Row("app", ("slack",), EXPIRATION)),
    ],
)
def test_a_row_is_read_by_shape(alert, row):
    assert read_row(alert) == row


FURTHER = [
    168,
    EXTERNAL,
    {"test alert": True},
    ["anomaly_id", 4711],
    ["anomalyScore", 0.75],
    None,
    ["snab", 1, 2],
    "external",
]


@given(st.permutations(FURTHER))
def test_the_order_of_what_follows_does_not_matter(further):
    assert read_row(("app", "smtp", 600, *further)) == Row(
        "app", ("smtp",), 600, 168, test=True, external=True, external_id="77", anomaly_id="4711", score=0.75
    )


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.text(),
    st.text(min_size=1),
    st.lists(anything, max_size=5),
    st.tuples(anything, names | st.lists(anything)),
    st.lists(anything, max_size=4),
    anything,
)
def test_whatever_follows_an_alert_is_never_lost(pattern, strategy, further, metric, rest, context):
    alert = read_alert(Row(pattern, (strategy,)), (*metric, *rest), context, DAY, 300, NOW)
    assert isinstance(alert.timestamp, int)
    assert isinstance(alert.value, float)
    if isinstance(metric[1], str):
        assert alert.metric == metric[1]
    if strategy.strip(" |\t\n\r\f\v").strip() and strategy.replace("|", "").strip():
        row = read_row((pattern, strategy, *further))
        assert row.pattern == pattern
        assert row.expiration >= 0
        assert row.hours >= 0


@given(anything)
def test_what_is_no_alert_is_refused_in_one_sentence(found):
    for call in (read_row, lambda metric: read(("a", "b"), metric)):
        with contextlib.suppress(InputError):
            call(found)
        with pytest.raises(InputError, match=r"^[^\n]+$"):
            call((found,))


@pytest.mark.parametrize("alert", [None, (), ("app",), ("app", None, 5), (5, "smtp"), "app", {"a": 1}, ("app", " | ")])
def test_a_row_without_pattern_or_strategy_is_refused(alert):
    with pytest.raises(InputError, match=r"^alert "):
        read_row(alert)


@pytest.mark.parametrize("metric", [None, (), (5,), (5, None), "app", (5, b"app", 1)])
def test_a_metric_without_a_name_is_refused(metric):
    with pytest.raises(InputError, match=r"^metric must be"):
        read(("app", "smtp", 600), metric)


@pytest.mark.parametrize(
    ("value", "expected", "test"),
    [(400.0, 400.0, False), (350, 350.0, False), ("350", 350.0, False), ("TEST - 5.5", 5.5, True)],
)
def test_values(value, expected, test):
    alert = read(("app", "smtp", 600), (value, "app.a", 1_700_000_220.0))
    assert (alert.value, alert.test, alert.timestamp) == (expected, test, 1_700_000_220)


@pytest.mark.parametrize("value", [None, "high", [], 1j, 10**400])
def test_a_value_that_is_no_number_costs_no_alert(value):
    assert math.isnan(read(("app", "smtp", 600), (value, "app.a", 5)).value)


def test_what_analyzer_adds_to_a_metric():
    alert = read(("app", "smtp", 600), (1.0, "app.a", 5, ["grubbs"], ["grubbs", "ks_test"], "custom_algorithm_only"))
    assert (alert.algorithms, alert.algorithms_run, alert.anomaly_score) == (("grubbs",), ("grubbs", "ks_test"), 0.5)
    assert read(("app", "smtp", 600), (1.0, "app.a", 5, ["grubbs"], ["grubbs"], None)).anomaly_score == 1.0


def test_etsys_metric_has_no_timestamp():
    assert read(("app", "smtp", 600), (1.0, "app.a")).timestamp == NOW


def test_the_window_is_mirages_where_the_row_says_so():
    assert read(("app", "smtp", 600, 168)).full_duration == 168 * 3600
    assert read(("app", "smtp", 600, 0, INTERNAL)).full_duration == DAY


@given(st.lists(names, max_size=150))
def test_stale_metrics_are_one_alert(stale):
    alert = read(("stale_metrics", "stale_digest", 500), (len(stale), stale, 1_700_000_160))
    assert (alert.metric, alert.value, alert.timestamp) == ("ridgeline.stale", len(stale), 1_700_000_160)
    assert alert.message.startswith(f"{len(stale)} metric")
    assert alert.message.isprintable()
    assert ("50 more" in alert.message) == (len(stale) == 150) or any("50 more" in name for name in stale)

"""The one rule of expiration, against a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.alerts.expiration import let_through


def plain(timestamps, anomalous, expiration):
    last, through = None, []
    for stamp, hit in zip(timestamps, anomalous, strict=True):
        lets = bool(hit) and (last is None or stamp - last >= expiration)
        last = stamp if lets else last
        through.append(lets)
    return through


@given(
    st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=60),
    st.integers(0, 1000),
    st.sampled_from([0, 1_700_000_000]),
)
def test_it_is_the_plain_loop(steps, expiration, origin):
    steps = sorted(steps)
    stamps = np.array([origin + stamp for stamp, _ in steps], np.int64)
    anomalous = np.array([hit for _, hit in steps], bool)
    assert let_through(stamps, anomalous, expiration).tolist() == plain(stamps.tolist(), anomalous, expiration)


@pytest.mark.parametrize(("expiration", "alerts"), [(0, 5), (60, 5), (61, 3), (120, 3), (121, 2), (3600, 1)])
def test_at_the_very_second_it_may_alert_again(expiration, alerts):
    assert let_through(60 * np.arange(5), np.ones(5, bool), expiration).sum() == alerts


def test_it_counts_from_the_last_step_that_was_let_through():
    stamps = np.array([0, 10, 20, 30, 40, 50])
    kept = let_through(stamps, np.array([True, True, True, True, False, True]), 20)
    assert kept.tolist() == [True, False, True, False, False, True]

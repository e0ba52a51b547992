"""What `config check` passes, no run refuses: whatever the settings, and whatever metrics their patterns meet on."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.problems import ConfigError
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix

NINE = (
    "histogram_bins", "first_hour_average", "stddev_from_average", "grubbs", "ks_test", "mean_subtraction_cumulation",
    "median_absolute_deviation", "stddev_from_moving_average", "least_squares",
)  # fmt: skip
START = 1_700_000_000
SUBSETS = st.lists(st.sampled_from(NINE), min_size=1, max_size=9, unique=True)
LIMITS = st.sampled_from([5e-324, 1e-300, 1e-9, 0.05, 0.5, 0.999, 1.0, 1.5, 3.0, 1e9, 1.7e308])
KEYS = st.fixed_dictionaries(
    {"match": st.sampled_from(["a", "b", ".*", "a.b", "[ab]", "x.y", "", "^a.*c$"])},
    optional={
        "consensus": st.integers(1, 12),
        "algorithms": SUBSETS,
        "thresholds": st.dictionaries(st.sampled_from(NINE), LIMITS, min_size=1, max_size=2),
        "direction": st.sampled_from(["up", "down", "both"]),
        "min_change": LIMITS,
        "min_change_relative": LIMITS,
        "stale_period": st.integers(1, 4_000_000_000),
        "full_duration": st.integers(1, 4_000_000_000),
    },
)
ANALYSIS = st.fixed_dictionaries(
    {},
    optional={
        "consensus": st.integers(1, 10),
        "algorithms": SUBSETS,
        "profile": st.sampled_from(["native", "earthgecko", "earthgecko_batch", "etsy"]),
        "full_duration": st.integers(1, 4_000_000_000),
        "stale_period": st.integers(1, 4_000_000_000),
        "all_votes": st.booleans(),
    },
)


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(list(value)) if isinstance(value, list) else repr(value)


def written(analysis, overrides):
    tables = [
        ("[source]", {"url": "redis://h"}),
        ("[analysis]", analysis),
        *(("[[override]]", one) for one in overrides),
    ]
    return "\n".join("\n".join([head, *(f"{key} = {toml(v)}" for key, v in table.items())]) for head, table in tables)


@pytest.fixture(scope="module")
def fleet():
    rng = np.random.default_rng(9)
    names = ["a", "b", "a.b", "b.a", "x.y", "a.x.c", "nothing", "a.b.x.y"]
    values = rng.normal(100, 3, (len(names), 200))
    values[::2, -3:] += 90
    offsets = np.arange(len(names) + 1) * 200
    return MetricMatrix.from_columns(
        pa.array(names), offsets, np.tile(START + 60 * np.arange(200), len(names)), values.ravel()
    )


@given(ANALYSIS, st.lists(KEYS, max_size=4))
@example({"consensus": 6}, [{"match": "a", "algorithms": list(NINE[:6])}, {"match": "b", "consensus": 9}])
@example({}, [{"match": "a", "thresholds": {"grubbs": 1e-300}}])
def test_what_passes_is_scored(fleet, analysis, overrides):
    try:
        config = parse_config(written(analysis, overrides).encode(), Path("ridgeline.toml"), {})
    except ConfigError:
        assume(False)
    scorer = Scorer.of(config.analysis, config.overrides, as_of="last", threads=1)
    verdicts = scorer.score(fleet).to_pylist()
    assert [row["metric"] for row in verdicts] == fleet.metrics.to_pylist()
    for row, policy in zip(verdicts, map(scorer.overrides.policy, fleet.metrics.to_pylist()), strict=True):
        assert 1 <= policy.consensus <= len(policy.algorithms)
        if row["anomalous"]:
            assert row["votes"] >= policy.consensus


@given(ANALYSIS, SUBSETS, st.integers(0, 12))
def test_options_of_a_command_are_judged_in_the_same_words(analysis, algorithms, consensus):
    text = written({**analysis, "algorithms": algorithms, "consensus": max(consensus, 1)}, [])
    try:
        config = parse_config(text.encode(), Path("ridgeline.toml"), {})
    except ConfigError as error:
        sentence = str(error).split(": ", 2)[2]
        good = parse_config(written({}, []).encode(), Path("ridgeline.toml"), {})
        from dataclasses import replace

        asked = replace(good.analysis, algorithms=tuple(algorithms), consensus=max(consensus, 1))
        with pytest.raises(InputError) as caught:
            Scorer.of(asked)
        assert str(caught.value) == sentence
    else:
        Scorer.of(config.analysis)

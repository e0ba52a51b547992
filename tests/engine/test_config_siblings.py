"""`[handoff]`, `[batch]` and `[second_stage]` as the configuration gives them."""

from pathlib import Path

import pytest

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.model import HandOff
from ridgeline.engine.config.problems import ConfigError

REDIS = '[source]\nkind = "redis"\nurl = "redis://127.0.0.1:6379/0"\n'


def read(text):
    return parse_config(text.encode(), Path("ridgeline.toml"), {})


def test_nothing_is_handed_anywhere_unless_asked_for():
    config = read(REDIS)
    assert (config.handoff, config.second_stage, config.batch.match) == (HandOff(), None, ())


def test_every_key():
    keys = ("mirage_checks", "panorama_checks", "crucible_checks", "crucible_data", "web_ui")
    handed = "".join(f'{key} = "/x/{key}"\n' for key in keys)
    config = read(
        f'{REDIS}[handoff]\n{handed}[batch]\nmatch = ["jobs."]\n[second_stage]\npath = "s3://b/a"\ndays = 14\nmatch = ["a", "b"]\n'
    )
    assert config.handoff == HandOff(*(Path(f"/x/{key}") for key in keys))
    assert config.batch.match == ("jobs.",)
    assert (config.second_stage.path, config.second_stage.days, config.second_stage.match) == (
        "s3://b/a",
        14,
        ("a", "b"),
    )


def test_the_second_stage_is_for_all_metrics_and_a_week_unless_it_says_otherwise():
    stage = read(f'{REDIS}[second_stage]\npath = "a.parquet"').second_stage
    assert (stage.days, stage.match) == (7, ("",))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (
            '[source]\nkind = "parquet"\npath = "a.parquet"\n[handoff]\nmirage_checks = "/x"',
            "handoff.mirage_checks",
            "needs a Redis source",
        ),
        (
            f'{REDIS}[analysis]\nbookkeeping = false\n[handoff]\nmirage_checks = "/x"',
            "handoff.mirage_checks",
            "`[analysis] bookkeeping`",
        ),
        (f'{REDIS}[handoff]\ncrucible_data = "/x"', "handoff.crucible_data", "needs crucible_checks beside it"),
        (f'{REDIS}[handoff]\ncrucible_checks = "/x"', "handoff.crucible_checks", "needs crucible_data beside it"),
        (f'{REDIS}[handoff]\nmirage = "/x"', "handoff.mirage", "there is no such key"),
        (f'{REDIS}[handoff]\nweb_ui = "a\\u0000b"', "handoff.web_ui", "NUL"),
        (f'{REDIS}[batch]\nmatch = ["*"]', "batch.match", "*"),
        (f"{REDIS}[second_stage]\ndays = 7", "second_stage.path", "is missing"),
        (f'{REDIS}[second_stage]\npath = "a"\ndays = 1', "second_stage.days", "no longer than"),
        (f'{REDIS}[second_stage]\npath = "a"\ndays = 0', "second_stage.days", "between 1 and 366"),
        (f'{REDIS}[second_stage]\npath = "a"\nmatch = ["(a"]', "second_stage.match", "(a"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text, place, words):
    with pytest.raises(ConfigError) as refused:
        read(text)
    (problem,) = [line for line in str(refused.value).splitlines() if place in line]
    assert words in problem

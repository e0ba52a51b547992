"""`config show` and `config schema` say what the readers read: nothing less, nothing else, and no secret."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from ridgeline.engine.cli.main import main
from ridgeline.engine.config.effective import as_text, settings
from ridgeline.engine.config.load import examine, parse_config
from ridgeline.engine.config.problems import ConfigError, dotted
from ridgeline.engine.config.schema import schema
from ridgeline.engine.config.template import TEMPLATE

PASSWORD = "s3cr3t-0f-r3d1s"
FULL = """\
[source]
kind = "redis"
url = "redis://127.0.0.1:6379/0"
password_env = "REDIS_PASSWORD"

[analysis]
full_duration = "12h"

[[override]]
match = "a."

[[override]]
match = "b."
thresholds = { grubbs = 0.01 }

[[alert]]
match = "stats."
strategy = "smtp|http"
schedule = { days = ["mon"], from = "08:00" }

[alerters.http]
url = "http://127.0.0.1:9000/alert?token=t0k3n-0f-h00k"

[alerters.smtp]
sender = "us@example.com"
recipients = { "stats." = ["ops@example.com"] }

[links]
"my graph" = "https://graph.example/{metric}"
"""
ENVIRON = {"REDIS_PASSWORD": PASSWORD}


@pytest.fixture
def shown():
    _, top = examine(FULL.encode(), Path("r.toml"), ENVIRON)
    return settings(top, "r.toml")


def test_each_value_is_shown_with_where_it_comes_from(shown):
    found = {dotted(one.path): (one.value, one.origin) for one in shown}
    assert found["analysis.full_duration"] == ("12h", "r.toml:7")
    assert found["analysis.consensus"] == (6, "default")
    assert found["analysis.stale_period"] == (None, "default")
    assert found["source.password_env"] == ("REDIS_PASSWORD", "r.toml:4")
    assert found["source.timeout"] == (5.0, "default")
    assert found["override[1].thresholds.grubbs"] == (0.01, "r.toml:14")
    assert found["alert[0].schedule.days"] == (["mon"], "r.toml:19")
    assert found["alerters.smtp.recipients.stats."] == (["ops@example.com"], "r.toml:26")
    assert found["links.my graph"] == ("https://graph.example/{metric}", "r.toml:29")
    assert found["delivery.retry_for"] == (86400, "default"), "a table that is not there has its defaults"


def test_no_secret_is_shown(shown):
    said = "\n".join(as_text(shown)) + json.dumps([one.as_json() for one in shown])
    assert PASSWORD not in said
    assert "t0k3n-0f-h00k" not in said


def test_what_is_shown_is_toml_that_says_the_same(shown):
    text = "\n".join(as_text(shown))
    again = tomllib.loads(text)
    assert again["analysis"]["consensus"] == 6
    assert again["links"] == {"my graph": "https://graph.example/{metric}"}
    assert [one["match"] for one in again["override"]] == ["a.", "b."]
    assert again["alert"][0]["schedule"] == {"days": ["mon"], "from": "08:00"}
    usual = parse_config(TEMPLATE.encode(), Path("r.toml"), {})
    assert again["run"]["deadline"] == usual.run.deadline


def test_the_command_shows_a_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
    path = tmp_path / "r.toml"
    path.write_text(FULL)
    assert main(["config", "show", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["full_duration", "=", '"12h"', "#", f"{path}:7"] for line in lines)
    assert main(["config", "show", "--json", str(path)]) == 0
    found = {one["key"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["analysis.full_duration"] == {"key": "analysis.full_duration", "value": "12h", "from": f"{path}:7"}


def test_a_file_with_problems_is_not_shown(tmp_path, capsys):
    path = tmp_path / "r.toml"
    path.write_text("[source]\nkind = 5\n")
    assert main(["config", "show", str(path)]) == 2
    assert f"{path}:2: source.kind: must be text in quotes" in capsys.readouterr().err


# The schema -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def validator():
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


@pytest.mark.parametrize("text", [FULL, TEMPLATE], ids=["full", "example"])
def test_the_schema_lets_good_files_pass(validator, text):
    assert list(validator.iter_errors(tomllib.loads(text))) == []


def uncommented():
    """The example with every commented key in force: no sentence of it ends in `=` or begins with a bracket."""
    lines = [line.removeprefix("# ") for line in TEMPLATE.splitlines()]
    return "\n".join(line for line in lines if line.startswith("[") or " = " in line.partition("#")[0])


def test_the_schema_knows_every_key_of_the_example(validator):
    found = [
        error
        for error in validator.iter_errors(tomllib.loads(uncommented()))
        if error.validator == "additionalProperties"
    ]
    assert found == []


WRONG = {
    "[analysis]\nconsensus = 0": "analysis.consensus",
    '[analysis]\nconsensus = "6"': "analysis.consensus",
    '[analysis]\nprofile = "nativ"': "analysis.profile",
    "[analysis]\nconsesus = 6": "analysis",
    '[analysis]\nfull_duration = "1 day"': "analysis.full_duration",
    "[run]\ndeadline = 0": "run.deadline",
    '[[override]]\nmatch = "a"\nthresholds = { grubs = 1 }': "override.0.thresholds",
    "[[alert]]\nmatch = 5": "alert.0.match",
    '[alerters.http]\nurll = "x"': "alerters.http",
    "[nothing]": "",
}


@pytest.mark.parametrize("text", WRONG)
def test_the_schema_refuses_what_the_reader_refuses(validator, text):
    whole = f'{text}\n[source]\nkind = "redis"\nurl = "redis://127.0.0.1"\n'
    places = {".".join(map(str, error.path)) for error in validator.iter_errors(tomllib.loads(whole))}
    assert places == {WRONG[text]}
    with pytest.raises(ConfigError):
        parse_config(whole.encode(), Path("r.toml"), {})


def test_the_command_prints_the_schema(capsys):
    assert main(["config", "schema"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["properties"]["analysis"]["properties"]["consensus"]["description"] == "this many algorithms must agree"

"""No secret leaves the process in a message, whoever quotes it."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.alerters import Outcome, Secret
from ridgeline.engine.cli import main as cli
from ridgeline.engine.config.problems import ConfigError, Problem
from ridgeline.io.errors import InputError, RidgelineError
from ridgeline.io.text import redact

SENTINEL = "s3ntinel/Value+1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot reach redis://ops:hunter2@cache:6379/0", "cannot reach redis://********@cache:6379/0"),
        ("s3://AKIA:a/b+c@bucket/x", "s3://********@bucket/x"),
        ("'rediss://:p@ss@host' is refused", "'rediss://********@host' is refused"),
        ("https://h/x?access_key=abc&b=1&Token=t", "https://h/x?access_key=********&b=1&Token=********"),
        ("s3_secret_key=zzz ok", "s3_secret_key=******** ok"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ********"),
        ("https://example.com/a?metric=cpu.load", "https://example.com/a?metric=cpu.load"),
        ("the token is missing; basic rules apply", "the token is missing; basic rules apply"),
        ("metric user@host = 3", "metric user@host = 3"),
    ],
)
def test_what_looks_like_a_credential(text, shown):
    assert redact(text) == shown
    assert redact(shown) == shown


@given(
    st.text(min_size=4, max_size=40).filter(lambda text: "*" not in text), st.text(max_size=20), st.text(max_size=20)
)
def test_a_secret_is_masked_wherever_it_stands(secret, before, after):
    Secret(secret)
    for form in (secret, quote(secret, safe="")):
        assert form not in redact(f"{before}{form}{after}")


def test_every_error_and_outcome_is_clean_from_the_start():
    secret = Secret(SENTINEL)
    said = f"the server said: bad password {SENTINEL}, see https://u:{quote(SENTINEL, safe='')}@h"
    for message in (
        str(RidgelineError(said)),
        repr(InputError(said)),
        Outcome("rejected", said).reason,
        str(ConfigError("a.toml", [Problem(("source", "url"), 3, said)])),
        ConfigError("a.toml", [Problem(("source", "url"), 3, said)]).lines[0],
    ):
        assert SENTINEL not in message
        assert quote(SENTINEL, safe="") not in message
        assert "the server said" in message
    assert secret.reveal() == SENTINEL


@pytest.mark.parametrize("kind", [RuntimeError, InputError])
def test_tracebacks_and_bug_reports_are_clean(monkeypatch, capsys, kind):
    Secret(SENTINEL)

    def fail(arguments, **_):
        raise kind(f"cannot: {SENTINEL}") from OSError(f"refused: {SENTINEL}")

    monkeypatch.setattr(cli, "_dispatch", fail)
    assert cli.main(["--debug", "run"]) in {1, 2}
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert "cannot" in printed
    assert SENTINEL not in printed

"""What a translated configuration must not say becomes a comment, and everything else stays."""

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.skyline.mend import mend

SOURCE = """\
[source]
kind = "redis"
url = "unix:///run/redis.sock"
"""
TRANSLATED = f"""\
{SOURCE}
[analysis]
consensus = 99
full_duration = 3600

[[alert]]
match = "*web"
strategy = "console"

[[alert]]
match = "api"
strategy = "console"
expiration = 60

[alerters.http]
url = "gopher://endpoint"
timeout = "5s"

[unheard_of]
of = 1
"""


def test_what_our_reader_refuses_becomes_a_comment(tmp_path):
    text, left_out, needed = mend(TRANSLATED, tmp_path / "ridgeline.toml", {})
    config = parse_config(text.encode(), tmp_path / "ridgeline.toml", {})
    assert (config.analysis.consensus, config.analysis.full_duration) == (6, 3600)
    assert [row.match for row in config.alerts] == ["api"]
    assert needed == []
    lines = text.split("\n")
    assert "# consensus = 99" in lines
    assert '# match = "*web"' in lines
    assert '# url = "gopher://endpoint"' in lines
    assert "# [unheard_of]" in lines
    assert "# of = 1" in lines
    told = "\n".join(left_out)
    for place in ("analysis.consensus", "alert", "alerters.http", "unheard_of"):
        assert place in told


def test_what_is_sound_stays_as_it_is(tmp_path):
    sound = f"{SOURCE}\n[analysis]\nfull_duration = 3600\n"
    assert mend(sound, tmp_path / "ridgeline.toml", {}) == (sound, [], [])


def test_what_is_lacking_is_told_and_nothing_else_goes_for_it(tmp_path):
    text = "[analysis]\nfull_duration = 3600\n"
    mended, left_out, to_do = mend(text, tmp_path / "ridgeline.toml", {})
    assert (mended, left_out) == (text, [])
    assert "source" in to_do[0]

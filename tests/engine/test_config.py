"""The configuration file: every problem at once, at its line; never a traceback, never a secret."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.fields import keys_of
from ridgeline.engine.config.lines import key_lines
from ridgeline.engine.config.load import load_config, parse_config
from ridgeline.engine.config.model import Delivery, Log, Output, Run, Statistics
from ridgeline.engine.config.problems import ConfigError
from ridgeline.engine.config.template import TEMPLATE
from ridgeline.engine.prepare.plan import Preparation
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override
from ridgeline.io.errors import InputError
from ridgeline.io.secret import Secret
from ridgeline.io.sources import load

HERE = Path("ridgeline.toml")
PASSWORD = "s3cr3t-0f-r3d1s"
TOKEN = "t0k3n-0f-h00k"
ENVIRON = {"REDIS_PASSWORD": PASSWORD, "HOOK_TOKEN": TOKEN, "EMPTY": ""}
FULL = """\
[source]
kind = "redis"
url = "unix:///run/redis/redis.sock"
namespace = "metrics."
username = "ridgeline"
password_env = "REDIS_PASSWORD"

[analysis]
full_duration = "24h"
consensus = 5
profile = "earthgecko"
stale_period = 300
algorithms = ["histogram_bins", "first_hour_average", "grubbs", "ks_test", "least_squares"]

[run]
deadline = 55
threads = 2
max_memory = "1GiB"

[[override]]
match = "stats.timers."
consensus = 4
thresholds = { grubbs = 0.01, ks_test = 0.7 }
direction = "up"

[[override]]
match = '^stats\\.[a-z]+'
stale_period = "1h"

[[alert]]
match = "stats."
strategy = "http|console"
expiration = 3600

[alerters.http]
url = "http://127.0.0.1:9000/alert"
token_env = "HOOK_TOKEN"

[output]
directory = "/var/lib/ridgeline"
"""


def messages(text, environ=ENVIRON):
    with pytest.raises(ConfigError) as caught:
        parse_config(text.encode(), HERE, environ)
    assert caught.value.exit_code == 2
    return list(caught.value.lines)


def test_a_full_file_is_read():
    config = parse_config(FULL.encode(), HERE, ENVIRON)
    assert config.source.settings.url == "unix:///run/redis/redis.sock"
    assert config.source.settings.password.reveal() == PASSWORD
    assert config.analysis.full_duration == 86400
    assert config.analysis.profile == "earthgecko"
    assert config.analysis.algorithms[0] == "histogram_bins"
    assert config.run.deadline == 55
    assert config.run.max_memory == 1 << 30
    assert config.overrides == (
        Override("stats.timers.", consensus=4, thresholds=(("grubbs", 0.01), ("ks_test", 0.7)), direction="up"),
        Override(r"^stats\.[a-z]+", stale_period=3600),
    )
    assert config.alerts == (AlertRow("stats.", ("http", "console"), 3600),)
    by_name = {name: (channel.kind, settings) for name, channel, settings in config.alerters.settings}
    assert set(by_name) == {"http", "console"}
    assert by_name["http"][1].token == Secret(TOKEN)
    assert config.output.directory == Path("/var/lib/ridgeline")
    assert config.warnings == ()


def test_nothing_shows_a_secret():
    config = parse_config(FULL.encode(), HERE, ENVIRON)
    shown = f"{config!r} {config} {config.source.settings.password} {config.alerters.settings}"
    assert PASSWORD not in shown
    assert TOKEN not in shown


def test_the_example_is_valid_as_it_stands_and_with_every_line_in_force():
    assert parse_config(TEMPLATE.encode(), HERE, {}).source.settings.url == "redis://127.0.0.1:6379/0"
    values = tomllib.loads(TEMPLATE)
    assert set(values) == {
        "source",
        "analysis",
        "preparation",
        "run",
        "alert",
        "delivery",
        "airgaps",
        "output",
        "statistics",
    }
    assert values["preparation"] == {"counters": "auto"}, "what is recommended, if not the default"
    lines = [
        line[2:] if line.startswith("# ") and ("= " in line or line.startswith("# [")) else line
        for line in TEMPLATE.splitlines()
    ]
    everything = "\n".join(line for line in lines if "_file = " not in line and "modules = " not in line)
    # What is left to complain about must be nothing but the two unset variables and the shortened algorithm lists.
    found = messages(everything, {})
    assert [line.split(": ", 1)[1] for line in found] == [
        "source.password_env: the environment variable RIDGELINE_REDIS_PASSWORD is not set",
        "analysis.consensus: a consensus of 6 cannot be reached by 2 algorithms: lower it, or switch on more",
        "alerters.http.token_env: the environment variable RIDGELINE_HTTP_TOKEN is not set",
        "external_alerts[0].token_env: the environment variable RIDGELINE_RULES_TOKEN is not set",
        "statistics.heartbeat_url_env: the environment variable RIDGELINE_HEARTBEAT is not set",
        "remote[0].password_env: the environment variable RIDGELINE_SKYLINE_2 is not set",
    ]


def test_the_example_names_every_key():
    by_table = [
        *(("source", declared.settings) for declared in load().values()),
        ("analysis", Analysis),
        ("preparation", Preparation),
        ("run", Run),
        ("delivery", Delivery),
        ("output", Output),
        ("[override]", Override),
        ("[alert]", AlertRow),
        ("statistics", Statistics),
        ("log", Log),
    ]
    for table, model in by_table:
        _, _, rest = TEMPLATE.partition(f"[{table}]\n")
        section = rest.partition("\n\n")[0]
        for field in keys_of(model):
            name = {"password": "password_env", "strategies": "strategy", "heartbeat_url": "heartbeat_url_env"}.get(
                field.name, field.name
            )
            assert re.search(rf"^(# )?{name} = |or \"parquet\", with {name} = ", section, re.MULTILINE), (
                f"{table}.{name}"
            )


GOLDEN = [
    (
        """\
[source]
kind = "redys"
url = "redis://:hunter2@localhost/0"
pasword_env = "X"
password = "abc"
[analysis]
full_duration = "24x"
consensus = 10
profile = "nativ"
algorithms = [
  "grubbs",
  "grub",
]
[run]
deadline = true
max_memory = "lots"
[[override]]
match = "a"
consensus = 1000000000000
thresholds = {grubs = 1}
[[override]]
consensus = 3
[[alert]]
match = "x"
strategy = "htp|console"
expiration = 0
[alerters.http]
ur = 3
[outptu]
x = 1
""",
        [
            '2: source.kind: there is no kind of source "redys"; did you mean "redis"?',
            "3: source.url: secrets do not belong in this file: use password_env or password_file (and username)",
            '4: source.pasword_env: there is no such key; did you mean "password_env"?',
            "5: source.password: secrets do not belong in this file: name a variable in password_env or a file in password_file",
            "7: analysis.full_duration: '24x' is not a duration: write seconds (86400) or a number with s, m, h, d or w (24h)",
            "8: analysis.consensus: a consensus of 10 cannot be reached by 9 algorithms: lower it, or switch on more",
            '9: analysis.profile: there is no profile "nativ"; did you mean "native"?',
            '12: analysis.algorithms[1]: there is no algorithm "grub"; did you mean "grubbs"?',
            "15: run.deadline: must be a number",
            "16: run.max_memory: 'lots' is not a size: write bytes (1048576) or a number with KiB, MiB, GiB, KB, MB or GB (2GiB)",
            "19: override[0].consensus: must lie between 1 and 127",
            '20: override[0].thresholds.grubs: there is no such key; did you mean "grubbs"?',
            '21: override[1].match: is missing: name the metrics that this override is for (".*" for all)',
            '25: alert[0].strategy: there is no strategy "htp"; did you mean "http"?',
            "26: alert[0].expiration: 0 is not a usable duration: it must be at least one second and under a century",
            "27: alerters.http.url: is missing: the http alerter needs it",
            '28: alerters.http.ur: there is no such key; did you mean "url"?',
            '29: outptu: there is no such key; did you mean "output"?',
        ],
    ),
    ('[source]\nkind = "redis"\nurl = "redis://h"\nx = \n', ["4: this is not TOML: Invalid value"]),
    ('[source]\nkind = "redis', ["2: this is not TOML: Unterminated string"]),
    ("", ['source: is missing: a [source] table says where the metrics come from (kind = "redis" or "parquet")']),
    ('[source]\nkind = "parquet"\n', ['1: source.path: is missing: kind = "parquet" needs it']),
    ("source = 3\n", ["1: source: must be a table"]),
    ('[source]\nurl = "http://h"\n', ["2: source.url: this is not an address of a Redis; write redis://HOST:PORT/0, rediss://HOST:PORT/0 (TLS) or unix:///PATH"]),
    ('[source]\nurl = "redis://h:x"\n', ["2: source.url: this is not an address of a Redis; write redis://HOST:PORT/0, rediss://HOST:PORT/0 (TLS) or unix:///PATH"]),
    ('[source]\nurl = "redis://h?password=x"\n', ["2: source.url: the address of a Redis takes no option 'password', only db; write redis://HOST:PORT/0, rediss://HOST:PORT/0 (TLS) or unix:///PATH"]),
    ('[source]\nurl = "redis://h"\npassword_env = "NO"\n', ["3: source.password_env: the environment variable NO is not set"]),
    ('[source]\nurl = "redis://h"\npassword_env = "EMPTY"\n', ["3: source.password_env: the environment variable EMPTY is empty"]),
    ('[source]\nurl = "redis://h"\npassword_file = "/nowhere/at/all"\n', ["3: source.password_file: cannot read /nowhere/at/all: No such file or directory"]),
    (
        '[source]\nurl = "redis://h"\n[[override]]\nmatch = "a"\nalgorithms = ["grubbs"]\n',
        ["5: override[0].algorithms: a consensus of 6 cannot be reached by 1 algorithm: lower it, or switch on more"],
    ),
    ('[source]\nurl = "redis://h"\n[analysis]\nalgorithms = ["grubbs"]\n', ["4: analysis.algorithms: a consensus of 6 cannot be reached by 1 algorithm: lower it, or switch on more"]),
    ('[source]\nurl = "redis://h"\n[stale_digest]\n', ['3: stale_digest.strategy: "smtp" needs a table [alerters.smtp] with sender']),
    ('[source]\nurl = "redis://h"\n[stale_digest]\nstrategy = "console|"\nexclude = ["*a"]\n', ['4: stale_digest.strategy: must name strategies, several of them separated by "|"', '5: stale_digest.exclude[0]: "*a" is no pattern, because nothing stands before the first "*": write a for a part of the name, or the expression .*a']),
    ('[source]\nurl = "redis://h"\n[[alert]]\nmatch = "a"\nstrategy = "http"\n', ['5: alert[0].strategy: "http" needs a table [alerters.http] with url']),
    ('[source]\nurl = "redis://h"\n[[alert]]\nmatch = "a"\nstrategy = "slack"\n', ['5: alert[0].strategy: "slack" needs a table [alerters.slack]: token or webhook is needed, and only one of them']),
    ('[source]\nurl = "redis://h"\n[[alert]]\nmatch = "a"\nstrategy = "|"\n', ['5: alert[0].strategy: must name strategies, several of them separated by "|"']),
    (
        '[source]\nurl = "redis://h"\n[[override]]\nmatch = "a"\nthresholds = { grubbs = 1.5 }\n',
        ["5: override[0].thresholds.grubbs: must be a level of significance: at least 1e-300, and below 1 (the default is 0.05)"],
    ),
    (
        '[source]\nurl = "redis://h"\n[[override]]\nmatch = "*cpu*"\n[[alert]]\nmatch = "(cpu"\nstrategy = "console"\n',
        [
            '4: override[0].match: "*cpu*" is no pattern, because nothing stands before the first "*": write cpu for a part of the name, or the expression .*cpu.*',
            '6: alert[0].match: "(cpu" is no regular expression (missing ), unterminated subpattern at position 0): put a backslash before signs that stand for themselves, as in .*\\(cpu',
        ],
    ),
    ('override = [1]\n[source]\nurl = "redis://h"\n', ["1: override[0]: must be a table; write it as [[override]]"]),
    ('[source]\nurl = "redis://h"\n[run]\nthreads = 0x' + "F" * 6000 + "\n", ["4: run.threads: is too large a number"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), GOLDEN, ids=range(len(GOLDEN)))
def test_golden_messages(text, expected):
    separator = ":" if expected[0][0].isdigit() else ": "
    shown = messages(text)
    assert shown == [f"ridgeline.toml{separator}{line}" for line in expected]
    assert "hunter2" not in "".join(shown)


def test_an_alerter_needs_its_table_only_for_what_has_no_default():
    text = '[source]\nurl = "redis://h"\n[[alert]]\nmatch = "a"\nstrategy = "console"\n'
    config = parse_config(text.encode(), HERE, {})
    assert [(name, channel.kind) for name, channel, _ in config.alerters.settings] == [("console", "console")]


def test_two_strategies_of_one_kind():
    text = """\
[source]
url = "redis://h"
[[alert]]
match = "a"
strategy = "day|night"
[alerters.day]
kind = "http"
url = "http://127.0.0.1:1/"
[alerters.night]
kind = "http"
url_env = "HOOK"
"""
    config = parse_config(text.encode(), HERE, {"HOOK": "https://h.example/secret-path"})
    assert [(name, channel.kind) for name, channel, _ in config.alerters.settings] == [
        ("day", "http"),
        ("night", "http"),
    ]
    assert "secret-path" not in repr(config)


def test_secrets_from_files(tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    text = f'[source]\nurl = "redis://h"\npassword_file = "{file}"\n'
    file.chmod(0o600)
    config = parse_config(text.encode(), HERE, {})
    assert config.source.settings.password.reveal() == PASSWORD
    assert config.warnings == ()
    file.chmod(0o644)
    assert parse_config(text.encode(), HERE, {}).warnings == (
        f"ridgeline.toml:3: source.password_file: {file} can be read by every user of this machine (chmod 600 it)",
    )
    both = text + 'password_env = "REDIS_PASSWORD"\n'
    assert messages(both) == [
        "ridgeline.toml:3: source.password_file: give either password_env or password_file, not both"
    ]
    for content, reason in (
        (b"", "is empty"),
        (b"\xff\xfe", "does not hold UTF-8 text"),
        (b"x" * 70_000, "it is larger than 65,536 bytes"),
    ):
        file.write_bytes(content)
        assert reason in messages(text)[0]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"there is no configuration file .*no\.toml; `ridgeline config init"):
        load_config(tmp_path / "no.toml")
    with pytest.raises(InputError, match=r"cannot read the configuration file .*: Is a directory"):
        load_config(tmp_path)
    with pytest.raises(InputError, match=r"cannot read the configuration file a\0b: its name holds a NUL character"):
        load_config(Path("a\0b"))
    with pytest.raises(InputError, match=r"/dev/zero: it is no regular file but a device, a pipe or a socket"):
        load_config(Path("/dev/zero"))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)  # nobody writes into it: whoever opened it to read would wait for ever
    with pytest.raises(InputError, match=r"fifo: it is no regular file but a device, a pipe or a socket"):
        load_config(fifo)
    text = f'[source]\nurl = "redis://h"\npassword_file = "{fifo}"\n'
    assert messages(text) == [
        f"ridgeline.toml:3: source.password_file: cannot read {fifo}: it is no regular file but a device, a pipe or a socket"
    ]
    for named in (f'payload = "template"\ntemplate_file = "{fifo}"', f'ca_file = "{fifo}"'):
        said = messages(f'[source]\nurl = "redis://h"\n[alerters.http]\nurl = "https://h/"\n{named}\n')
        assert len(said) == 1
        assert "it is no regular file" in said[0]
    sparse = tmp_path / "huge.toml"
    with sparse.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match=r"huge.toml: it is larger than 4,194,304 bytes"):
        load_config(sparse)
    with pytest.raises(InputError, match=r"is larger than 4,194,304 bytes"):
        parse_config(b"#" * (5 << 20), HERE)
    binary = tmp_path / "b.toml"
    binary.write_bytes(b'[source]\nurl = "\xff"\n')
    with pytest.raises(ConfigError, match=r"b\.toml:2: is not UTF-8 text"):
        load_config(binary)
    binary.write_text("x = " + "[" * 100_000)
    with pytest.raises(ConfigError, match=r"nested too deeply|not TOML"):
        load_config(binary)


@pytest.mark.parametrize("many", [1_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_very_many_overrides_are_read_in_good_time(many):
    rows = "".join(f'[[override]]\nmatch = "stats.web{n:05d}."\nconsensus = {n % 9 + 1}\n' for n in range(many))
    config = parse_config(f'[source]\nurl = "redis://h"\n{rows}'.encode(), HERE, {})
    assert len(config.overrides) == many
    assert messages(f'[source]\nurl = "redis://h"\n{rows}consensis = 3\n') == [
        f'ridgeline.toml:{3 * many + 3}: override[{many - 1}].consensis: there is no such key; did you mean "consensus"?'
    ]


def test_known_names_are_listed_once():
    text = '[source]\nurl = "redis://h"\n[[alert]]\nmatch = "a"\nstrategy = "zzzz"\n[alerters.syslog]\n[alerters.console]\n'
    (line,) = messages(text)
    listed = line.partition("known: ")[2].split(", ")
    assert len(listed) == len(set(listed)) > 1
    (line,) = messages('[source]\nurl = "redis://h"\n[run]\nqqqqqqqq = 1\n')
    listed = line.partition("known: ")[2].split(", ")
    assert len(listed) == len(set(listed)) > 1


def test_recipients_go_by_patterns():
    text = '[source]\nurl = "redis://h"\n[alerters.smtp]\nsender = "a@b.c"\nrecipients = { PATTERN = ["d@e.f"] }\n'
    (configured,) = parse_config(text.replace("PATTERN", '".*cpu"').encode(), HERE, {}).alerters.settings
    assert configured[2].recipients == {".*cpu": ("d@e.f",)}
    (line,) = messages(text.replace("PATTERN", '"*cpu"'))
    assert line.startswith('ridgeline.toml:5: alerters.smtp.recipients.*cpu: "*cpu" is no pattern')
    assert line.endswith("write cpu for a part of the name, or the expression .*cpu")
    (line,) = messages(text.replace("PATTERN", '"(cpu"'))
    assert '"(cpu" is no regular expression' in line


@pytest.mark.parametrize(
    ("line", "expected"), [("", True), ("memory = false", False), ('memory = "/var/m"', Path("/var/m"))]
)
def test_memory_is_a_path_or_none(line, expected):
    assert parse_config(f'[source]\nurl = "redis://h"\n[analysis]\n{line}'.encode(), HERE).analysis.memory == expected


@pytest.mark.parametrize("value", ["true", "1", '""', "[]", '"a\\u0000b"'])
def test_memory_is_nothing_else(value):
    assert "4: analysis.memory: " in messages(f'[source]\nurl = "redis://h"\n[analysis]\nmemory = {value}\n')[0]


def test_metrics_to_skip_are_patterns():
    text = '[source]\nurl = "redis://h"\n[analysis]\nskip = ["stats.test.", ".*tmp$"]\n'
    assert parse_config(text.encode(), HERE, {}).analysis.skip == ("stats.test.", ".*tmp$")
    assert messages(text.replace('".*tmp$"', '\n"*tmp"')) == [
        'ridgeline.toml:5: analysis.skip[1]: "*tmp" is no pattern, because nothing stands before the first "*": write tmp for a part of the name, or the expression .*tmp'
    ]
    assert messages(text.replace('"stats.test."', "3")) == [
        "ridgeline.toml:4: analysis.skip: must be a list of texts, at least one of them"
    ]


def test_byte_order_mark_and_windows_line_ends():
    text = "\ufeff" + FULL.replace("\n", "\r\n").replace("consensus = 5", "consensus = 55")
    assert messages(text) == [
        "ridgeline.toml:10: analysis.consensus: a consensus of 55 cannot be reached by 5 algorithms: lower it, or switch on more"
    ]  # fmt: skip


MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, len(FULL) - 1), st.integers(0, 12), st.text(alphabet="[]{}=.\"'#\n\\,0aé\x00 ", max_size=6)
    ),
    min_size=1,
    max_size=4,
)


@given(MUTATIONS)
@example([(0, 0, "[[")])
def test_mutated_files_never_break_the_reader_nor_show_a_secret(mutations):
    text = FULL
    for at, removed, inserted in mutations:
        text = text[:at] + inserted + text[at + removed :]
    try:
        shown = repr(parse_config(text.encode(), HERE, ENVIRON))
    except ConfigError as error:
        shown = "\n".join(error.lines)
        assert error.lines  # noqa: PT017 - a file may also stay valid
        assert all(line.startswith("ridgeline.toml") for line in error.lines)  # noqa: PT017
    assert PASSWORD not in shown
    assert TOKEN not in shown


VALUES = st.recursive(
    st.text(max_size=8) | st.integers() | st.floats() | st.booleans() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "source",
        "analysis",
        "run",
        "override",
        "alert",
        "alerters",
        "output",
        "kind",
        "url",
        "path",
        "password",
        "password_env",
        "password_file",
        "consensus",
        "algorithms",
        "thresholds",
        "match",
        "strategy",
        "expiration",
        "deadline",
        "max_memory",
        "http",
        "directory",
        "modules",
        "profile",
        "threads",
    ]
)


def written(value):
    """A value in TOML."""
    import datetime as dt
    import json

    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value).replace("\x7f", "\\u007f")


@given(st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=4) | st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=2), max_size=4))  # fmt: skip
def test_any_values_anywhere_get_an_answer(values):
    text = "".join(f"{key} = {written(value)}\n" for key, value in values.items())
    try:
        tomllib.loads(text)
    except ValueError:
        return  # surrogates, and integers that Python refuses to read
    lines = key_lines(text)
    assert lines == {key: line for key, line in lines.items() if 1 <= line <= text.count("\n")}
    assert {key for key in lines if len(key) == 1} == {(key,) for key in values}
    try:
        parse_config(text.encode(), HERE, {})
    except ConfigError as error:
        assert all("Traceback" not in line for line in error.lines)  # noqa: PT017 - a file may also be valid


def test_lines_of_every_kind_of_key():
    text = """\
# [not.a.table]
top = 1
"quo.ted"."k\\u0065y" = '''
[x]
a = 1'''
[a.b] # comment ]
c = [1, # one
  { d = "]", e = { f = 2 } },
]
[[list]]
x = "#"
[[list]]
[list.sub]
y = 1979-05-27T07:32:00Z
[[list.many]]
[[list.many]]
z = \"\"\"a\"\"\"\"\"
last = -inf
"""
    lines = key_lines(text)
    tomllib.loads(text)
    assert lines == {
        ("top",): 2,
        ("quo.ted",): 3,
        ("quo.ted", "key"): 3,
        ("a",): 6,
        ("a", "b"): 6,
        ("a", "b", "c"): 7,
        ("a", "b", "c", 0): 7,
        ("a", "b", "c", 1): 8,
        ("a", "b", "c", 1, "d"): 8,
        ("a", "b", "c", 1, "e"): 8,
        ("a", "b", "c", 1, "e", "f"): 8,
        ("list",): 10,
        ("list", 0): 10,
        ("list", 0, "x"): 11,
        ("list", 1): 12,
        ("list", 1, "sub"): 13,
        ("list", 1, "sub", "y"): 14,
        ("list", 1, "many"): 15,
        ("list", 1, "many", 0): 15,
        ("list", 1, "many", 1): 16,
        ("list", 1, "many", 1, "z"): 17,
        ("list", 1, "many", 1, "last"): 18,
    }

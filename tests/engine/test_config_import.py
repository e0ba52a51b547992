"""A Skyline settings file becomes a configuration that is valid, without a line of it being executed."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.skyline.importing import import_settings
from ridgeline.engine.config.skyline.settings import parse_settings
from ridgeline.io.errors import InputError, OutputError

NINE = (
    "histogram_bins", "first_hour_average", "stddev_from_average", "grubbs", "ks_test", "mean_subtraction_cumulation",
    "median_absolute_deviation", "stddev_from_moving_average", "least_squares",
)  # fmt: skip
# The settings that an analyzer reads, with the defaults that they are shipped with.
SHIPPED = {
    "REDIS_SOCKET_PATH": "/tmp/redis.sock", "REDIS_PASSWORD": None, "LOG_PATH": "/var/log/skyline", "PID_PATH": "/var/run/skyline",
    "SKYLINE_TMP_DIR": "/tmp/skyline", "FULL_NAMESPACE": "metrics.", "MINI_NAMESPACE": "mini.", "FULL_DURATION": 86400,
    "MINI_DURATION": 3600, "ROOMBA_GRACE_TIME": 600, "MAX_RESOLUTION": 1000, "SERVER_METRICS_NAME": "YOUR_HOSTNAME",
    "GRAPHITE_HOST": "YOUR_GRAPHITE_HOST.example.com", "CARBON_PORT": 2003, "CARBON_PICKLE_PORT": 2004, "ANALYZER_ENABLED": True,
    "ANALYZER_VERBOSE_LOGGING": True, "ANOMALY_DUMP": "webapp/static/dump/anomalies.json", "ANALYZER_PROCESSES": 1,
    "ANALYZER_OPTIMUM_RUN_DURATION": 60, "MAX_ANALYZER_PROCESS_RUNTIME": 56, "STALE_PERIOD": 500, "CUSTOM_STALE_PERIOD": {},
    "ALERT_ON_STALE_METRICS": True, "ALERT_ON_STALE_PERIOD": 300,
    "DO_NOT_ALERT_ON_STALE_METRICS": ["skyline.ionosphere.feature_calculation_time", "skyline.mirage.run_time", "otel.traces"],
    "MIN_TOLERABLE_LENGTH": 100, "MAX_TOLERABLE_BOREDOM": 100, "BOREDOM_SET_SIZE": 1, "ALGORITHMS": list(NINE), "CONSENSUS": 6,
    "RUN_OPTIMIZED_WORKFLOW": True, "ENABLE_ALGORITHM_RUN_METRICS": True, "ENABLE_ALL_ALGORITHMS_RUN_METRICS": False,
    "ENABLE_SECOND_ORDER": False, "ENABLE_ALERTS": True, "ALERTS": (("skyline", "smtp", 1800),), "EXTERNAL_ALERTS": {},
    "ENABLE_MIRAGE": False, "ENABLE_FULL_DURATION_ALERTS": False, "MIRAGE_CHECK_PATH": "/opt/skyline/mirage/check",
    "ENABLE_CRUCIBLE": True, "ANALYZER_CRUCIBLE_ENABLED": False, "CRUCIBLE_CHECK_PATH": "/opt/skyline/crucible/check",
    "CRUCIBLE_DATA_FOLDER": "/opt/skyline/crucible/data", "PANORAMA_ENABLED": True, "PANORAMA_CHECK_PATH": "/opt/skyline/panorama/check",
    "PANORAMA_EXPIRY_TIME": 900, "IDENTIFY_AIRGAPS": False, "MAX_AIRGAP_PERIOD": 21600, "CHECK_AIRGAPS": [], "SKIP_AIRGAPS": [],
    "IDENTIFY_UNORDERED_TIMESERIES": False, "ANALYZER_CHECK_LAST_TIMESTAMP": False, "ANALYZER_SKIP": [],
    "ANALYZER_ANALYZE_LOW_PRIORITY_METRICS": True, "ANALYZER_DYNAMICALLY_ANALYZE_LOW_PRIORITY_METRICS": False,
    "ANALYZER_MAD_LOW_PRIORITY_METRICS": 0, "NON_DERIVATIVE_MONOTONIC_METRICS": [], "MONOTONIC_METRIC_NAMESPACES": [],
    "ZERO_FILL_NAMESPACES": [], "LAST_KNOWN_VALUE_NAMESPACES": ["otel.traces"], "CUSTOM_ALGORITHMS": {}, "DEBUG_CUSTOM_ALGORITHMS": False,
    "SMTP_OPTS": {
        "sender": "skyline@your_domain.com", "recipients": {"skyline": ["you@your_domain.com", "them@your_domain.com"]},
        "default_recipient": ["you@your_domain.com"], "embed-images": True,
        "smtp_server": {"host": "127.0.0.1", "port": 25, "ssl": False, "user": None, "password": None},
    },
    "SYSLOG_ENABLED": True, "SYSLOG_OPTS": {"ident": "skyline", "level": "warn"}, "PAGERDUTY_ENABLED": False, "SLACK_ENABLED": False,
    "HTTP_ALERTERS_ENABLED": False, "HTTP_ALERTERS_OPTS": {}, "AWS_SNS_SMS_ALERTS_ENABLED": False, "PLOT_REDIS_DATA": True,
    "SKIP_LIST": ["example.statsd."], "DO_NOT_SKIP_LIST": [], "OCULUS_HOST": "", "IONOSPHERE_ENABLED": True,
    "BATCH_PROCESSING": False, "BATCH_PROCESSING_NAMESPACES": [], "BATCH_PROCESSING_STALE_PERIOD": 86400,
    "BATCH_METRICS_CUSTOM_FULL_DURATIONS": {}, "CHECK_DATA_SPARSITY": True, "HORIZON_SHARDS": {}, "REMOTE_SKYLINE_INSTANCES": [],
    "MEMCACHE_ENABLED": True, "PANDAS_VERSION": "0.18.1",
}  # fmt: skip
TOKENS = ("r3d1s-p4ss", "xoxb-t0k3n", "pg-r0ut1ng", "h00k-t0k3n", "m41l-p4ss")


def written(settings, tmp_path, extra=""):
    """(configuration, what was said) made of settings given as a dict."""
    source = tmp_path / "settings.py"
    source.write_text("\n".join(f"{name} = {value!r}" for name, value in settings.items()) + f"\n{extra}")
    made = import_settings(source, tmp_path / "ridgeline.toml")
    return load_config(tmp_path / "ridgeline.toml"), made


def toml(tmp_path):
    return tomllib.loads((tmp_path / "ridgeline.toml").read_text())


def test_the_shipped_settings_become_a_valid_configuration(tmp_path):
    config, made = written(SHIPPED, tmp_path)
    assert str(config.source.settings) == "unix:///tmp/redis.sock"
    assert config.source.settings.namespace == "metrics."
    analysis = config.analysis
    assert (analysis.profile, analysis.full_duration, analysis.consensus, analysis.stale_period) == (
        "earthgecko",
        86400,
        6,
        500,
    )
    assert analysis.algorithms == ()
    assert (config.run.deadline, config.agent.run_every) == (55, 60)
    assert config.delivery.pictures == 10
    assert [(row.match, row.strategies, row.expiration, row.recipients) for row in config.alerts] == [
        ("skyline", ("smtp",), 1800, ("no_email",))  # as Skyline: it sends nothing to the shipped addresses
    ]
    assert config.stale_digest.after == 300
    assert "otel.traces" in config.stale_digest.exclude
    assert made.secrets == ()
    said = {line.split(": ")[1]: line.split(": ", 2)[2] for line in made.left_out if line.startswith(str(tmp_path))}
    assert said["IONOSPHERE_ENABLED"] == "Ionosphere's"
    assert said["OCULUS_HOST"] == "Oculus' and Horizon's"
    assert "CONSENSUS" not in said
    assert said["SLACK_ENABLED"] == "no rule of ALERTS uses this channel"
    assert any("the shipped sender" in line for line in made.remarks)


def test_every_line_that_is_left_out_says_where_and_why(tmp_path):
    _, made = written({**SHIPPED, "ANALYZER_SKIP": ["good.", "*bad", 5]}, tmp_path)
    line = list(SHIPPED).index("ANALYZER_SKIP") + 1
    said = [text for text in made.left_out if text.startswith(f"{tmp_path}/settings.py:{line}: ANALYZER_SKIP: ")]
    assert len(said) == 2
    assert toml(tmp_path)["analysis"]["skip"] == ["good."]


def test_channels_and_recipients_are_those_of_each_row(tmp_path):
    alerts = (
        ("stats.web", "smtp", 1800, 168), ("stats.pay", "slack|smtp", 3600), ("stats.pg", "pagerduty", 60), ("sys", "syslog", 0),
        ("hook", "http_alerter-a", 300), ("off", "http_alerter-b", 300), ("quiet", "smtp", 60), ("old", "me@golden.test", 60),
        ("dead", "hipchat", 60), ("none", "carrier-pigeon", 60), "nonsense",
    )  # fmt: skip
    config, made = written(
        {
            **SHIPPED,
            "REDIS_PASSWORD": TOKENS[0],
            "ENABLE_MIRAGE": True,
            "ALERTS": alerts,
            "SLACK_ENABLED": True,
            "SLACK_OPTS": {
                "bot_user_oauth_access_token": TOKENS[1], "channels": {"stats.pay": ("#pay", "ops")},
                "channel_ids": {"#pay": "C123"}, "default_channel": "general", "default_channel_id": "C999",
            },
            "PAGERDUTY_ENABLED": True,
            "PAGERDUTY_OPTS": {"key": TOKENS[2]},
            "HTTP_ALERTERS_ENABLED": True,
            "HTTP_ALERTERS_OPTS": {
                "http_alerter-a": {"enabled": True, "endpoint": "http://127.0.0.1:9000/alert", "token": TOKENS[3]},
                "http_alerter-b": {"enabled": False, "endpoint": "http://127.0.0.1:9000/alert"},
            },
            "SMTP_OPTS": {
                "sender": "skyline@golden.test", "recipients": {"stats.web": ["a@golden.test", "b@golden.test"], "quiet": "no_email"},
                "default_recipient": "ops@golden.test", "embed-images": False,
                "smtp_server": {"host": "mail.golden.test", "port": 465, "ssl": True, "user": "us", "password": TOKENS[4]},
            },
        },
        tmp_path,
    )  # fmt: skip
    assert [
        (row.match, row.strategies, row.expiration, row.recipients, row.second_order_hours) for row in config.alerts
    ] == [
        ("stats.web", ("smtp",), 1800, ("a@golden.test", "b@golden.test"), 168),
        ("stats.pay", ("slack",), 3600, ("C123", "ops"), 0),
        ("stats.pay", ("smtp",), 3600, (), 0),
        ("stats.pg", ("pagerduty",), 60, (), 0),
        ("sys", ("syslog",), 1, (), 0),
        ("hook", ("http_alerter-a",), 300, (), 0),
        ("quiet", ("smtp",), 60, ("no_email",), 0),
        ("old", ("smtp",), 60, ("me@golden.test",), 0),
    ]
    channels = {name: settings for name, _, settings in config.alerters.settings}
    assert config.delivery.pictures == 0
    assert (channels["smtp"].host, channels["smtp"].port, channels["smtp"].security) == ("mail.golden.test", 465, "tls")
    assert channels["smtp"].default_recipients == ("ops@golden.test",)
    assert channels["slack"].default_recipients == ("C999",)
    assert channels["http_alerter-a"].payload == "skyline"
    left = "\n".join(made.left_out)
    for pattern, why in {"off": "not enabled", "dead": "HipChat is no more", "none": "no such alerter"}.items():
        assert any(f"'{pattern}' by" in line and why in line for line in made.left_out), left
    assert "'nonsense' is no (pattern, alerter, seconds)" in left


def test_secrets_go_to_files_of_their_own(tmp_path, capsys):
    settings = tmp_path / "settings.py"
    settings.write_text(f"REDIS_PASSWORD = {TOKENS[0]!r}\n")
    assert main(["config", "import", str(settings), str(tmp_path / "r.toml")]) == 0
    said = capsys.readouterr().out
    folder = tmp_path / "r.toml.secrets"
    assert [path.read_text() for path in folder.iterdir()] == [f"{TOKENS[0]}\n"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert load_config(tmp_path / "r.toml").source.settings.password.reveal() == TOKENS[0]
    assert TOKENS[0] not in said + (tmp_path / "r.toml").read_text()
    assert main(["config", "import", str(settings), "-"]) == 0
    shown = capsys.readouterr()
    assert 'password_env = "RIDGELINE_SOURCE_PASSWORD"' in shown.out
    assert TOKENS[0] not in shown.out + shown.err
    assert "set RIDGELINE_SOURCE_PASSWORD" in shown.err


CLUSTER = """
HORIZON_SHARDS = {"one": 0, "two": 1}
REMOTE_SKYLINE_INSTANCES = [
    ["http://10.0.0.1:1500", "admin", "p33r-0ne", "one"],
    ["https://two.example.com", None, None, "two"],
    ["https://again.example.com", "admin", "p33r-tw0", "two"],
    ["https://admin:p33r-thr33@three.example.com", None, None, "three"],
    "nonsense", [], [7],
]
SYNC_CLUSTER_FILES = True
IONOSPHERE_DATA_FOLDER = "/srv/ionosphere/data/"
IONOSPHERE_PROFILES_FOLDER = "/srv/ionosphere/features_profiles"
"""


def test_a_cluster_becomes_remote_instances(tmp_path):
    (tmp_path / "settings.py").write_text(CLUSTER)
    imported = import_settings(tmp_path / "settings.py", tmp_path / "ridgeline.toml")
    config = load_config(tmp_path / "ridgeline.toml")
    one, two = config.remotes
    assert (one.name, str(one.base), one.username, one.password.reveal()) == (
        "one",
        "http://10.0.0.1:1500",
        "admin",
        "p33r-0ne",
    )
    assert (two.name, str(two.base), two.username, two.password) == ("two", "https://two.example.com", "", None)
    assert config.remote_files.directory == Path("/srv/ionosphere")
    told = "\n".join([imported.text, *imported.left_out, *imported.remarks])
    assert "p33r" not in told
    assert [line.split(": ", 2)[2][:7] for line in imported.left_out] == [
        "entry 3",
        "entry 4",
        "entry 5",
        "entry 6",
        "entry 7",
    ]
    (secret,) = imported.folder.iterdir()
    assert (secret.name, secret.stat().st_mode & 0o777) == ("remote_1_password", 0o600)


@pytest.mark.parametrize(
    "folders", ["", 'IONOSPHERE_DATA_FOLDER = "/a/data"', 'IONOSPHERE_DATA_FOLDER = "/opt/skyline/ionosphere/d"']
)
def test_folders_of_files_are_one_or_to_be_chosen(tmp_path, folders):
    text = f'REMOTE_SKYLINE_INSTANCES = [["http://10.0.0.1", "", "", "a"]]\nSYNC_CLUSTER_FILES = True\n{folders}\n'
    (tmp_path / "settings.py").write_text(text)
    imported = import_settings(tmp_path / "settings.py", tmp_path / "ridgeline.toml")
    directory = load_config(tmp_path / "ridgeline.toml").remote_files.directory
    assert directory == (None if folders else Path("/opt/skyline/ionosphere"))
    assert any("SYNC_CLUSTER_FILES" in line for line in imported.left_out) == bool(folders)


def test_nothing_is_overwritten(tmp_path, capsys):
    settings = tmp_path / "settings.py"
    settings.write_text(f"REDIS_PASSWORD = {TOKENS[0]!r}\n")
    (tmp_path / "r.toml").write_text("mine")
    assert main(["config", "import", str(settings), str(tmp_path / "r.toml")]) == 2
    assert (tmp_path / "r.toml").read_text() == "mine"
    (tmp_path / "s.toml.secrets").mkdir()
    assert main(["config", "import", str(settings), str(tmp_path / "s.toml")]) == 74
    assert not (tmp_path / "s.toml").exists()
    assert "exists already" in capsys.readouterr().err
    with pytest.raises(OutputError):
        import_settings(settings, tmp_path / "none" / "r.toml")


def test_the_documentation_maps_every_setting(root):
    page = (root / "docs" / "from-skyline.md").read_text()
    table = page[page.index("## Settings") :]
    families = tuple(re.findall(r"`([A-Z]+_)\*`", table))
    assert [name for name in SHIPPED if f"`{name}`" not in table and not name.startswith(families)] == []


# Nothing is executed --------------------------------------------------------------------------------------------------


READ = {
    "A = 1 + 2 * 3": 7,
    "A = 86400 / 2 - 1 // 1": 43199.0,
    "B = 'x'\nA = 'a.%s.%d.%%' % (B, 5)": "a.x.5.%",
    "B = 'x'\nA = f'a.{B}.b'": "a.x.b",
    "B = [1]\nB += [2]\nA = B + [3]": [1, 2, 3],
    "B = {'a': (1, 2)}\nA = B['a'][1]": 2,
    "A: int = -5": -5,
    "A = not True": False,
    "A = int('5')": 5,
    "import os\nA = os.environ.get('HOME', '/opt')": "/opt",
    "A = {1, 2}": (1, 2),
    "A = ('a'\n     'b')": "ab",
    "A = 1\nA = 2": 2,
}


@pytest.mark.parametrize("text", READ)
def test_plain_expressions_have_their_values(text):
    assert parse_settings(text.encode(), "s.py").get("A") == READ[text]


UNREAD = {
    "a call": "A = open('/etc/passwd').read()",
    "an import": "A = __import__('os').system('true')",
    "a power": "A = 9 ** 9 ** 9",
    "a shift": "A = 1 << 99999999",
    "a repeated text": "A = 'x' * 999999999",
    "a repeated list": "A = [0] * 999999999",
    "a wide format": "A = '%999999999d' % 1",
    "a wide template": "A = f'{1:>999999999}'",
    "a huge number": f"A = {'9' * 4000}",
    "an infinite one": "A = 1e999",
    "a division by nothing": "A = 1 / 0",
    "a comprehension": "A = [x for x in range(999999999)]",
    "a lambda": "A = (lambda: 5)()",
    "a walrus": "A = (B := 5)",
    "an unknown name": "A = B",
    "an attribute": "A = (1).__class__",
    "a missing key": "A = {}['a']",
    "an unhashable key": "A = {[]: 1}",
    "bytes": "A = b'abc'",
    "a complex number": "A = 5j",
    "an ellipsis": "A = ...",
    "a condition": "A = 1 if True else 2",
    "a comparison": "A = 1 < 2",
    "an unpacking": "A = {**{}}",
    "too few to format": "A = '%s %s' % ('x',)",
    "too many to format": "A = '%s' % ('x', 'y')",
    "another environment": "import os\nA = os.environ['HOME']",
    "mixed addition": "A = 'a' + 1",
    "a doubling text": "A = 'x' * 1\nA = 'abcdefghij'\n" + "A = A + A\n" * 60,
    "a doubling list": "A = [1]\n" + "A = A + A\n" * 60,
    "a list within lists": "A = [1]\n" + "A = [A, A]\n" * 60,
    "a deep list": "A = [1]\n" + "A = [A]\n" * 200,
    "a deep expression": "A = " + "-" * 500 + "1",
    "a redefinition by code": "A = 1\nif True:\n    A = 2",
    "a deletion": "A = 1\ndel A",
    "a change within": "A = {}\nA['a'] = 1",
    "a loop": "A = 1\nfor A in range(5):\n    pass",
}


@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD.keys())
def test_what_would_have_to_be_executed_is_not_read(text):
    settings = parse_settings(text.encode(), "s.py")
    assert "A" not in settings.names
    assert settings.problems
    assert all(len(why) < 300 for _, _, why in settings.problems)


HOSTILE = {
    "no Python": b"this is not",
    "deep brackets": b"A = " + b"(" * 50_000,
    "deep lists": b"A = " + b"[" * 50_000 + b"]" * 50_000,
    "many signs": b"A = " + b"-" * 99_000 + b"1",
    "a long sum": b"A = 1" + b"+1" * 49_000,
    "a long chain": b"A = a" + b".a" * 49_000,
    "calls of calls": b"A = a" + b"()" * 49_000,
    "a huge number": b"A = " + b"9" * 90_000,
    "a long line": b"A = '" + b"x" * 200_000 + b"'",
    "a NUL": b"A = 1\0",
    "another coding": b"# coding: no-such-codec\nA = 1",
    "bytes": bytes(range(256)),
    "nothing": b"",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_a_sentence_or_is_passed_over(raw, tmp_path, capsys):
    path = tmp_path / "settings.py"
    path.write_bytes(raw)
    code = main(["config", "import", str(path), str(tmp_path / "r.toml")])
    shown = capsys.readouterr()
    assert code in {0, 2}
    if code:
        assert len(shown.err.splitlines()) == 1
        assert "bug" not in shown.err
    else:
        load_config(tmp_path / "r.toml")


def test_code_is_not_executed(tmp_path):
    mark = tmp_path / "mark"
    code = f"""
import os
os.system("touch {mark}")
open({str(mark)!r}, "w")
CONSENSUS = (lambda: open({str(mark)!r}, "w"))() or 6
class Evil:
    open({str(mark)!r}, "w")
exec("open({str(mark)!r}, 'w')")
"""
    _, made = written(SHIPPED, tmp_path, code)
    assert not mark.exists()
    assert (tmp_path / "ridgeline.toml").exists()
    assert any(": CONSENSUS: it would have to be executed" in line for line in made.left_out)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner, inner) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(sorted({*SHIPPED, "SLACK_OPTS", "PAGERDUTY_OPTS", "SMS_ALERT_OPTS"})), PLAIN, max_size=12
    )
)
def test_whatever_the_values_are_the_result_is_valid(tmp_path_factory, values):
    folder: Path = tmp_path_factory.mktemp("import")
    source = folder / "settings.py"
    source.write_text(
        "\n".join(f"{name} = {value!r}" for name, value in values.items()), encoding="utf-8", errors="replace"
    )
    try:
        import_settings(source, folder / "ridgeline.toml")
    except InputError:  # a lone surrogate, say, is written as what is no Python
        return
    load_config(folder / "ridgeline.toml")


def test_stale_periods_decide_as_in_skyline(tmp_path):
    """Those with the most dotted elements first, of them the first one; here the last that matches."""
    periods = {"a": 600, "a.b": 700, "c": 800, "a.d": 900, "a.b.c": 1000}
    path = tmp_path / "settings.py"
    path.write_text(f"CUSTOM_STALE_PERIOD = {periods!r}\n")
    text = import_settings(path, None).text
    assert [one["match"] for one in tomllib.loads(text)["override"]] == ["c", "a", "a.d", "a.b", "a.b.c"]
    assert tomllib.loads(text)["agent"]["manage_every"] == 300


@pytest.mark.parametrize(("switched_on", "every"), [(True, 60), (False, None)])
def test_what_skyline_leaves_to_batch_the_agent_does_too(tmp_path, switched_on, every):
    path = tmp_path / "settings.py"
    path.write_text(f"BATCH_PROCESSING = {switched_on}\nBATCH_PROCESSING_NAMESPACES = ['jobs.']\n")
    told = tomllib.loads(import_settings(path, None).text)
    assert told["agent"].get("batch_every") == every
    assert told.get("batch", {}).get("match") == (["jobs."] if switched_on else None)

"""The recorded Skyline's settings, brought over by `ridgeline config import` as an operator would; on loopback only."""

import pprint

from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.skyline.importing import import_settings

ALERTS = (
    ("mirage.", "smtp", 600, 168),
    ("app.anom.mail", "smtp", 300),
    ("app.anom", "http_alerter-golden", 300),
    ("app.anom.twice", "http_alerter-golden", 900),
    ("idfour.", "http_alerter-golden", 300, 24),
    ("mixed.anom", "http_alerter-golden", 300),
    ("mirage.anom", "syslog", 600),
    ("app", "syslog", 600),
    (r"regex\.host-[0-9]+\.cpu$", "syslog", 600),
    ("prod.errors", "syslog", 600),
    ("day.anom", "syslog", 600, 24),
    ("batch.", "syslog", 600),
    ("skip.", "syslog", 600),
    ("api.", "syslog", 600),
)
NO_BATCH = {"BATCH_PROCESSING": False}
NO_AIRGAPS = {"IDENTIFY_AIRGAPS": False, "IDENTIFY_UNORDERED_TIMESERIES": False}
VARIANTS = {
    "ionosphere": {"IONOSPHERE_ENABLED": True},
    "lean": {
        **NO_BATCH,
        **NO_AIRGAPS,
        "ENABLE_CRUCIBLE": False,
        "ENABLE_MIRAGE": False,
        "PANORAMA_ENABLED": False,
        "HTTP_ALERTERS_ENABLED": False,
        "ANALYZER_SKIP": [],
        "SYSLOG_OPTS": {"ident": "skyline", "level": "notice"},
    },
    "options": {
        **NO_BATCH,
        **NO_AIRGAPS,
        "ANALYZER_PROCESSES": 2,
        "ENABLE_FULL_DURATION_ALERTS": True,
        "ANALYZER_CHECK_LAST_TIMESTAMP": True,
        "ENABLE_ALL_ALGORITHMS_RUN_METRICS": True,
    },
    "second_order": {**NO_BATCH, **NO_AIRGAPS, "ENABLE_SECOND_ORDER": True, "ENABLE_CRUCIBLE": False},
    "expiry_zero": {
        **NO_BATCH,
        **NO_AIRGAPS,
        "ENABLE_CRUCIBLE": False,
        "ALERTS": (("app.anom.twice", "syslog", 600), ("app.anom.plain", "syslog", 0), ("app", "syslog", 600)),
    },
    "expiry_zero_first": {
        **NO_BATCH,
        **NO_AIRGAPS,
        "ENABLE_CRUCIBLE": False,
        "ALERTS": (("app.anom.plain", "syslog", 0), ("app", "syslog", 600)),
    },
}


def settings(name, places):
    """By name, what the recording's settings.py said where it was not Skyline's own default."""
    folder = places["folder"]
    host, port = places["carbon"]
    return {
        "REDIS_SOCKET_PATH": places["redis"],
        "ALERTS": ALERTS,
        "HTTP_ALERTERS_ENABLED": True,
        "HTTP_ALERTERS_OPTS": {
            "http_alerter-golden": {"enabled": True, "endpoint": f"{places['http']}alert", "token": "golden-token"}
        },
        "SYSLOG_ENABLED": True,
        "SYSLOG_OPTS": {"ident": "skyline", "level": "warn"},
        "SMTP_OPTS": {
            "sender": "skyline@golden.test",
            "recipients": {"mirage.anom": ["no_email"], "app.anom.mail": ["ops@golden.test", "cc@golden.test"]},
            "default_recipient": ["ops@golden.test"],
            "embed-images": False,
            "smtp_server": {"host": "127.0.0.1", "port": places["smtp"], "ssl": False, "user": None, "password": None},
        },
        "ENABLE_MIRAGE": True,
        "ENABLE_CRUCIBLE": True,
        "ANALYZER_CRUCIBLE_ENABLED": True,
        "PANORAMA_ENABLED": True,
        "IONOSPHERE_ENABLED": False,
        "MIRAGE_CHECK_PATH": f"{folder}/MIRAGE_CHECK_PATH",
        "PANORAMA_CHECK_PATH": f"{folder}/PANORAMA_CHECK_PATH",
        "CRUCIBLE_CHECK_PATH": f"{folder}/CRUCIBLE_CHECK_PATH",
        "CRUCIBLE_DATA_FOLDER": f"{folder}/CRUCIBLE_DATA_FOLDER",
        "ANOMALY_DUMP": f"{folder}/ANOMALY_DUMP_DIR/anomalies.json",
        "IDENTIFY_AIRGAPS": True,
        "IDENTIFY_UNORDERED_TIMESERIES": True,
        "CHECK_AIRGAPS": ["app."],
        "BATCH_PROCESSING": True,
        "BATCH_PROCESSING_NAMESPACES": ["batch."],
        "ANALYZER_SKIP": ["skip.me"],
        "CUSTOM_STALE_PERIOD": {"custom.stale": 7200},
        "NON_DERIVATIVE_MONOTONIC_METRICS": ["app.counter.excluded"],
        "ZERO_FILL_NAMESPACES": ["app.fill.zero"],  # what the recorded sets of metrics_manager come from
        "LAST_KNOWN_VALUE_NAMESPACES": ["app.fill.lkv"],
        "SERVER_METRICS_NAME": "golden",
        "CANARY_METRIC": "skyline.horizon.golden.worker.metrics_received",
        "SKYLINE_METRICS_CARBON_HOST": host,
        "SKYLINE_METRICS_CARBON_PORT": port,
        **VARIANTS.get(name, {}),
    }


def configuration(name, places, folder):
    """The configuration of a recording, and what importing it said; `places` are where servers and folders are."""
    source, target = folder / "settings.py", folder / "ridgeline.toml"
    found = settings(name, places)
    source.write_text("".join(f"{key} = {pprint.pformat(value)}\n" for key, value in found.items()))
    imported = import_settings(source, target)
    text = imported.text.replace("[alerters.syslog]\n", f'[alerters.syslog]\naddress = "unix://{places["syslog"]}"\n')
    target.write_text(text)
    return load_config(target), imported

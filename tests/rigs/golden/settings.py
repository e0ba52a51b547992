"""Ridgeline's configurations that say what the recorded Skyline's settings said, one for each recording."""

import json

SOURCE = """\
[source]
kind = "redis"
url = "{url}"
[run]
deadline = 50
threads = 2
[delivery]
pictures = 0
"""
RULES = (  # ALERTS in its own order: pattern, alerter, expiration, second order resolution hours
    ("mirage.", "smtp", 600, 168),
    ("app.anom.mail", "smtp", 300, 0),
    ("app.anom", "http_alerter-golden", 300, 0),
    ("app.anom.twice", "http_alerter-golden", 900, 0),
    ("idfour.", "http_alerter-golden", 300, 24),
    ("mixed.anom", "http_alerter-golden", 300, 0),
    ("mirage.anom", "syslog", 600, 0),
    ("app", "syslog", 600, 0),
    (r"regex\.host-[0-9]+\.cpu$", "syslog", 600, 0),
    ("prod.errors", "syslog", 600, 0),
    ("day.anom", "syslog", 600, 24),
    ("batch.", "syslog", 600, 0),
    ("skip.", "syslog", 600, 0),
    ("api.", "syslog", 600, 0),
)
ALERTS = {  # an expiration of 0 is refused: 1 is the least
    "expiry_zero": (
        ("app.anom.twice", "syslog", 600, 0),
        ("app.anom.plain", "syslog", 1, 0),
        ("app", "syslog", 600, 0),
    ),
    "expiry_zero_first": (("app.anom.plain", "syslog", 1, 0), ("app", "syslog", 600, 0)),
}
ALERTERS = """\
[alerters.http_alerter-golden]
kind = "http"
url = "{http}alert"
token_env = "GOLDEN_TOKEN"
payload = "skyline"
[alerters.syslog]
address = "unix://{syslog}"
ident = "skyline"
level = "{level}"
[alerters.smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "skyline@golden.test"
default_recipients = ["ops@golden.test"]
"""
RECIPIENTS = {"app.anom.mail": ["ops@golden.test", "cc@golden.test"]}  # Skyline finds them by the rule's own pattern
TOKEN = {"GOLDEN_TOKEN": "golden-token"}
STALE = '[[override]]\nmatch = "custom.stale"\nstale_period = 7200\n'


def configuration(name, places):
    """The text of the configuration of a recording; `places` are where its servers and folders are."""
    analysis = ['profile = "earthgecko"']
    if name != "lean":
        analysis.append('skip = ["skip.me"]')
    if name == "options":
        analysis.append("all_votes = true")
    rules = [rule for rule in ALERTS.get(name, RULES) if name != "lean" or not rule[1].startswith("http")]
    level = "notice" if name == "lean" else "warn"
    return "\n".join(
        (
            SOURCE.format(**places),
            "[analysis]",
            *analysis,
            STALE,
            *map(_rule, rules),
            ALERTERS.format(**places, level=level),
        )
    )


def _rule(rule):
    match, strategy, expiration, hours = rule
    lines = [
        "[[alert]]",
        f"match = '{match}'",
        f'strategy = "{strategy}"',
        f"expiration = {expiration}",
        "group = false",
    ]
    if hours:
        lines.append(f"second_order_hours = {hours}")
    if strategy == "smtp" and match in RECIPIENTS:
        lines.append(f"recipients = {json.dumps(RECIPIENTS[match])}")
    return "\n".join((*lines, ""))

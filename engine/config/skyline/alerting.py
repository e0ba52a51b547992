"""What Skyline's settings say of alerts: rows, and the channels that they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ridgeline.engine.config.skyline.analysis import is_pattern
from ridgeline.engine.config.skyline.draft import Draft
from ridgeline.engine.config.skyline.settings import Settings

NOBODY: Final = "no_email"
SENDER: Final = "skyline@localhost"
# Addresses that stand in the shipped settings for one's own.
PLACEHOLDERS: Final = ("example.com", "your_domain.com")
SWITCHES: Final = {
    "syslog": ("SYSLOG_ENABLED", True),
    "pagerduty": ("PAGERDUTY_ENABLED", False),
    "slack": ("SLACK_ENABLED", False),
    "sms": ("AWS_SNS_SMS_ALERTS_ENABLED", False),
}
HTTP: Final = "http_alerter"


def translate_alerts(settings: Settings, draft: Draft) -> None:
    """`[[alert]]` rows in their order, then `[alerters.NAME]` for each channel that one of them uses."""
    rows = settings.typed("ALERTS", (list, tuple), ())
    if not settings.get("ENABLE_ALERTS", default=True):
        draft.drop("ALERTS", "ENABLE_ALERTS is False")
        return
    used: dict[str, None] = {}
    for row in rows:
        for strategy in _translate_row(row, settings, draft):
            used[strategy] = None
    if settings.get("ALERT_ON_STALE_METRICS", default=True) and "smtp" in used:
        _stale_digest(settings, draft)
    for strategy in used:
        _CHANNELS.get(HTTP if HTTP in strategy else strategy, _no_table)(strategy, settings, draft)


def _translate_row(row: Any, settings: Settings, draft: Draft) -> list[str]:
    """One tuple of ALERTS: a row for each of its strategies, because recipients differ from one to the next."""
    if not isinstance(row, list | tuple) or len(row) < 3:
        draft.drop("ALERTS", f"{row!r:.80} is no (pattern, alerter, seconds)")
        return []
    pattern, named, seconds = row[:3]
    if not is_pattern(pattern, draft, "ALERTS"):
        return []
    if not isinstance(named, str) or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        draft.drop("ALERTS", f"{row!r:.80} is no (pattern, alerter, seconds)")
        return []
    if seconds < 1:
        draft.say(f"ALERTS: {pattern!r} by {named!r} expires after {seconds:g} s, which became 1 s")
    hours = row[3] if len(row) > 3 and isinstance(row[3], int) and not isinstance(row[3], bool) else None
    found = []
    for strategy in dict.fromkeys(part.strip() for part in named.split("|")):
        off = _switched_off(strategy, settings)
        if off:
            draft.drop("ALERTS", f"{pattern!r} by {strategy!r}: {off}")
            continue
        address = "@" in strategy
        draft.row(
            "alert",
            {
                "match": pattern,
                "strategy": "smtp" if address else strategy,
                "expiration": max(int(seconds), 1),
                "recipients": [strategy] if address else _recipients(strategy, pattern, settings),
                "second_order_hours": hours if hours and settings.get("ENABLE_MIRAGE", default=False) else None,
            },
            f"ALERTS {tuple(row)!r:.60}",
        )
        found.append("smtp" if address else strategy)
    return found


def _switched_off(strategy: str, settings: Settings) -> str:
    """Why a strategy does nothing in Skyline either; "" where it does."""
    if HTTP in strategy:
        return _http_off(strategy, settings)
    if strategy in SWITCHES:
        name, usual = SWITCHES[strategy]
        return "" if settings.get(name, usual) else f"{name} is not True"
    if strategy == "smtp" or "@" in strategy:
        return ""
    if strategy == "hipchat":
        return "HipChat is no more; [alerters.hipchat] is for self-hosted servers"
    return "there is no such alerter"


def _http_off(strategy: str, settings: Settings) -> str:
    if not settings.get("HTTP_ALERTERS_ENABLED", default=False):
        return "HTTP_ALERTERS_ENABLED is not True"
    options = _dict(settings.typed("HTTP_ALERTERS_OPTS", dict, {}).get(strategy))
    if not options.get("endpoint"):
        return "HTTP_ALERTERS_OPTS has no endpoint for it"
    return "" if options.get("enabled") else "it is not enabled in HTTP_ALERTERS_OPTS"


def _recipients(strategy: str, pattern: str, settings: Settings) -> list[str] | None:
    """The recipients that Skyline looks up by the very pattern of the row."""
    options = {"smtp": ("SMTP_OPTS", "recipients"), "slack": ("SLACK_OPTS", "channels")}
    if strategy not in options:
        return None
    name, key = options[strategy]
    found = _dict(settings.typed(name, dict, {}).get(key)).get(pattern)
    if strategy == "slack":
        return [_channel(one, settings) for one in _texts(found)] or None
    return _people(found) or None


def _channel(name: str, settings: Settings) -> str:
    """A channel's id where the settings know it."""
    return str(_dict(settings.typed("SLACK_OPTS", dict, {}).get("channel_ids")).get(name) or name)


def _smtp(strategy: str, settings: Settings, draft: Draft) -> None:
    options = settings.typed("SMTP_OPTS", dict, {})
    table = ("alerters", strategy)
    server = _dict(options.get("smtp_server"))
    sender = str(options.get("sender") or settings.get("ALERT_SENDER") or SENDER)
    if _is_placeholder(sender):
        draft.say(f"SMTP_OPTS names the shipped sender {sender}; it became {SENDER}")
    draft.put(table, "sender", SENDER if _is_placeholder(sender) else sender, "SMTP_OPTS")
    draft.put(table, "host", str(server.get("host") or "127.0.0.1"))
    port = server.get("port")
    draft.put(table, "port", port if isinstance(port, int) and 0 < port < 65536 else 25)
    user, password = server.get("user"), server.get("password")
    secure = "tls" if server.get("ssl") else "starttls" if user else "none"
    draft.put(table, "security", secure, "smtp_server.ssl")
    if user and password:
        draft.put(table, "username", str(user))
        draft.secret(table, "password", str(password), "SMTP_OPTS")
    if secure != "tls":
        draft.say(
            f'[alerters.{strategy}] security is "{secure}"; "starttls" or "tls" are what mail servers offer today'
        )
    if not options.get("embed-images", True):
        draft.put("delivery", "pictures", 0, "SMTP_OPTS embed-images")
    draft.put(table, "default_recipients", _people(options.get("default_recipient")) or [NOBODY])


def _people(value: Any) -> list[str]:
    """Mail addresses as Skyline goes by them: nobody has it where the first is one of the shipped settings."""
    found = _texts(value)
    if found and (found[0] == NOBODY or _is_placeholder(found[0])):
        return [NOBODY]
    return [one for one in found if not _is_placeholder(one)]


def _is_placeholder(address: str) -> bool:
    return any(holder in address for holder in PLACEHOLDERS)


def _slack(strategy: str, settings: Settings, draft: Draft) -> None:
    options = settings.typed("SLACK_OPTS", dict, {})
    table = ("alerters", strategy)
    draft.secret(table, "token", str(options.get("bot_user_oauth_access_token") or "unknown"), "SLACK_OPTS")
    usual = options.get("default_channel_id") or _channel(str(options.get("default_channel") or "general"), settings)
    draft.put(table, "default_recipients", [str(usual)], "SLACK_OPTS")


def _pagerduty(strategy: str, settings: Settings, draft: Draft) -> None:
    options = settings.typed("PAGERDUTY_OPTS", dict, {})
    draft.secret(("alerters", strategy), "routing_key", str(options.get("key") or "unknown"), "PAGERDUTY_OPTS")
    draft.say("PAGERDUTY_OPTS key was one of Events API v1: the integration must be of type Events API v2")


def _syslog(strategy: str, settings: Settings, draft: Draft) -> None:
    options = settings.typed("SYSLOG_OPTS", dict, {})
    table = ("alerters", strategy)
    ident, level = str(options.get("ident") or "skyline"), options.get("level")
    draft.put(
        table,
        "ident",
        "".join(c for c in ident if c.isascii() and c.isprintable() and c != " ")[:48] or "skyline",
        "SYSLOG_OPTS",
    )
    draft.put(table, "level", level if level in {"warn", "notice", "info"} else "warn")


def _http(strategy: str, settings: Settings, draft: Draft) -> None:
    options = _dict(settings.typed("HTTP_ALERTERS_OPTS", dict, {}).get(strategy))
    table = ("alerters", strategy)
    draft.put(table, "kind", "http")
    draft.put(table, "url", str(options["endpoint"]), "HTTP_ALERTERS_OPTS")
    draft.put(table, "payload", "skyline")
    if options.get("token"):
        draft.secret(table, "token", str(options["token"]), "HTTP_ALERTERS_OPTS")


def _sms(strategy: str, settings: Settings, draft: Draft) -> None:
    options = settings.typed("SMS_ALERT_OPTS", dict, {})
    numbers = {str(name): str(number) for name, number in _dict(options.get("recipients")).items()}
    table = ("alerters", strategy)
    draft.put(table, "region", "us-east-1")
    draft.say(f"[alerters.{strategy}] region: Skyline left it to boto3's own configuration; name yours")
    by_pattern = {
        pattern: [numbers[name] for name in _texts(names) if name in numbers]
        for pattern, names in _dict(options.get("namespaces")).items()
        if is_pattern(pattern, draft, "SMS_ALERT_OPTS")
    }
    draft.put(table, "recipients", {pattern: found for pattern, found in by_pattern.items() if found}, "SMS_ALERT_OPTS")
    if settings.get("SMS_ALERTS_SCHEDULE"):
        draft.drop("SMS_ALERTS_SCHEDULE", "give the [[alert]] rows a schedule")


def _no_table(strategy: str, settings: Settings, draft: Draft) -> None:
    """A strategy that needs none."""


def _stale_digest(settings: Settings, draft: Draft) -> None:
    draft.put("stale_digest", "strategy", "smtp", "ALERT_ON_STALE_METRICS")
    draft.put("stale_digest", "after", settings.typed("ALERT_ON_STALE_PERIOD", int, 300), "ALERT_ON_STALE_PERIOD")
    excluded = [
        one
        for one in settings.typed("DO_NOT_ALERT_ON_STALE_METRICS", (list, tuple), ())
        if is_pattern(one, draft, "DO_NOT_ALERT_ON_STALE_METRICS")
    ]
    if excluded:
        draft.put("stale_digest", "exclude", excluded, "DO_NOT_ALERT_ON_STALE_METRICS")
    draft.say("the digest of stale metrics never left Skyline 5; Ridgeline sends it: drop [stale_digest] to keep it so")


def _dict(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    """Skyline takes a single text for a list of one."""
    many = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return [one for one in many if isinstance(one, str) and one]


_CHANNELS: Final[Mapping[str, Callable[[str, Settings, Draft], None]]] = {
    "smtp": _smtp,
    "slack": _slack,
    "pagerduty": _pagerduty,
    "syslog": _syslog,
    "sms": _sms,
    HTTP: _http,
}

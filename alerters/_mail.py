"""A message as a mail: text and HTML, a picture within it, the whole list attached to a storm. Names cannot break out."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape as markup
from typing import Final

from ridgeline.alerters._alert import Alert
from ridgeline.alerters._message import Message
from ridgeline.alerters._payloads import number
from ridgeline.alerters._words import facts, headline, lines, sentence, utc
from ridgeline.io.text import escape, truncate

SUBJECT: Final = 180
LINE: Final = 2000
WORDS: Final = {
    "value": "Value", "expected": "Expected", "direction": "Which is", "votes": "Voted", "channels": "Channels",
    "since": "Since", "rule": "Rule", "note": "Note", "message": "What",
}  # fmt: skip
RED, GREEN, AMBER = "#c8372d", "#2e7d4f", "#b7791f"
# Colours of its own for text and ground would be wrong in every other theme: only accents are set.
PAGE: Final = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>
<body style="font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:15px;line-height:1.45;margin:0;padding:16px">
<div style="border-left:4px solid {colour};padding:2px 0 2px 12px;margin-bottom:14px">
<div style="font-size:18px;font-weight:600;overflow-wrap:anywhere">{headline}</div>
<div style="opacity:.7">{when}</div></div>
{body}
<div style="opacity:.6;font-size:12px;margin-top:18px">Ridgeline</div>
</body></html>
"""


def compose(message: Message, sender: str, recipients: tuple[str, ...], now: float) -> EmailMessage:
    """The mail; the first recipient stands in To, the others in Cc. `now` is its date, in epoch seconds."""
    mail = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2].rstrip(">") or "localhost"
    mail["Subject"] = truncate(headline(message), SUBJECT)
    mail["From"] = sender
    mail["To"] = recipients[0]
    if recipients[1:]:
        mail["Cc"] = ", ".join(recipients[1:])
    mail["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    mail["Message-ID"] = f"<{identity(message)}@{domain}>"
    mail["References"] = f"<{message.dedup_key}@{domain}>"  # repeats about one metric are one conversation
    mail["Auto-Submitted"] = "auto-generated"
    pictures = [alert for alert in message.shown if alert.picture is not None]
    mail.set_content(_text(message), cte="quoted-printable")
    mail.add_alternative(_html(message), subtype="html", cte="quoted-printable")
    page = mail.get_payload()[1]  # type: ignore[index]
    for alert in pictures:
        page.add_related(alert.picture, "image", "png", cid=f"<{_cid(alert)}>", disposition="inline")  # type: ignore[union-attr]
    if message.storm:
        mail.add_attachment(_table(message).encode(), "text", "csv", filename="anomalies.csv")
    return mail


def identity(message: Message) -> str:
    """The same for every attempt to send one message: a hash of strategy, metric or rule, time and status."""
    parts = (message.dedup_key, str(message.first.timestamp), message.status)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _text(message: Message) -> str:
    body = [truncate(line, LINE) for line in lines(message)]
    links = [f"{escape(name)}: {address}" for name, address in message.first.links] if message.single else []
    more = ["", "The whole list is attached."] if message.storm else []
    return "\n".join([truncate(headline(message), LINE), utc(message.first.timestamp), "", *body, *links, *more, ""])


def _html(message: Message) -> str:
    colour = AMBER if message.test else GREEN if message.resolved else RED
    body = _facts(message) if message.single else _members(message)
    return PAGE.format(
        colour=colour,
        headline=markup(truncate(headline(message), LINE)),
        when=markup(utc(message.first.timestamp)),
        body=body,
    )


def _facts(message: Message) -> str:
    alert = message.first
    rows = "".join(
        f'<tr><td style="padding:2px 14px 2px 0;opacity:.7;vertical-align:top">{WORDS[name]}</td>'
        f'<td style="padding:2px 0;overflow-wrap:anywhere">{markup(truncate(words, LINE))}</td></tr>'
        for name, words in facts(alert, resolved=message.resolved)
    )
    links = " &nbsp; ".join(f'<a href="{markup(address)}">{markup(escape(name))}</a>' for name, address in alert.links)
    return f'<table style="border-collapse:collapse">{rows}</table>{_picture(alert)}<p>{links}</p>'


def _members(message: Message) -> str:
    rows = "".join(
        f'<li style="margin-bottom:6px;overflow-wrap:anywhere"><b>{markup(truncate(escape(alert.metric), LINE))}</b><br>'
        f"{markup(truncate(sentence(alert, resolved=message.resolved), LINE))}{_picture(alert)}</li>"
        for alert in message.shown
    )
    more = f"<p>and {message.more:,} more: the whole list is attached</p>" if message.more else ""
    return f'<ol style="padding-left:22px">{rows}</ol>{more}'


def _picture(alert: Alert) -> str:
    if alert.picture is None:
        return ""
    return f'<p><img src="cid:{_cid(alert)}" alt="the series" style="max-width:100%"></p>'


def _cid(alert: Alert) -> str:
    return f"{alert.dedup_key}@ridgeline"


def _table(message: Message) -> str:
    """All members of a storm as CSV; a cell that a spreadsheet would run is made text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["metric", "value", "low", "high", "timestamp", "votes", "algorithms", "since"])
    for alert in message.alerts:
        low, high = alert.expected if alert.expected is not None else ("", "")
        since = dict(facts(alert, resolved=message.resolved)).get("since", "")
        voted = escape(" ".join(alert.algorithms))
        writer.writerow(
            [
                _cell(escape(alert.metric)),
                number(alert.value),
                low,
                high,
                alert.timestamp,
                alert.votes,
                _cell(voted),
                since,
            ]
        )
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text

"""What people and programs were told, as flat dictionaries (`rigs.golden.flat`): HTTP bodies, syslog, mails, Graphite."""

import json
import re

from rigs.golden.plain import alike

TOLD = re.compile(r"(.*?): (\S+) \(value: (.*)\)")
FRAME = re.compile(r"<(\d+)>1 \S+ \S+ skyline \d+ anomaly - (.*)")
ABOUT = re.compile(r"(\S+)(?: is anomalous)?: ")
RULE = re.compile(r'(rule "[^"]*")')


def posts(bodies):
    """Of HTTP bodies, by metric and timestamp; `#times` is how often the same one was posted."""
    flat = {}
    for body in bodies:
        alert = body["data"]["alert"]
        name = f"http:{alert['metric']}/{alert['timestamp']}"
        fields = {**alert, "data.token": body["data"]["token"], "status": body["status"]}
        flat[name] = "posted"
        flat[f"{name}#times"] = flat.get(f"{name}#times", 0) + 1
        flat |= {f"{name}#{field}": alike(json.dumps(value)) for field, value in fields.items()}
    return flat


def syslog(messages):
    """Of syslog messages: priority and text."""
    flat = {}
    for priority, text in messages:
        words, metric, value = TOLD.fullmatch(text).groups()
        name = f"syslog:{metric}" if words.endswith("Anomalous metric") else f"syslog:{metric}/{words}"
        flat[name] = words
        flat[f"{name}#times"] = flat.get(f"{name}#times", 0) + 1
        flat |= {f"{name}#priority": priority, f"{name}#value": alike(value)}
    return flat


def frames(datagrams):
    """Priority and text of RFC 5424 messages."""
    found = [FRAME.fullmatch(datagram).groups() for datagram in datagrams]
    return [(int(priority), text) for priority, text in found]


def recorded_mails(mails):
    """Of Skyline's mails."""
    flat = {}
    for mail in mails:
        text = mail["data_without_base64"]
        name = f"mail:{re.search('^Subject: .* - (.*)$', text, re.MULTILINE)[1]}"
        recipients = [re.search("<(.*)>", line)[1] for line in mail["rcpt"]]
        sender = re.search("<(.*)>", mail["from"])[1]
        flat |= {name: "sent", f"{name}#sender": sender, f"{name}#recipients": recipients, f"{name}#text": text}
    return flat


def seen_mails(mails):
    """Of Ridgeline's mails, called by their metric, by the rule of a group, or by what of ours they are about."""
    flat = {}
    for envelope, mail in mails:
        subject = mail["Subject"]
        name = f"mail:{(ABOUT.match(subject) or RULE.search(subject))[1]}"
        flat |= {name: "sent", f"{name}#sender": envelope.mail_from, f"{name}#recipients": envelope.rcpt_tos}
        flat[f"{name}#text"] = mail.get_body(("plain",)).get_content()
    return flat


def points(found):
    """Of Graphite's points, by name."""
    return {f"graphite:{name}": value for name, value in found.items()}


def lines(found):
    """Name and value of carbon's lines."""
    return {name: float(value) for name, value, _ in (line.split(" ") for line in found)}

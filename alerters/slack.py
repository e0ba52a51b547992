"""Alerts as Slack messages: by a bot's token (chat.postMessage, pictures in the thread below it) or an incoming webhook.

The message goes first and alone, so that no picture can delay or lose it. Slack answers 200 to failures too; its word is
in `ok`. Methods and limits: https://docs.slack.dev/reference/methods/chat.postMessage.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ridgeline.alerters._channel import Channel
from ridgeline.alerters._fates import Fates
from ridgeline.alerters._http import check_limits, fits_header, post, reveal
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import Outcome
from ridgeline.alerters._payloads import dumps
from ridgeline.alerters._slack_api import SlackApi
from ridgeline.alerters._words import headline, lines
from ridgeline.io.net.transport import Endpoint, Limits
from ridgeline.io.secret import Secret
from ridgeline.io.text import escape, file_name, truncate

API: Final = "https://slack.com/api"
HEADER: Final = 140  # Slack's limits: 150 characters of a header, 3000 of a section, 50 blocks
SECTION: Final = 2900
SECTIONS: Final = 40
LINE: Final = 280
FALLBACK: Final = 3900
# What Slack says of itself, not of the message: later may help.
PASSING: Final = {
    "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "team_added_to_org",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """`token` of a bot with the scope chat:write (and files:write for pictures), or `webhook`, the URL of an incoming one.

    `default_recipients` are channels, by id or name, for rules that name none; a webhook has its own. `timeout` in
    seconds bounds one message to all its recipients.
    """

    token: Secret | None = None
    webhook: Secret | None = None
    default_recipients: tuple[str, ...] = ()
    api_url: str = API
    ca_file: Path | None = None
    timeout: float = 10.0
    concurrency: int = 1  # Slack takes about one message a second and channel

    def __post_init__(self) -> None:
        if (self.token is None) == (self.webhook is None):
            raise ValueError("token or webhook is needed, and only one of them")
        if self.token is not None and not fits_header(reveal(self.token)):
            raise ValueError("token must be one line of ASCII text")
        if self.token is not None and not self.default_recipients:
            raise ValueError("default_recipients must name a channel for rules that name none")
        if self.webhook is not None:
            Endpoint.parse(reveal(self.webhook))
        Endpoint.parse(self.api_url)
        check_limits(self.timeout, self.ca_file, self.concurrency)


@dataclass(frozen=True, slots=True)
class SlackBot:
    """Posts to channels in the name of a bot."""

    api: SlackApi
    default_recipients: tuple[str, ...]
    concurrency: int = 1

    @property
    def timeout(self) -> float:
        """Seconds of one message to all its recipients."""
        return self.api.limits.total

    def send(self, message: Message, deadline: float) -> Outcome:
        """Post to each recipient, then the pictures below each post."""
        end = min(deadline, time.monotonic() + self.timeout)
        fates = Fates()
        posted: list[tuple[str, str]] = []
        for recipient in message.recipients or self.default_recipients:
            outcome, answer = self.api.call("chat.postMessage", {"channel": recipient, **body(message)}, end)
            fates.add(recipient, _judged(outcome, answer, recipient))
            if isinstance(answer.get("ts"), str) and isinstance(answer.get("channel"), str):
                posted.append((answer["channel"], answer["ts"]))
        for alert in message.shown:
            if alert.picture is not None:
                for channel, thread in posted:
                    self.api.upload(alert.picture, file_name(alert.metric, ".png"), channel, thread, end)
        return fates.outcome()


@dataclass(frozen=True, slots=True)
class SlackWebhook:
    """Posts to one incoming webhook."""

    endpoint: Endpoint
    limits: Limits
    concurrency: int = 1

    @property
    def timeout(self) -> float:
        """Seconds of one attempt."""
        return self.limits.total

    def send(self, message: Message, deadline: float) -> Outcome:
        """Post once; any 2xx is success."""
        return post(self.endpoint, dumps(body(message)), {"Content-Type": "application/json"}, deadline, self.limits)[0]


def body(message: Message) -> dict[str, Any]:
    """Text and blocks of a message, without markup of any kind, so that no name can format, mention or link."""
    head, rest = headline(message), [truncate(line, LINE if not message.single else SECTION) for line in lines(message)]
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(truncate(head, HEADER))}]
    blocks += [
        {"type": "section", "text": _plain(text)} for text in _sections([head, *rest] if len(head) > HEADER else rest)
    ]
    links = [f"<{_address(address)}|{_entities(escape(name))}>" for name, address in message.first.links]
    if links and message.single:
        text = truncate("  ".join(links), SECTION, "")
        if text == "  ".join(links):  # a link cut short leads nowhere
            blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})
    fallback = truncate("\n".join([head, *rest]), FALLBACK)
    return {
        "text": _entities(fallback),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }


def _sections(texts: list[str]) -> list[str]:
    """Lines put together as far as they fit into one section each."""
    found = [""]
    for text in texts:
        joined = f"{found[-1]}\n{text}" if found[-1] else truncate(text, SECTION)
        if len(joined) > SECTION:
            found.append(truncate(text, SECTION))
        else:
            found[-1] = joined
    return [text for text in found if text][:SECTIONS]


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": _entities(text), "emoji": False}


def _entities(text: str) -> str:
    """The three characters that Slack reads as markup, escaped as it asks for."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _address(address: str) -> str:
    return address.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C")


def _judged(outcome: Outcome, answer: dict[str, Any], recipient: str) -> Outcome:
    """The outcome of a call, Slack's own word included."""
    if outcome.kind != "sent" or answer.get("ok") is True:
        return outcome
    word = answer.get("error")
    if not isinstance(word, str) or not re.fullmatch("[a-z_]{1,60}", word):
        return Outcome("unknown", "Slack's answer is none that can be read")
    return Outcome(
        "retry" if word in PASSING else "rejected", f"Slack says {word} of {json.dumps(recipient)}", outcome.retry_after
    )


def build(settings: SlackSettings) -> SlackBot | SlackWebhook:
    """The bot or the webhook of these settings."""
    if settings.webhook is not None:
        limits = Limits(total=settings.timeout, body=0, ca_file=settings.ca_file)
        return SlackWebhook(Endpoint.parse(reveal(settings.webhook)), limits, settings.concurrency)
    assert settings.token is not None
    limits = Limits(total=settings.timeout, body=1 << 16, ca_file=settings.ca_file)
    api = SlackApi(Endpoint.parse(settings.api_url), settings.token, limits)
    return SlackBot(api, settings.default_recipients, settings.concurrency)


def _pictures(settings: SlackSettings) -> bool:
    """A webhook takes none."""
    return settings.token is not None


CHANNEL = Channel(
    "slack", "messages in Slack, with pictures", SlackSettings, build, takes_recipients=True, pictures=_pictures
)

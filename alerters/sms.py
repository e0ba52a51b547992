"""Alerts as text messages by Amazon SNS, a message to each number. Credentials are those of AWS' own chain."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from ridgeline.alerters._bounded import bounded
from ridgeline.alerters._channel import Channel
from ridgeline.alerters._fates import Fates
from ridgeline.alerters._http import check_limits
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import SENT, Outcome
from ridgeline.alerters._words import headline, sentence
from ridgeline.io.net.transport import Endpoint
from ridgeline.io.text import escape, truncate

NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
LONGEST: Final = 1400  # bytes; SNS takes 1600 and splits them into parts of 140
SINGLE: Final = 460
NAME: Final = 120
TRANSACTIONAL: Final = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
# Errors of SNS that pass (AWS, "Common errors" and "Publish").
PASSING: Final = {
    "InternalError",
    "InternalFailure",
    "KMSThrottling",
    "RequestTimeout",
    "ServiceUnavailable",
    "Throttled",
}


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """`region` of SNS; `endpoint_url` where it is not Amazon's own. Recipients are numbers such as +34600000000.

    `recipients` by pattern of metrics, `default_recipients` where no pattern and no rule names any. `timeout` in
    seconds bounds one message to all its recipients.
    """

    region: str
    endpoint_url: str | None = None
    default_recipients: tuple[str, ...] = ()
    recipients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timeout: float = 10.0
    concurrency: int = 2

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9-]{2,32}", self.region):
            raise ValueError(f"region must be one of AWS, such as eu-west-1, not {self.region!r}")
        if self.endpoint_url is not None:
            Endpoint.parse(self.endpoint_url)
        for name, numbers in (("default_recipients", self.default_recipients), *self.recipients.items()):
            for number in numbers:
                if not NUMBER.fullmatch(number):
                    where = name if name == "default_recipients" else "recipients"
                    raise ValueError(f"{where} must be numbers such as +34600000000, not {number!r}")
        check_limits(self.timeout, None, self.concurrency)


@dataclass(frozen=True, slots=True)
class Sms:
    """Publishes through one SNS client of boto3, which is safe to share between threads."""

    client: Any
    default_recipients: tuple[str, ...]
    timeout: float
    concurrency: int = 2

    def send(self, message: Message, deadline: float) -> Outcome:
        """Send to each number in turn, and tell each one's fate."""
        numbers = tuple(dict.fromkeys(message.recipients or self.default_recipients))
        if not numbers:
            return Outcome("rejected", "there is no number to send this to")
        end, words, fates = min(deadline, time.monotonic() + self.timeout), text(message), Fates()
        for number in numbers:
            fates.add(number, self._publish(number, words, end))
        return fates.outcome()

    def _publish(self, number: str, words: str, end: float) -> Outcome:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        if not NUMBER.fullmatch(number):
            return Outcome("rejected", "a recipient is no number such as +34600000000")
        call = partial(self.client.publish, PhoneNumber=number, Message=words, MessageAttributes=TRANSACTIONAL)
        try:
            bounded(call, end)
        except TimeoutError:
            return Outcome("unknown", "SNS did not answer in time")
        except (BotoCoreError, ClientError) as error:
            return judged(error)
        except ResponseParserError:
            return Outcome("unknown", "the answer of SNS is none that can be read")
        return SENT


def judged(error: Exception) -> Outcome:
    """The outcome of what boto3 raised; nothing of what the server said but its code is shown."""
    from botocore.exceptions import (
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
        NoCredentialsError,
        ReadTimeoutError,
        SSLError,
    )

    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        passing = status in {408, 429} or status >= 500 or code in PASSING or "Throttl" in code
        shown = code if re.fullmatch(r"[A-Za-z0-9.]{1,60}", code) else "an error"
        return Outcome("retry" if passing else "rejected", f"SNS says {shown} (status {status})")
    if isinstance(error, NoCredentialsError):
        return Outcome("rejected", "there are no AWS credentials: set them up as for any AWS tool")
    if isinstance(error, SSLError):
        return Outcome("rejected", "the certificate of SNS cannot be trusted")
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        return Outcome("retry", "SNS cannot be reached")
    if isinstance(error, (ReadTimeoutError, HTTPClientError)):
        return Outcome("unknown", "SNS broke off before it answered")
    return Outcome("retry", f"SNS could not be asked: {type(error).__name__}")


def text(message: Message) -> str:
    """The message within what SNS takes: one metric with its reasons, or a group by its names."""
    if message.single:
        first = message.first
        why = "" if first.message else f"; {sentence(first, resolved=message.resolved)}"
        return truncate(f"{truncate(headline(message), SINGLE // 2)}{why}", SINGLE)
    names = ", ".join(truncate(escape(alert.metric), NAME) for alert in message.shown)
    more = f" and {message.more:,} more" if message.more else ""
    return truncate(f"{headline(message)}: {names}", LONGEST - len(more)) + more


def build(settings: SmsSettings) -> Sms:
    """The alerter of these settings."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=min(5.0, settings.timeout),
        read_timeout=settings.timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},  # delivery retries, within its own bounds
        proxies={},
    )
    client = boto3.session.Session().client(
        "sns", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
    )
    return Sms(client, settings.default_recipients, settings.timeout, settings.concurrency)


CHANNEL = Channel(
    "sms", "text messages by Amazon SNS", SmsSettings, build, extra="sms", needs=("boto3",), takes_recipients=True
)

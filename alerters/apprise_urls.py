"""Alerts by Apprise, which knows over a hundred services; what it tells of a failure is that there was one."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from ridgeline.alerters._bounded import bounded
from ridgeline.alerters._channel import Channel
from ridgeline.alerters._http import check_limits
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import SENT, Outcome
from ridgeline.alerters._words import headline, lines
from ridgeline.io.secret import Secret
from ridgeline.io.text import encodable, file_name


@dataclass(frozen=True, slots=True)
class AppriseSettings:
    """`urls`: Apprise's own, one a line; they hold credentials and come from the environment or a file.

    `timeout` in seconds bounds one message to all of them.
    """

    urls: Secret
    timeout: float = 20.0
    concurrency: int = 1

    def __post_init__(self) -> None:
        if not self.urls.reveal().split():
            raise ValueError("urls must name a service, one a line")
        check_limits(self.timeout, None, self.concurrency)


@dataclass(frozen=True, slots=True, repr=False)
class Apprise:
    """Notifies all services of one configuration."""

    services: Any
    timeout: float
    concurrency: int = 1

    def send(self, message: Message, deadline: float) -> Outcome:
        """Notify once; the picture of a single metric goes along where the service takes one."""
        from apprise import AppriseAttachment
        from apprise.attachment.memory import AttachMemory

        attached = None
        if message.single and message.first.picture is not None:
            name = file_name(message.first.metric, ".png")
            picture: Any = AttachMemory
            attached = AppriseAttachment(picture(content=message.first.picture, name=name, mimetype="image/png"))
        call = partial(
            self.services.notify,
            title=encodable(headline(message)),
            body=encodable("\n".join(lines(message))),
            attach=attached,
        )
        try:
            told = bounded(call, min(deadline, time.monotonic() + self.timeout))
        except TimeoutError:
            return Outcome("unknown", "the services did not all answer in time")
        except Exception as error:  # noqa: BLE001 - a plugin's own; its text may hold credentials, its type does not
            return Outcome("retry", f"a service failed with {type(error).__name__}")
        return SENT if told else Outcome("retry", "not every service took it; Apprise does not say which or why")


def build(settings: AppriseSettings) -> Apprise:
    """The alerter of these settings. Raises ValueError for an address that Apprise does not know."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines quote addresses
    services = apprise.Apprise()
    for number, url in enumerate(settings.urls.reveal().split(), 1):
        if not services.add(url):
            raise ValueError(f"urls: number {number} is none that Apprise knows")
    return Apprise(services, settings.timeout, settings.concurrency)


CHANNEL = Channel(
    "apprise",
    "over a hundred services by Apprise",
    AppriseSettings,
    build,
    extra="apprise",
    needs=("apprise",),
    pictures=True,
)

"""Slack's Web API, as far as alerts need it: calls, and a picture uploaded into a thread."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ridgeline.alerters._http import below, post
from ridgeline.alerters._outcome import Outcome
from ridgeline.alerters._payloads import dumps
from ridgeline.io.net.transport import Endpoint, Limits
from ridgeline.io.secret import Secret

JSON = {"Content-Type": "application/json; charset=utf-8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BYTES = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class SlackApi:
    """Calls below `base` with a bot's `token`."""

    base: Endpoint
    token: Secret
    limits: Limits

    def call(
        self, method: str, arguments: dict[str, Any], deadline: float, *, form: bool = False
    ) -> tuple[Outcome, dict[str, Any]]:
        """The outcome by the status, and what Slack answered; an empty object where that is no JSON object.

        No answer at all is taken for what its status says.
        """
        headers: dict[str, Secret | str] = {
            "Authorization": Secret(f"Bearer {self.token.reveal()}"),
            **(FORM if form else JSON),
        }
        body = urlencode(arguments).encode() if form else dumps(arguments)
        outcome, reply = post(below(self.base, f"/{method}"), body, headers, deadline, self.limits)
        if reply is None or not reply.body:
            return outcome, {"ok": outcome.kind == "sent"}
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError):
            answer = {}
        return outcome, answer if isinstance(answer, dict) else {}

    def upload(self, picture: bytes, name: str, channel: str, thread: str, deadline: float) -> bool:
        """Put a picture into a thread; whether that worked. Nobody is alarmed if not: the message is there."""
        _, place = self.call(
            "files.getUploadURLExternal", {"filename": name, "length": len(picture)}, deadline, form=True
        )
        endpoint = self._storage(place.get("upload_url"))
        if endpoint is None or not isinstance(place.get("file_id"), str):
            return False
        outcome, _ = post(endpoint, picture, BYTES, deadline, self.limits)
        if outcome.kind != "sent":
            return False
        done = {"files": [{"id": place["file_id"], "title": name}], "channel_id": channel, "thread_ts": thread}
        return self.call("files.completeUploadExternal", done, deadline)[1].get("ok") is True

    def _storage(self, url: Any) -> Endpoint | None:
        """Where Slack wants the bytes, if that is a host of Slack's, or of the API itself, and as safe."""
        try:
            found = Endpoint.parse(url) if isinstance(url, str) else None
        except ValueError:
            return None
        if found is None or found.scheme != self.base.scheme:
            return None
        domain = ".".join(self.base.host.split(".")[-2:])
        inside = found.host == self.base.host or (domain == "slack.com" and found.host.endswith(f".{domain}"))
        return found if inside else None

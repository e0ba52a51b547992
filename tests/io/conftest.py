"""What tests of io share: no connection outlives the test that made it."""

import pytest

from ridgeline.io.redis import client


@pytest.fixture(autouse=True)
def _no_client_stays_open(monkeypatch):
    made, make = [], client._client
    monkeypatch.setattr(client, "_client", lambda *arguments: made.append(make(*arguments)) or made[-1])
    yield
    for each in made:
        each.close()

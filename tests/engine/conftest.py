"""What tests of Skyline's own names share: they run where no configuration is, at a time that they set."""

import pytest

NOW = 1_700_000_000


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No configuration is found, and nothing is kept in the user's folders."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RIDGELINE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def clock(monkeypatch):
    """Set the clock; it says `NOW` until then."""
    from ridgeline.engine.api import ensemble

    def put(now):
        monkeypatch.setattr(ensemble.time, "time", lambda: now)

    put(NOW)
    return put

"""Fixtures that every test module shares."""

import gc
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ridgeline.io import text

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# Kernels compile on first call, so the first example may take seconds.
settings.register_profile(
    "default", deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("full", parent=settings.get_profile("default"), max_examples=200)
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=2000)
settings.load_profile("default")

# nohup and shells' background jobs let these be ignored, and what is ignored stays so in the commands that tests start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of parity and reference data beside the checkout; skips, visibly, without it."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (parity and reference data), which is not here")
    return SHARED


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's root folder."""
    return ROOT


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """All that is collected stays to the end: garbage is looked for neither while it is made nor in it later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_finish():
    """Forget what parameters conceal: they are made when tests are collected."""
    text._secrets.clear()


@pytest.fixture(autouse=True)
def secrets():
    """What one test conceals is not masked in the next one's messages."""
    before = set(text._secrets)
    yield
    text._secrets.intersection_update(before)


@pytest.fixture
def reachable():
    """A folder that other users can reach, as pytest's own are not (it closes them to others at every start)."""
    with tempfile.TemporaryDirectory(prefix="ridgeline-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder

"""The channel that docs/alerters.md teaches to write, as it stands there, under the contract it is tested by there."""

import re
import sys
import types

from conftest import ROOT

from ridgeline.alerters import Message, from_module
from ridgeline.alerters.testing import HttpContract, http_server, soon, storm

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "alerters.md").read_text(), re.DOTALL)


def taught():
    """A module made of the page's example, and the test class made of the next."""
    module = types.ModuleType("ourcompany_pigeon")
    sys.modules[module.__name__] = module
    for block in BLOCKS:
        exec(compile(block, "docs/alerters.md", "exec"), module.__dict__)
    return module


PIGEON = taught()


class TestPigeon(PIGEON.TestPigeon):
    """The example passes every test of the kit."""


def test_the_example_is_a_channel():
    assert from_module(PIGEON.__name__) is PIGEON.CHANNEL
    assert issubclass(PIGEON.TestPigeon, HttpContract)


def test_the_example_says_all():
    with http_server() as server:
        alerter = PIGEON.build(PIGEON.PigeonSettings(server.url))
        assert alerter.send(Message.of(storm().first), soon()).kind == "sent"
    assert b"expected 900 to 1100 (above)" in server.requests[0].body

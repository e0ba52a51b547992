"""Passes of `batch` that are killed: one process that forks, so that each pass begins at once and any moment of it is the last.

Run as a program with a configuration, an instant, a seed and a number of kills. Half of the children are killed by the
clock, half in the midst of the bytes that they send to Redis; then one goes to its end. Prints how many died of it.
"""

import os
import random
import signal
import sys
import time

from ridgeline.engine.batch.once import batch_once
from ridgeline.engine.batch.turn import Request
from ridgeline.engine.config.load import load_config
from ridgeline.io.redis.connection import BoundedConnection
from ridgeline.kernels.native import loader

LONGEST = 60.0  # seconds for one pass


def main(config, now, seed, kills):
    chance, config = random.Random(seed), load_config(config)
    loader.prepare("decode", "replay")
    usual, sent, ended, died = 0.3, 20_000, 0, 0
    while died < kills and ended < 20 * kills:
        share = 0.8 ** (ended - died)  # a pass that ended by itself was quicker than thought, or had less left to do
        if ended % 2:
            code = _child(config, now, lambda left=sent * share: _die_sending(chance.randrange(int(left) + 1)))
        else:
            code = _child(config, now, lambda: None, after=chance.uniform(0, usual * share))
        ended, died = ended + 1, died + (code == -signal.SIGKILL)
    assert _child(config, now, lambda: None) == 0
    sys.stdout.write(f"{died}\n")


def _child(config, now, before, after=LONGEST):
    """The status of a pass in a process of its own, killed after so many seconds."""
    pid = os.fork()
    if not pid:
        try:
            before()
            code = batch_once(Request(config), now=lambda: float(now)).exit
        finally:
            os._exit(code)
    end = time.monotonic() + after
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _die_sending(left):
    """End this process by SIGKILL once it has sent so many bytes, wherever in a command that is."""
    send = BoundedConnection.send_packed_command

    def sending(self, command, check_health=True):
        nonlocal left
        data = command if isinstance(command, bytes) else b"".join(command)
        if len(data) > left:
            send(self, [data[:left]], check_health)
            os.kill(os.getpid(), signal.SIGKILL)
        left -= len(data)
        send(self, [data], check_health)

    BoundedConnection.send_packed_command = sending


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))

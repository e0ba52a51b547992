"""Whether an agent is at work and well, told by a small file that it keeps: for health probes of containers."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.units import spoken
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.disk.lock import lock_path
from ridgeline.io.errors import OutputError

GRACE: Final = 10.0  # seconds that an agent may be late
# A run that ended with one of these did its work, if not all of it.
WELL: Final = frozenset({0, 66, 70, 75})


@dataclass(frozen=True, slots=True)
class Pulse:
    """What an agent says of itself: its process, and its last run by the wall clock. `exit` None: none has ended yet."""

    pid: int
    began: float
    ended: float | None = None
    exit: int | None = None


def pulse_path(config: Config) -> Path:
    """Where the agent of a configuration keeps it."""
    return lock_path(
        "agent", config.source.settings.identity(), config.output.directory, shard=config.shards.name
    ).with_suffix(".json")


def keep_pulse(config: Config, pulse: Pulse) -> None:
    """Write it; a place that cannot be written to costs the probe, not the agent."""
    with contextlib.suppress(OutputError, OSError):
        path = pulse_path(config)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(asdict(pulse)).encode())


def ailment(config: Config, now: float) -> str:
    """Why the agent of this configuration is not well, in one sentence; empty where it is."""
    path = pulse_path(config)
    try:
        pulse = Pulse(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return f"no agent keeps {path}: it was not started, or cannot write there"
    if not _alive(pulse.pid):
        return f"the agent that kept {path} (process {pulse.pid}) is gone"
    allowed = config.agent.run_every + config.run.deadline + GRACE
    last = pulse.began if pulse.ended is None else pulse.ended
    if now - last > allowed:
        return f"the agent's last run ended {spoken(now - last)} ago, and one is due every {spoken(config.agent.run_every)}"
    if pulse.exit is not None and pulse.exit not in WELL:
        return f"the agent's last run ended with {pulse.exit}: its log says why"
    return ""


def _alive(pid: int) -> bool:
    """Whether there is such a process; one of another user's is there too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

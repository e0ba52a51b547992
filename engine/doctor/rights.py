"""What the user in Redis may do: each right of the catalogue tried for real, in ways that change nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Final

from redis.exceptions import NoPermissionError, ResponseError

from ridgeline.engine.config.model import AgentPeriods, Config
from ridgeline.engine.doctor.check import Check, green, red, yellow
from ridgeline.io.redis.acl import BUILT, needed
from ridgeline.io.redis.key import READ, Key, Program
from ridgeline.io.redis.keys import OURS

RUN: Final[Program] = "run"
WITHOUT: Final = "[analysis] bookkeeping = false does without them, or grant them: docs/operations.md has the user"
SLOWER: Final = "runs read every series as a whole without them; grant them: docs/operations.md has the user"
NEEDED: Final = "grant them: docs/operations.md has the user"
# Features without which a run does its work all the same.
SHOWN: Final = 6
BOOKS: Final = frozenset({"bookkeeping", "preparation", "airgaps", "handoffs", "batch", "shards"})
SPARED: Final = BOOKS | {"mutes", "skips"}
SAVING: Final = frozenset({"GETRANGE", "SCARD"})  # what only asks less of the source


def look_at_rights(client: Any, config: Config) -> Iterator[Check]:
    """For each program that one user is to be, a check for what is needed, and for `run` one for what siblings need."""
    for program in programs(config.agent):
        name = "rights" if program == RUN else f"rights of {program}"
        yield from _look(client, name, program, config)


def programs(periods: AgentPeriods) -> list[Program]:
    """Whose rights the configuration's user needs: the agent's, which does all that has a period."""
    others: list[tuple[Program, int | None]] = [("batch", periods.batch_every), ("manage", periods.manage_every)]
    return [RUN, *(program for program, period in others if period is not None)]


def _look(client: Any, name: str, program: Program, config: Config) -> Iterator[Check]:
    refused: dict[str, list[str]] = {NEEDED: [], WITHOUT: [], SLOWER: []}
    tried = 0
    for key in needed(program, BUILT):
        if program == RUN and key.feature in BOOKS and not config.analysis.bookkeeping:
            continue
        for what, command in trials(key, program, config.source.settings.namespace):
            tried += 1
            if is_refused(client, command):
                refused[_remedy(program, key, command[0])].append(f"{what} {key.name}")
    refused[NEEDED] += own_commands(client, program)
    for remedy, uses in refused.items():
        if uses:
            tell = red if remedy == NEEDED else yellow
            yield tell(name, f"the user in Redis may not {_listed(uses)}", remedy)
    if not any(refused.values()):
        yield green(name, f"{tried} uses of keys were tried, and none is refused")


def _remedy(program: Program, key: Key, command: str) -> str:
    """What to do where a command about a key is refused."""
    if command in SAVING or key.feature == "memory":
        return SLOWER
    return WITHOUT if program == RUN and key.feature in SPARED else NEEDED


def trials(key: Key, program: Program, namespace: str) -> Iterator[tuple[str, Sequence[str]]]:
    """What is tried, in a word, and a command: those that need the rights which a program needs for a key, and change nothing whatever the key holds.

    Removing what nobody has from a key is refused for the want of rights before anything else is looked at, its type
    included.
    """
    nobody = f"ridgeline-doctor-{uuid.uuid4().hex}"
    name = key.glob(namespace).replace("\\", "").replace("*", nobody)
    reads = {
        "MGET": ("MGET", name),
        "SSCAN": ("SSCAN", name, "0"),
        "HSCAN": ("HSCAN", name, "0"),
        "HMGET": ("HMGET", name, nobody),
        "GETRANGE": ("GETRANGE", name, "0", "0"),
        "SCARD": ("SCARD", name),
    }
    words = {"GETRANGE": "read the end of", "SCARD": "count"}
    if program in key.readers:
        saving = SAVING & key.commands(program)
        asked = [command for command in (*READ[key.kind], *sorted(saving)) if command in reads]
        yield from ((words.get(command, "read"), reads[command]) for command in asked)
    if program in key.writers:
        if key.kind == "string" and nobody in name:
            yield "write", ("UNLINK", name)  # of that name there is none
        else:
            yield "write", ("SREM" if key.kind == "set" else "HDEL", name, nobody)


def own_commands(client: Any, program: Program) -> Iterator[str]:
    """Every writing command of a program, once, on a key of our own that is gone afterwards; those that are refused."""
    name, other = f"{OURS}doctor.{uuid.uuid4().hex}", f"{OURS}doctor.{uuid.uuid4().hex}"
    used = (
        ("SET", name, "1", "EX", "10"),
        ("GET", name),
        ("MGET", name),
        ("PTTL", name),
        ("EXPIRE", name, "10"),
        ("RENAME", name, other),
        ("UNLINK", other),
        ("SADD", name, "1"),
        ("SDIFF", name),
        ("SREM", name, "1"),
        ("HSET", name, "1", "1"),
        ("HINCRBY", name, "1", "1"),
        ("HDEL", name, "1"),
        ("DEL", name),
    )
    known = {command for key in needed(program, BUILT) for command in key.commands(program)}
    for command in used:
        if command[0] in known and is_refused(client, command):
            yield f"send {command[0]}"
    for key in (name, other):
        is_refused(client, ("UNLINK", key))


def is_refused(client: Any, command: Sequence[str]) -> bool:
    """Whether the user may not send a command. Any other answer means that it may."""
    try:
        client.execute_command(*command)
    except NoPermissionError:
        return True
    except ResponseError:
        return False
    return False


def _listed(some: Sequence[str]) -> str:
    once = list(dict.fromkeys(some))
    shown = ", ".join(once[:SHOWN])
    return shown if len(once) <= SHOWN else f"{shown} and {len(once) - SHOWN} more"

"""Finds the commands: each is a module of this folder with NAME, SUMMARY, GROUP, add_arguments and run."""

from __future__ import annotations

import argparse
import pkgutil
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Protocol, cast

import ridgeline.engine.cli

PACKAGE: Final = "ridgeline.engine.cli"
# What a person may want to do, in the order the help shows; a group of a command that is not here comes after these.
GROUPS: Final = (
    "Get started",
    "Score a fleet",
    "Replay history",
    "Look closer",
    "Alerts",
    "Measure",
    "Operate",
)


class Command(Protocol):
    """What a command's module holds. DESCRIPTION and EPILOG, texts for its own help, are optional."""

    NAME: str
    SUMMARY: str
    GROUP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it and return the exit code."""


def find(name: str) -> Command | None:
    """Return the command of that name, importing its module alone; None if there is none."""
    stem = name.replace("-", "_")
    for candidate in (stem, f"{stem}_"):
        if candidate.isidentifier() and find_spec(f"{PACKAGE}.{candidate}") is not None:
            module = import_module(f"{PACKAGE}.{candidate}")
            if getattr(module, "NAME", None) == name:
                return cast("Command", module)
    return None


def every() -> list[Command]:
    """Return all commands, by group and name."""
    modules = [
        import_module(f"{PACKAGE}.{found.name}") for found in pkgutil.iter_modules(ridgeline.engine.cli.__path__)
    ]
    found = [cast("Command", module) for module in modules if hasattr(module, "NAME")]
    return sorted(found, key=lambda command: (_place(command.GROUP), command.GROUP, command.NAME))


def _place(group: str) -> int:
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)

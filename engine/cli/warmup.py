"""`ridgeline warmup`: compiles the kernels beforehand, for container images and impatient people."""

from __future__ import annotations

import argparse
import sys
from typing import Final

NAME: Final = "warmup"
SUMMARY: Final = "compile the kernels for this machine now, so that no run has to"
GROUP: Final = "Operate"
EPILOG: Final = """\
The first start on a machine compiles the kernels once, into $RIDGELINE_CACHE_DIR, else $XDG_CACHE_HOME/ridgeline, else
~/.cache/ridgeline, else a folder under $TMPDIR or /tmp; one that another user could change, itself or a folder above it,
is passed over. In a container image run this with the CPU and the user that the container will have.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing."""


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - the command has none
    """Compile, telling of each step on standard error, and say on standard output where to; 74 where nothing can be kept."""
    from ridgeline.io.errors import OutputError
    from ridgeline.kernels.native import loader

    def say(sentence: str) -> None:
        print(sentence, file=sys.stderr)

    warmed = loader.warmup(say)
    if warmed.folder is None:
        raise OutputError(f"the compiled kernels cannot be kept: {warmed.problem}")
    print(f"ready: {', '.join(warmed.origins)} in {warmed.folder}")
    return 0

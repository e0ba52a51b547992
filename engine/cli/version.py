"""`ridgeline version`: what is installed, for whoever helps from afar."""

from __future__ import annotations

import argparse
from typing import Final

NAME: Final = "version"
SUMMARY: Final = "print the versions of Ridgeline and of what it stands on"
GROUP: Final = "Operate"
LIBRARIES: Final = ("numpy", "numba", "pyarrow", "scipy", "redis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")


def run(args: argparse.Namespace) -> int:
    """Print them; nothing is imported but what tells versions."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from ridgeline import __version__
    from ridgeline.engine.report.files import dumps
    from ridgeline.kernels.native import loader

    found = {"ridgeline": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    place = {"platform": platform.platform(), "kernels": str(loader.cache_directory())}
    if args.json:
        print(dumps({**found, **place}))
    else:
        for name, what in (found | place).items():
            print(f"{name:<10} {what}")
    return 0

"""Options that several commands share: what to judge by. Each overrides the configuration file's own value."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from ridgeline.engine.cli.parser import at_least, names, option
from ridgeline.engine.config.model import Config
from ridgeline.engine.units import parse_duration


def add_analysis(parser: argparse.ArgumentParser, *, window: str) -> None:
    """Declare the options; `window` is the option for the window's length."""
    add = parser.add_argument
    add("-c", "--config", type=Path, metavar="FILE", help="a ridgeline.toml; the options here override it")
    add("--profile", metavar="NAME", help="native, earthgecko, earthgecko_batch or etsy (default: native)")
    add("--consensus", type=at_least(1), metavar="N", help="True votes that make an anomaly (default: 6)")
    add("--algorithms", type=names, metavar="NAMES", help="only these algorithms (default: all)")
    add(
        window,
        dest="full_duration",
        type=option(parse_duration),
        metavar="DURATION",
        help="length of the window (default: 24h)",
    )
    add("--threads", type=at_least(1), metavar="N", help="default: as many as there are CPUs")


def configuration(args: argparse.Namespace) -> Config:
    """The configuration file, or the defaults without one, with the given options on top."""
    if args.config is None:
        config = Config()
    else:
        from ridgeline.engine.config.load import load_config

        config = load_config(args.config)
    asked: dict[str, Any] = {
        key: getattr(args, key)
        for key in ("profile", "consensus", "algorithms", "full_duration", "stale_period")
        if getattr(args, key, None) is not None
    }
    if getattr(args, "all_votes", False):
        asked["all_votes"] = True
    run = config.run if args.threads is None else replace(config.run, threads=args.threads)
    return replace(config, analysis=replace(config.analysis, **asked), run=run)

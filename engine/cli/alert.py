"""`ridgeline alert test | route | outbox`: try an alerter, see where alerts go and why not, look after what waits."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Final

from ridgeline.engine.cli.actions import add_action, add_actions, configuration, show
from ridgeline.engine.cli.parser import named

PARTIAL: Final = 70
NAME: Final = "alert"
SUMMARY: Final = "try an alerter, see where alerts go and why not, look after what waits"
GROUP: Final = "Alerts"
EPILOG: Final = """\
examples:
  ridgeline alert test slack                        one alert marked TEST, by the way that real ones go
  ridgeline alert route stats.web01.requests        who would be told of it now, and what keeps it back
  ridgeline alert outbox list                       what could not be sent yet, and why
  ridgeline alert outbox retry                      with the next run, whatever its turn
  ridgeline alert outbox drop -- -odd.name          a name that begins with - comes after --
"""
TEST_EPILOG: Final = """\
examples:
  ridgeline alert test http
  ridgeline alert test smtp --pattern stats.billing.    to the recipients of that rule
Nothing is suppressed, silenced, repeated or recorded. Exit codes: 0 sent; 70 not sent; 2 configuration.
"""
ROUTE_EPILOG: Final = """\
examples:
  ridgeline alert route stats.web01.requests
  ridgeline alert route stats.web01.requests --json
The metric need not exist; a name that begins with - comes after --. Exit codes: 0; 70 the state could not be read, so that
only the rules were asked; 2 configuration.
"""
OUTBOX_EPILOG: Final = """\
A name that begins with - comes after --, as in: ridgeline alert outbox drop -- -odd.name
A run that is at work may put back what it is trying to send: look again with `list`. Exit codes: 0; 2 nothing waits for
METRIC; 70 the state could not be read or written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions."""
    actions = add_actions(parser)
    test = add_action(actions, "test", "send one alert marked TEST by a strategy", _test, TEST_EPILOG)
    test.add_argument("strategy", metavar="STRATEGY", help="a strategy of the configuration: http, slack, ...")
    test.add_argument(
        "--pattern", metavar="PATTERN", help="to whom the rule with this match, or the first that matches it, sends"
    )
    route = add_action(
        actions, "route", "show who would be told of a metric now, and what keeps it back", _route, ROUTE_EPILOG
    )
    route.add_argument("metric", type=named, metavar="METRIC", help="its name, as alerts show it")
    outbox = actions.add_parser(
        "outbox",
        help="list, retry or drop what could not be sent yet",
        description="Look after what could not be sent.",
    )
    _add_outbox(outbox)


def _add_outbox(parser: argparse.ArgumentParser) -> None:
    actions = add_actions(parser)
    listing = add_action(actions, "list", "list what waits, longest first", _list, OUTBOX_EPILOG)
    retry = add_action(actions, "retry", "have it tried by the next run, whatever its turn", _retry, OUTBOX_EPILOG)
    drop = add_action(actions, "drop", "drop what waits for a metric; nobody is told", _drop, OUTBOX_EPILOG)
    retry.add_argument("metric", nargs="?", metavar="METRIC", help="only what waits for this metric")
    drop.add_argument("metric", metavar="METRIC", help="its name")
    for action in (listing, retry, drop):
        action.add_argument("--strategy", metavar="NAME", help="only what waits for this strategy")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; its exit code."""
    code: int = args.act(args)
    return code


def _test(args: argparse.Namespace) -> int:
    from ridgeline.engine.alerts.trial import try_strategy
    from ridgeline.engine.report.alerting import trial_line
    from ridgeline.engine.report.files import dumps
    from ridgeline.engine.run.plan import delivery_plan
    from ridgeline.engine.run.sample import Sample

    plan = delivery_plan(configuration(args), [args.strategy], json=args.json)
    sample = Sample()
    trial = try_strategy(args.strategy, plan, args.pattern, draw=sample.draw)
    if args.json:
        print(dumps(trial.as_json()))
    elif trial.sent:
        print(trial_line(trial))
    if not trial.sent:
        print(f"ridgeline: {trial_line(trial)}", file=sys.stderr)
    if sample.drawings.problem:
        print(f"ridgeline: without a picture: {sample.drawings.problem}", file=sys.stderr)
    return 0 if trial.sent else PARTIAL


def _route(args: argparse.Namespace) -> int:
    from ridgeline.engine.alerts.route import route
    from ridgeline.engine.report.alerting import route_lines
    from ridgeline.engine.run.external import known_rows
    from ridgeline.engine.run.plan import delivery_plan
    from ridgeline.engine.run.state import open_run_state
    from ridgeline.io.state.interface import StateError
    from ridgeline.io.text import escape

    config, code = configuration(args), 0
    with open_run_state(config) as state:
        try:
            plan = delivery_plan(config, external=known_rows(config, state), json=args.json)
            routes = route(args.metric, plan, state, time.time())
        except StateError as error:
            print(
                f"ridgeline: {escape(error)}; a run would send as if nothing were suppressed or muted", file=sys.stderr
            )
            routes, code = route(args.metric, delivery_plan(config, json=args.json), None, time.time()), PARTIAL
    show(
        args,
        routes,
        route_lines(routes),
        f"no [[alert]] matches {escape(args.metric)}: nobody is told of its anomalies",
    )
    return code


def _list(args: argparse.Namespace) -> int:
    return _outbox(args, "list")


def _retry(args: argparse.Namespace) -> int:
    return _outbox(args, "retry")


def _drop(args: argparse.Namespace) -> int:
    return _outbox(args, "drop")


def _outbox(args: argparse.Namespace, action: str) -> int:
    """Find what waits, do with it what was asked for, and show it."""
    from ridgeline.engine.alerts.waiting import drop, list_waiting, retry
    from ridgeline.engine.report.alerting import waiting_lines
    from ridgeline.engine.run.state import open_run_state
    from ridgeline.io.errors import InputError
    from ridgeline.io.text import escape

    config, metric, now = configuration(args), getattr(args, "metric", None), time.time()
    with open_run_state(config) as state:
        found = list_waiting(state, now, metric=metric, strategy=args.strategy)
        if metric is not None and not found:
            by = "" if args.strategy is None else f" by {args.strategy}"
            raise InputError(
                f"nothing waits to be sent{by} for {escape(metric)}: `ridgeline alert outbox list` shows what does"
            )
        if action == "retry":
            found = retry(state, found, now)
        elif action == "drop":
            drop(state, found)
    show(args, found, waiting_lines(found, now), "nothing waits to be sent")
    return 0

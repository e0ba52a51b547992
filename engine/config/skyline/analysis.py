"""What Skyline's settings say of the source and of how metrics are judged, in Ridgeline's tables."""

from __future__ import annotations

import re
from typing import Any, Final

from ridgeline.engine.config.skyline.draft import Draft
from ridgeline.engine.config.skyline.settings import Settings
from ridgeline.engine.rules.pattern import parse_pattern
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.io.errors import InputError

PROFILE: Final = "earthgecko"
SOCKET: Final = "/tmp/redis.sock"  # noqa: S108 - Skyline's own default
PATH: Final = re.compile(r"/[\w./@:+-]+", re.ASCII)
MANAGED_EVERY: Final = 300  # seconds
MARGIN: Final = 5  # seconds between the end of a run and the next
# What the profile fixes; other values cannot be had.
FIXED: Final = {"MIN_TOLERABLE_LENGTH": 100, "MAX_TOLERABLE_BOREDOM": 100, "BOREDOM_SET_SIZE": 1}


def translate_source(settings: Settings, draft: Draft) -> None:
    """`[source]`: always Redis, by its socket."""
    draft.put("source", "kind", "redis")
    socket = settings.typed("REDIS_SOCKET_PATH", str, SOCKET)
    if not PATH.fullmatch(socket):
        draft.drop("REDIS_SOCKET_PATH", f"{socket!r:.60} is no whole path of a socket: {SOCKET} stands in for it")
        socket = SOCKET
    draft.put("source", "url", f"unix://{socket}", "REDIS_SOCKET_PATH")
    draft.put("source", "namespace", settings.typed("FULL_NAMESPACE", str, "metrics."), "FULL_NAMESPACE")
    password = settings.get("REDIS_PASSWORD")
    if password:
        draft.secret("source", "password", str(password), "REDIS_PASSWORD")


def translate_analysis(settings: Settings, draft: Draft) -> None:
    """`[analysis]`, `[run]`, `[[override]]`."""
    nine = algorithm_names()
    chosen = [str(name) for name in settings.typed("ALGORITHMS", (list, tuple), list(nine))]
    unknown = [name for name in chosen if name not in nine]
    known = [name for name in nine if name in chosen]
    for name in unknown:
        draft.drop("ALGORITHMS", f"there is no algorithm {name!r}")
    draft.put("analysis", "profile", PROFILE, "Skyline's own arithmetic")
    draft.put("analysis", "full_duration", settings.typed("FULL_DURATION", int, 86400), "FULL_DURATION")
    consensus = settings.typed("CONSENSUS", int, 6)
    if not 1 <= consensus <= max(len(known), 1):
        draft.say(
            f"CONSENSUS is {consensus}, which {len(known)} algorithms cannot reach: it became {max(len(known), 1)}"
        )
        consensus = max(len(known), 1)
    draft.put("analysis", "consensus", consensus, "CONSENSUS")
    if known and len(known) < len(nine):
        draft.put("analysis", "algorithms", known, "ALGORITHMS")
    draft.put("analysis", "stale_period", settings.typed("STALE_PERIOD", int, 500), "STALE_PERIOD")
    if settings.get("ENABLE_ALL_ALGORITHMS_RUN_METRICS", default=False) or not settings.get(
        "RUN_OPTIMIZED_WORKFLOW", default=True
    ):
        draft.put(
            "analysis", "all_votes", value=True, origin="ENABLE_ALL_ALGORITHMS_RUN_METRICS, RUN_OPTIMIZED_WORKFLOW"
        )
    if settings.get("ENABLE_SECOND_ORDER", default=False):
        draft.put("analysis", "second_order", value=True, origin="ENABLE_SECOND_ORDER")
    if skip := patterns(settings, draft, "ANALYZER_SKIP"):
        draft.put("analysis", "skip", skip, "ANALYZER_SKIP")
    for name, usual in FIXED.items():
        if settings.get(name, usual) != usual:
            draft.drop(name, f"the profile {PROFILE} has {usual}")
    if not settings.get("ANALYZER_ENABLED", default=True):
        draft.say("ANALYZER_ENABLED is False: Ridgeline analyses whenever it is run, so do not schedule it yet")
    period = settings.typed("ANALYZER_OPTIMUM_RUN_DURATION", int, 60)
    draft.put(
        "run", "deadline", max(period - MARGIN, 5), "ANALYZER_OPTIMUM_RUN_DURATION, less the time between two runs"
    )
    draft.put("agent", "run_every", max(period, 1), "ANALYZER_OPTIMUM_RUN_DURATION")
    draft.put("agent", "manage_every", MANAGED_EVERY, "the period of Skyline's metrics_manager")
    _stale_periods(settings, draft)
    _windows(settings, draft)


def _stale_periods(settings: Settings, draft: Draft) -> None:
    """Skyline tries those with the most dotted elements first, and of them the first one; here the last that matches decides."""
    periods = settings.typed("CUSTOM_STALE_PERIOD", dict, {})
    last_first = list(periods.items())[::-1]
    for pattern, seconds in sorted(last_first, key=lambda one: str(one[0]).count(".")):
        if is_pattern(pattern, draft, "CUSTOM_STALE_PERIOD") and _is_seconds(seconds, draft, "CUSTOM_STALE_PERIOD"):
            draft.row("override", {"match": pattern, "stale_period": int(seconds)}, "CUSTOM_STALE_PERIOD")


def _windows(settings: Settings, draft: Draft) -> None:
    windows = settings.typed("BATCH_METRICS_CUSTOM_FULL_DURATIONS", dict, {})
    for pattern, seconds in reversed(list(windows.items())):
        named = "BATCH_METRICS_CUSTOM_FULL_DURATIONS"
        if is_pattern(pattern, draft, named) and _is_seconds(seconds, draft, named):
            draft.row("override", {"match": pattern, "full_duration": int(seconds)}, named)


def translate_preparation(settings: Settings, draft: Draft) -> None:
    """`[preparation]`: Skyline looks for counters in every metric."""
    draft.put("preparation", "counters", "auto", "as Skyline does")
    for key, name in (
        ("non_derivative", "NON_DERIVATIVE_MONOTONIC_METRICS"),
        ("zero_fill", "ZERO_FILL_NAMESPACES"),
        ("last_known_value", "LAST_KNOWN_VALUE_NAMESPACES"),
    ):
        if found := patterns(settings, draft, name):
            draft.put("preparation", key, found, name)
    if settings.get("MONOTONIC_METRIC_NAMESPACES"):
        draft.drop(
            "MONOTONIC_METRIC_NAMESPACES",
            'counters are detected; [preparation] counters = ["pattern"] names them instead',
        )


def translate_airgaps(settings: Settings, draft: Draft) -> None:
    """`[airgaps]`, where they were looked for."""
    if not settings.get("IDENTIFY_AIRGAPS", default=False):
        for name in ("MAX_AIRGAP_PERIOD", "CHECK_AIRGAPS", "SKIP_AIRGAPS"):
            settings.used.add(name)
        return
    draft.put("airgaps", "identify", value=True, origin="IDENTIFY_AIRGAPS")
    draft.put("airgaps", "max_period", settings.typed("MAX_AIRGAP_PERIOD", int, 21600), "MAX_AIRGAP_PERIOD")
    for key, name in (("check", "CHECK_AIRGAPS"), ("skip", "SKIP_AIRGAPS")):
        if found := patterns(settings, draft, name):
            draft.put("airgaps", key, found, name)


def patterns(settings: Settings, draft: Draft, name: str) -> list[str]:
    """The patterns of a setting that are patterns here too."""
    return [one for one in settings.typed(name, (list, tuple), ()) if is_pattern(one, draft, name)]


def is_pattern(text: Any, draft: Draft, name: str) -> bool:
    """Whether a text is a pattern of metrics here too; if not, that is said."""
    if not isinstance(text, str) or not text:
        draft.drop(name, f"{text!r:.60} is no pattern")
        return False
    try:
        parse_pattern(text)
    except InputError as error:
        draft.drop(name, str(error))
        return False
    return True


def _is_seconds(value: Any, draft: Draft, name: str) -> bool:
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if not good:
        draft.drop(name, f"{value!r:.60} is no number of seconds")
    return good

"""What Skyline's settings say of its other programs: whom the analyzer hands things to, and where its figures go."""

from __future__ import annotations

from typing import Any, Final

from ridgeline.engine.config.skyline.analysis import patterns
from ridgeline.engine.config.skyline.draft import Draft
from ridgeline.engine.config.skyline.settings import Settings

UNCONFIGURED: Final = "YOUR_"  # how the shipped settings begin what is yet to be filled in
BATCHED_EVERY: Final = 60  # seconds


def translate_handoffs(settings: Settings, draft: Draft) -> None:
    """`[handoff]`: to the programs that are switched on."""
    if settings.get("ENABLE_MIRAGE", default=False):
        _path(settings, draft, "mirage_checks", "MIRAGE_CHECK_PATH", "/opt/skyline/mirage/check")
    if settings.get("PANORAMA_ENABLED", default=True):
        _path(settings, draft, "panorama_checks", "PANORAMA_CHECK_PATH", "/opt/skyline/panorama/check")
    if settings.get("ENABLE_CRUCIBLE", default=True) and settings.get("ANALYZER_CRUCIBLE_ENABLED", default=False):
        _path(settings, draft, "crucible_checks", "CRUCIBLE_CHECK_PATH", "/opt/skyline/crucible/check")
        _path(settings, draft, "crucible_data", "CRUCIBLE_DATA_FOLDER", "/opt/skyline/crucible/data")
    dump = settings.get("ANOMALY_DUMP")
    if isinstance(dump, str) and dump.startswith("/"):
        draft.put("handoff", "web_ui", dump, "ANOMALY_DUMP")
    elif dump:
        draft.drop("ANOMALY_DUMP", "it counts from Skyline's own folder: give the whole path as [handoff] web_ui")


def _path(settings: Settings, draft: Draft, key: str, name: str, usual: str) -> None:
    draft.put("handoff", key, settings.typed(name, str, usual), name)


def translate_statistics(settings: Settings, draft: Draft) -> None:
    """`[statistics]`: Graphite, where a host is filled in."""
    host = settings.get("SKYLINE_METRICS_CARBON_HOST") or settings.get("CARBON_HOST") or settings.get("GRAPHITE_HOST")
    port = settings.get("SKYLINE_METRICS_CARBON_PORT") or settings.get("CARBON_PORT") or 2003
    if isinstance(host, str) and host and not host.startswith(UNCONFIGURED):
        draft.put("statistics", "graphite", f"{host}:{port}", "SKYLINE_METRICS_CARBON_HOST, _PORT")
    name = settings.get("SERVER_METRICS_NAME")
    if isinstance(name, str) and name and not name.startswith(UNCONFIGURED):
        draft.put("statistics", "name", name, "SERVER_METRICS_NAME")
    canary = settings.get("CANARY_METRIC")
    if isinstance(canary, str) and canary:
        draft.put("statistics", "canary", canary, "CANARY_METRIC")


def translate_batch(settings: Settings, draft: Draft) -> None:
    """`[batch]`: which metrics are `ridgeline batch`'s; and that the agent does its work too."""
    if settings.get("BATCH_PROCESSING", default=False):
        if found := patterns(settings, draft, "BATCH_PROCESSING_NAMESPACES"):
            draft.put("batch", "match", found, "BATCH_PROCESSING_NAMESPACES")
            draft.put("agent", "batch_every", BATCHED_EVERY, "BATCH_PROCESSING")
    else:
        settings.used.add("BATCH_PROCESSING_NAMESPACES")


def translate_shards(settings: Settings, draft: Draft) -> None:
    """`[shards]`: the hosts, each at its place."""
    placed = settings.typed("HORIZON_SHARDS", dict, {})
    if not placed:
        return
    hosts = {place: host for host, place in placed.items() if isinstance(host, str) and type(place) is int}
    if len(hosts) < len(placed) or sorted(hosts) != list(range(len(placed))):
        draft.drop("HORIZON_SHARDS", "its places are not 0, 1, 2 and so on, each of one host: see [shards] hosts")
        return
    draft.put("shards", "hosts", [hosts[place] for place in sorted(hosts)], "HORIZON_SHARDS")
    draft.say("[shards] host is this machine's name unless it is set: it must be one of hosts (docs/shards.md)")


def translate_external(settings: Settings, draft: Draft) -> None:
    """`[[external_alerts]]`: addresses that more rules come from."""
    for name, options in settings.typed("EXTERNAL_ALERTS", dict, {}).items():
        _external(str(name), options, draft)


def _external(name: str, options: Any, draft: Draft) -> None:
    if not isinstance(options, dict) or not isinstance(options.get("url"), str):
        draft.drop("EXTERNAL_ALERTS", f"{name!r:.60} has no url")
        return
    method = str(options.get("method") or "GET").upper()
    draft.row("external_alerts", {"name": name, "url": options["url"], "method": method}, "EXTERNAL_ALERTS")
    if options.get("data"):
        draft.say(f"EXTERNAL_ALERTS {name!r}: what it posts is left out; give its token as token_env or token_file")

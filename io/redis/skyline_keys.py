"""The catalogue's rows for keys of Skyline: read from its siblings, or kept so that they find what they look for.

A feature that is not in `ridgeline.io.redis.acl.BUILT` is planned: nothing reads or writes its keys yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ridgeline.io.redis.key import OPERATORS, SIBLINGS, Key, Kind, Program

RUN: Final = ("run",)
BATCH: Final = ("batch",)
MANAGE: Final = ("manage",)
THEIRS: Final = (SIBLINGS,)
BOTH: Final = ("run", SIBLINGS)
IN_TWO: Final = frozenset({  # sets that Skyline has a copy of: how both differ is asked of the server
    f"{aet}analyzer.{name}"
    for aet in ("", "aet.")
    for name in ("unique_base_names", "smtp_alerter_metrics", "non_smtp_alerter_metrics")
})  # fmt: skip
DIFFERENCE: Final[dict[Kind, tuple[str, ...]]] = {
    "string": ("GET", "SET"),
    "set": ("SSCAN", "SADD", "SREM"),
    "hash": ("HSCAN", "HSET", "HDEL"),
}
KEPT: Final = ("manage", SIBLINGS)  # read by its writer too, for only what differs is written


def _rows(feature: str, *rows: tuple[str, Kind, str, str, tuple[str, ...], tuple[str, ...]]) -> tuple[Key, ...]:
    return tuple(Key(*row, feature) for row in rows)


def _sending(
    feature: str,
    *rows: tuple[str, Kind, str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    program: Program = "run",
) -> tuple[Key, ...]:
    """Rows whose last column is what a program sends, where that is not all that the key's type allows."""
    return tuple(Key(*row[:6], feature, ((program, row[6]), *_managed(row))) for row in rows)


def _managed(
    row: tuple[str, Kind, str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]],
) -> Iterator[tuple[Program, tuple[str, ...]]]:
    """What a pass of `manage` sends about a key that runs write too."""
    if "manage" in row[4]:
        yield "manage", DIFFERENCE[row[1]]


def _kept(feature: str, *rows: tuple[str, Kind, str, str, tuple[str, ...], tuple[str, ...]]) -> tuple[Key, ...]:
    """Rows of what a pass of `manage` keeps true, by its difference: nothing is ever replaced as a whole."""
    sent = (
        (*(("SDIFF",) if name in IN_TWO else ()), *DIFFERENCE[kind][: None if writers == MANAGE else 1])
        for name, kind, _, _, writers, _ in rows
    )
    return tuple(Key(*row, feature, (("manage", commands),)) for row, commands in zip(rows, sent, strict=True))


MUTES: Final = _rows(
    "mutes",
    ("alert.paused.<strategy>.<metric>", "string", "paused until, or any text", "the operator's", (OPERATORS,), RUN),
    ("metrics_manager.mute_alerts_on", "hash", "metric -> epoch of its end", "", (OPERATORS, "manage"), ("run", "manage")),
)  # fmt: skip

SKIPS: Final = _sending(
    "skips",
    ("metrics_manager.api_skip_analysis", "hash", "metric -> epoch of its end", "", (OPERATORS, "manage"), ("run", "batch", "manage"), ("HSCAN",)),
)  # fmt: skip

PUT: Final = ("UNLINK", "RENAME", "PERSIST")  # filled elsewhere, and put in place at once,
PART: Final = ("SSCAN", "SADD", "SREM")  # or, where several hosts share it, read and changed in part
PART_OF_HASH: Final = ("HSCAN", "HSET", "HDEL")
SWITCHED: Final = (*PUT, *PART)  # read also by a run that cannot see every metric

BOOKKEEPING: Final = _sending(
    "bookkeeping",
    ("analyzer", "string", "epoch of the run: alive", "120", RUN, THEIRS, ("SET",)),
    ("redis", "string", "epoch of the run: Redis is there", "120", RUN, THEIRS, ("SET",)),
    ("analyzer.boring", "set", "metrics, and _updated_at_<time>", "", RUN, BOTH, SWITCHED),
    ("analyzer.too_short", "set", "metrics, and _updated_at_<time>", "", RUN, BOTH, SWITCHED),
    ("analyzer.stale", "set", "metrics, and _updated_at_<time>", "", RUN, BOTH, SWITCHED),
    ("aet.analyzer.boring", "set", "the period before's", "", RUN, BOTH, ("SSCAN", *PUT)),
    ("aet.analyzer.too_short", "set", "the period before's", "", RUN, BOTH, ("SSCAN", *PUT)),
    ("aet.analyzer.stale", "set", "the run before's", "", RUN, BOTH, ("SSCAN", *PUT)),
    ("analyzer.algorithm.exception.metric.sets", "string", "epoch: time of the rotation", "300", RUN, RUN, ("MGET", "SET")),
    ("analyzer.not_anomalous_metrics", "set", "repr [metric, timestamp]", "", RUN, THEIRS, SWITCHED),
    ("aet.analyzer.not_anomalous_metrics", "set", "the run before's", "", RUN, THEIRS, PUT),
    ("analyzer.real_anomalous_metrics.<epoch>", "set", "repr [value, metric, timestamp], of one run", "900", RUN, BOTH, ("UNLINK", "RENAME", "EXPIRE", *PART)),
    ("analyzer.real_anomalous_metrics", "set", "what a crashed Skyline left; cleared", "", BOTH, THEIRS, ("UNLINK",)),
    ("analyzer.anomalous_metrics", "set", "what a crashed Skyline left; cleared", "", BOTH, THEIRS, ("UNLINK",)),
    ("analyzer.all_anomalous_metrics", "set", "what a crashed Skyline left; cleared", "", BOTH, THEIRS, ("UNLINK",)),
    ("analyzer.alert_on_stale_metrics", "set", "keys of newly stale series", "", RUN, THEIRS, SWITCHED),
    ("analyzer.metrics.last_timeseries_timestamp", "hash", "metric -> newest timestamp", "", ("run", "manage"), ("manage", SIBLINGS), ("HSET",)),
    ("analyzer.metrics.last_analyzed_timestamp", "hash", "metric -> timestamp", "", ("run", "manage"), ("manage", SIBLINGS), ("HSET",)),
    ("analyzer.metrics_manager.custom_stale_periods", "hash", "metric -> seconds", "", ("run", "manage"), KEPT, (*PUT, *PART_OF_HASH)),
    ("analyzer.run_time", "hash", "value, timestamp", "", RUN, THEIRS, ("HSET",)),
    ("analyzer.total_metrics", "hash", "value, timestamp", "", RUN, THEIRS, ("HSET",)),
    ("analyzer.total_analyzed", "hash", "value, timestamp", "", RUN, THEIRS, ("HSET",)),
    ("namespace.analysed_events.analyzer.<date>", "hash", "namespace -> metrics analysed", "1296000", RUN, ("manage", SIBLINGS), ("HINCRBY", "EXPIRE")),
    ("analyzer.last_all_alerts", "string", "repr of the alert rules", "", ("run", "manage"), KEPT, ("SET",)),
    ("analyzer.log.errors.per_minute", "string", "problems of the run, where there were any", "119", RUN, THEIRS, ("SET",)),
    ("panorama.alert.<timestamp>.<metric>", "string", "repr [metric, timestamp, epoch of the alert]", "86400", RUN, THEIRS, ("SET",)),
    ("panorama.alerts", "hash", "<timestamp>.<metric> -> repr of the alert", "", ("run", SIBLINGS), BOTH, ("HSCAN", "HSET", "HDEL")),
    ("panorama.anomaly_id.<timestamp>.<metric>", "string", "Panorama's id", "Panorama's", THEIRS, RUN, ("MGET",)),
    ("last_alert.stale.<metric>", "string", "the newest timestamp, told of as stale", "the stale period", RUN, BOTH, ("MGET", "PTTL", "SET")),
)  # fmt: skip

SHARDS: Final = _sending(
    "shards",
    ("analyzer.run_time.<host>", "hash", "value, timestamp: of one of several hosts", "", RUN, THEIRS, ("HSET",)),
    ("analyzer.total_metrics.<host>", "hash", "the same", "", RUN, THEIRS, ("HSET",)),
    ("analyzer.total_analyzed.<host>", "hash", "the same", "", RUN, THEIRS, ("HSET",)),
)

SECOND_ORDER: Final = _rows(
    "second order",
    ("trigger_history.<metric>", "string", "msgpack [time, value] of triggers", "", RUN, BOTH),
)

# Told as a whole now and then, and in between what changed.
TOLD: Final = _sending(
    "preparation",
    ("derivative_metrics", "set", "keys of counters, and skyline_set_as_of_<epoch>", "", RUN, ("run", "manage", SIBLINGS), SWITCHED),
    ("non_derivative_metrics", "set", "keys of others, and skyline_set_as_of_<epoch>", "", RUN, THEIRS, SWITCHED),
    ("analyzer.derivative_metrics_expiry", "string", "epoch: when both were told as a whole", "1800", RUN, THEIRS, ("SET",)),
    ("analyzer.metrics_manager.resolutions", "hash", "metric -> seconds", "", RUN, ("batch", SIBLINGS), ("HSET",)),
    ("analyzer.metrics_manager.hash_key.metrics_data_sparsity", "hash", "key -> percent", "", ("run", "manage"), ("manage", SIBLINGS), ("UNLINK", *PART_OF_HASH)),
    ("analyzer.metrics_manager.metrics_fully_populated", "set", "keys", "", ("run", "manage"), THEIRS, SWITCHED),
)  # fmt: skip

LISTED: Final = _kept(
    "manage",
    ("aet.metrics_manager.derivative_metrics", "set", "keys of counters", "", MANAGE, KEPT),
    ("metrics_manager.always_derivative_metrics", "set", "keys", "", MANAGE, KEPT),
    ("metrics_manager.non_derivative_metrics", "set", "metrics", "", MANAGE, KEPT),
    ("metrics_manager.longterm_non_derivative_metrics", "hash", "key -> epoch", "", THEIRS, MANAGE),
    ("metrics_manager.zero_fill_metrics", "set", "metrics", "", MANAGE, KEPT),
    ("metrics_manager.last_known_value_metrics", "set", "metrics", "", MANAGE, KEPT),
    ("analyzer.metrics_manager.metrics_sparsity_increasing", "set", "keys of series that became sparser within an hour", "", MANAGE, KEPT),
    ("analyzer.metrics_manager.metrics_sparsity_decreasing", "set", "keys of series that became denser within an hour", "", MANAGE, KEPT),
    ("analyzer.metrics_manager.metrics_sparsity.<number>", "string", "avg_sparsity, and counts of metrics by how dense they are", "", MANAGE, KEPT),
)  # fmt: skip

AIRGAPS: Final = _rows(
    "airgaps",
    ("analyzer.airgapped_metrics", "set", "repr [metric, resolution, start, end, 0]", "", RUN, BOTH),
    ("analyzer.airgapped_metrics.filled", "set", "the same, filled", "", ("run", SIBLINGS), BOTH),
    ("analyzer.unordered_timeseries", "set", "keys of series whose points are out of order", "", RUN, BOTH),
)

HANDOFFS: Final = _rows(
    "handoffs",
    ("analyzer.sent_to_mirage", "set", "metrics of this run, until it ends", "", RUN, THEIRS),
    ("mirage.sent_to_panorama", "set", "metrics that Mirage did not answer", "", RUN, THEIRS),
    ("analyzer.mirage_check_sent.<timestamp>.<metric>", "string", "timestamp", "300", RUN, BOTH),
    ("analyzer.waterfall_alerts.sent_to_mirage", "set", "repr [metric, timestamp, value, added, panorama]", "", RUN, BOTH),
    ("analyzer.waterfall.alert.<timestamp>.<metric>", "string", "epoch", "300", RUN, BOTH),
)  # fmt: skip

BATCHES: Final = _rows(
    "batch",
    ("analyzer_batch", "string", "epoch: alive", "3 x its period, or 900", BATCH, BOTH),
    ("analyzer.batch", "set", "repr [key, last timestamp, flag]", "", ("run", "batch"), ("run", "batch")),
    ("analyzer.last_timestamp.base_names", "hash", "metric -> watermark", "", ("run", "batch"), ("run", "batch", SIBLINGS)),
    ("last_timestamp.<metric>", "string", "watermark", "2592000", BATCH, ("run", "batch", SIBLINGS)),
    ("analyzer_batch.anomaly.<timestamp>.<metric>", "string", "timestamp", "86400", BATCH, THEIRS),
    ("analyzer_batch.alerts", "hash", "<timestamp>.<metric> -> repr", "", ("run", "batch"), ("run", "batch")),
    ("analyzer.batch_processing_metrics", "set", "metrics of this run", "", RUN, THEIRS),
    ("aet.analyzer.batch_processing_metrics", "set", "those of the run before", "", RUN, THEIRS),
)  # fmt: skip

BATCH_COUNTS: Final = _sending(
    "batch",
    ("namespace.analysed_events.analyzer_batch.<date>", "hash", "namespace -> points analysed", "1296000", BATCH, ("manage", SIBLINGS), ("HMGET", "HINCRBY", "EXPIRE")),
    program="batch",
)  # fmt: skip

MANAGED: Final = _kept(
    "manage",
    ("analyzer.metrics_manager", "string", "epoch: alive", "120", MANAGE, THEIRS),
    ("analyzer.metrics_manager.run_time", "string", "seconds of the last pass", "", MANAGE, THEIRS),
    ("analyzer.unique_base_names", "set", "metrics", "", MANAGE, KEPT),
    ("aet.analyzer.unique_base_names", "set", "metrics", "", MANAGE, KEPT),
    ("ridgeline.inactive", "hash", "metrics that are listed no more: metric -> JSON", "", MANAGE, MANAGE),
    ("ridgeline.density", "string", "densities as last seen, and when they changed: JSON", "", MANAGE, MANAGE),
    ("ridgeline.density.<host>", "string", "the same of the metrics of one of several hosts", "", MANAGE, MANAGE),
    ("metrics_manager.last_all_alerts", "string", "repr of the alert rules", "", MANAGE, KEPT),
    ("analyzer.smtp_alerter_metrics", "set", "metrics with an smtp rule", "", MANAGE, KEPT),
    ("analyzer.non_smtp_alerter_metrics", "set", "metrics without one", "", MANAGE, KEPT),
    ("aet.analyzer.smtp_alerter_metrics", "set", "metrics with an smtp rule", "", MANAGE, KEPT),
    ("aet.analyzer.non_smtp_alerter_metrics", "set", "metrics without one", "", MANAGE, KEPT),
    ("mirage.unique_metrics", "set", "keys of Mirage's metrics", "", MANAGE, KEPT),
    ("mirage.hash_key.metrics_resolutions", "hash", "metric -> hours", "", MANAGE, KEPT),
    ("mirage.hash_key.metrics_expiration_times", "hash", "metric -> seconds", "", MANAGE, KEPT),
    ("metrics_manager.batch_processing_namespaces", "set", "patterns", "", MANAGE, KEPT),
    ("metrics_manager.batch_processing_namespaces_full_durations", "hash", "pattern -> seconds", "", MANAGE, KEPT),
    ("metrics_manager.batch_processing_namespaces_custom_stale_period", "hash", "pattern -> seconds", "", MANAGE, KEPT),
    ("metrics_manager.analyzer.skyline_feedback_metrics", "set", "metrics", "", MANAGE, KEPT),
    ("analyzer.metrics_manager.analyzer_skip", "set", "metrics", "", MANAGE, KEPT),
    ("metrics_manager.do_not_alert_on_stale_metrics", "set", "metrics", "", MANAGE, KEPT),
    ("metrics_manager.filesafe_base_names", "hash", "file name -> metric", "", MANAGE, KEPT),
    ("namespace.analysed_events.<app>.<date>", "hash", "namespace -> events", "1296000", THEIRS, MANAGE),
    ("metrics_manager.namespace.analysed_events", "hash", "midnight -> repr", "", MANAGE, KEPT),
)  # fmt: skip

MEMORY: Final = _sending(
    "memory",
    ("flux.filled_metrics", "hash", "metric -> when its gaps were filled", "", THEIRS, BOTH, ("HSCAN",)),
    ("flux.sort_and_dedup.metrics", "set", "metrics whose points are to be sorted anew", "", THEIRS, BOTH, ("SSCAN",)),
    ("mirage.filled", "set", "metrics whose gaps Mirage filled", "", THEIRS, BOTH, ("SSCAN",)),
)  # fmt: skip

REMOTE: Final = _rows(
    "remote",
    ("ionosphere.training_data", "set", "repr [metric, timestamp, seconds]: what is here", "", THEIRS, ("manage", SIBLINGS)),
    ("ionosphere.training_data_with_do_not_train", "set", "the same, with what is not to be trained on", "", THEIRS, ("manage", SIBLINGS)),
    ("analyzer.metrics_manager.training_data_fetched.<metric>.<timestamp>", "string", "epoch: all its files were fetched", "900 while it is new, then 259200", MANAGE, ("manage", SIBLINGS)),
    ("analyzer.metrics_manager.local_features_profile_dirs", "hash", "a profile's folder as Skyline calls it -> where it lies here", "", MANAGE, ("manage", SIBLINGS)),
    ("analyzer.metrics_manager.local_features_profile_dirs.to_update", "hash", "profile id -> folder: to be fetched once more", "", ("manage", SIBLINGS), ("manage", SIBLINGS)),
)  # fmt: skip

SKYLINE: Final = (
    *MUTES,
    *SKIPS,
    *BOOKKEEPING,
    *SHARDS,
    *SECOND_ORDER,
    *TOLD,
    *LISTED,
    *AIRGAPS,
    *HANDOFFS,
    *BATCHES,
    *BATCH_COUNTS,
    *MANAGED,
    *MEMORY,
    *REMOTE,
)

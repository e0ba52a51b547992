"""Settings of Skyline that have no place in Ridgeline's configuration, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ridgeline.engine.config.skyline.settings import Settings

NO_RULE: Final = "no rule of ALERTS uses this channel"
# By the beginning of their names; the first that fits.
REASONS: Final = (
    ("IONOSPHERE", "Ionosphere's"),
    ("LUMINOSITY", "Luminosity's"),
    ("PANORAMA_", "Panorama's"),
    ("MIRAGE_", "Mirage's"),
    ("BOUNDARY_", "Boundary's"),
    ("CRUCIBLE_", "Crucible's"),
    ("WEBAPP_", "the web application's"),
    ("THUNDER_", "Thunder's"),
    ("SNAB_", "SNAB's"),
    ("FLUX_", "Flux's"),
    ("VISTA_", "Vista's"),
    ("VORTEX_", "Vortex's"),
    ("HORIZON_SHARD", "Horizon's: where it takes in what is for other hosts"),
    ("HORIZON_", "Horizon's"),
    ("ROOMBA_", "Horizon's: Ridgeline never trims a series"),
    ("OCULUS_", "Oculus' and Horizon's"),
    ("MINI_", "Oculus' and Horizon's"),
    ("SKIP_LIST", "Horizon's: what it lets in"),
    ("DO_NOT_SKIP_LIST", "Horizon's: what it lets in"),
    ("MAX_RESOLUTION", "Horizon's"),
    ("DEBUG_", "of Skyline's own working"),
    ("CUSTOM_ALGORITHMS", "write them as modules of [analysis] modules (docs/algorithms.md)"),
    ("ANALYZER_PROCESSES", "one process; [run] threads, by default as many as there are CPUs"),
    ("MAX_ANALYZER_PROCESS_RUNTIME", "[run] deadline bounds the whole run"),
    ("ANALYZER_CHECK_LAST_TIMESTAMP", "every metric is judged in every run, which is cheap enough"),
    (
        "ANALYZER_ANALYZE_LOW_PRIORITY",
        "every metric is judged; what a deadline leaves out is the first of the next run",
    ),
    ("ANALYZER_DYNAMICALLY_ANALYZE", "every metric is judged; what a deadline leaves out is the first of the next run"),
    ("ANALYZER_MAD_LOW_PRIORITY", "every metric is judged; what a deadline leaves out is the first of the next run"),
    ("LOAD_SHEDDING", "what a deadline leaves out is the first of the next run"),
    ("IDENTIFY_UNORDERED", "unordered series are found with the airgaps"),
    ("ENABLE_FULL_DURATION_ALERTS", "an anomaly goes to Mirage or to people, as its rule says"),
    ("ENABLE_ALGORITHM_RUN_METRICS", "always part of the statistics"),
    ("BATCH_PROCESSING_", "`ridgeline batch` has its own"),
    ("CHECK_DATA_SPARSITY", "always published"),
    ("PLOT_REDIS_DATA", "[delivery] pictures"),
    ("CUSTOM_ALERT_OPTS", "wording is the channels'"),
    ("GRAPHITE_", "of graphs in alerts; [links] takes their addresses"),
    ("SYSLOG_", NO_RULE),
    ("PAGERDUTY_", NO_RULE),
    ("SLACK_", NO_RULE),
    ("HTTP_ALERTERS_", NO_RULE),
    ("AWS_SNS", NO_RULE),
    ("SMS_", NO_RULE),
    ("SMTP_", NO_RULE),
    ("HIPCHAT_", NO_RULE),
    ("AWS_OPTS", "boto3's own configuration"),
    ("LOG_PATH", "[log] file"),
    ("PID_PATH", "a lock in [output] directory, or in the user's state folder"),
    ("SKYLINE_TMP_DIR", "no temporary folder is needed"),
    ("ANALYZER_VERBOSE_LOGGING", "[log]"),
    ("ANALYZER_", "of Skyline's own working"),
    ("CARBON_PICKLE", "figures go by the plaintext protocol"),
    ("SKYLINE_METRICS_CARBON_PICKLE", "figures go by the plaintext protocol"),
    ("REDIS_", "of Skyline's own working"),
    ("MEMCACHE_", "no memcached is used"),
    ("PANDAS_", "pandas is not used"),
    ("DOCKER_FAKE", "`ridgeline run --dry-run` sends nothing"),
)
OTHER: Final = "no setting that the analyzer's work depends on"


def unused(settings: Settings) -> Iterable[tuple[int, str, str]]:
    """(line, name, why) of every setting that nothing was made of, in the order of the file."""
    for name, line in sorted(settings.lines.items(), key=lambda pair: pair[1]):
        if name not in settings.used and name in settings.names and name.isupper():
            yield line, name, next((why for start, why in REASONS if name.startswith(start)), OTHER)

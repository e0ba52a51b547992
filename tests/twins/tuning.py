"""What a setting comes to, by plain loops over a backtest's stored scores."""

import numpy as np
import pyarrow.parquet as pq

from ridgeline.engine.evaluate.detections import Detections


def steps_of(folder, columns):
    """The stored steps of each metric, as dicts."""
    found = {}
    for part in sorted((folder / "scores").glob("*.parquet")):
        for row in pq.read_table(part, columns=["metric", "timestamp", *columns]).to_pylist():
            found.setdefault(row["metric"], []).append(row)
    return found


def rule_score(row, setting, algorithms):
    """The score of the setting's rule before its threshold; None where nothing judged the step."""
    column = setting.column
    if column.rule != "consensus":
        return row[f"{column.rule}_score"]
    scores = []
    for name in algorithms:
        score = row[f"{name}_score"]
        if score is not None:
            off = column.cutoff is not None and column.cutoff[0] == name
            scores.append(float(np.float32(score) / np.float32(column.cutoff[1])) if off else score)
        else:
            scores.append(0.0)
    if all(row[f"{name}_score"] is None for name in algorithms):
        return None
    return sorted(scores, reverse=True)[column.consensus - 1]


def alerted(rows, setting, algorithms):
    """Which steps of one metric alert: bool of each, by the threshold, m of n of the judged steps, the expiration."""
    through, recent, quiet = [], [], None
    m, n = setting.m_of_n
    for row in rows:
        score = rule_score(row, setting, algorithms)
        hit = score is not None and score > setting.threshold
        if score is not None:
            recent.append(hit)
        alert = hit and sum(recent[-n:]) >= m and (quiet is None or row["timestamp"] >= quiet)
        if alert:
            quiet = row["timestamp"] + setting.expiration
        through.append(alert)
    return through


def detections(folder, setting, algorithms):
    """The setting's alerts as detections that `evaluate` takes."""
    walks = [] if setting.column.rule == "consensus" else [f"{setting.column.rule}_score"]
    found = []
    for metric, rows in steps_of(folder, [f"{name}_score" for name in algorithms] + walks).items():
        stamps = np.array([row["timestamp"] for row in rows])
        found.append(Detections(metric, stamps, np.array(alerted(rows, setting, algorithms), float)))
    return found

"""Recorded and seen things as flat dictionaries, name -> value, so that one comparison serves them all.

A name is `KIND:WHAT`, and `KIND:WHAT#PART` for a part of it: a member of a set, a field of a hash, of a body, of a verdict.
"""

import ast
import hashlib

from rigs.golden.plain import alike, plain

OUTCOMES = {
    "TooShort": "too_short",
    "Stale": "stale",
    "Boring": "boring",
    "EmptyTimeseries": "no points",
    "missing": "no points",
    "rejected": "no points",
    "empty": "no points",
    "skipped": "not judged",
}
DUMP = "handle_data("
LONG = 4000  # bytes of a file, beyond which recordings hold its hash


def keys(found):
    """Of keys: type, ttl and content."""
    flat = {}
    for key, entry in found.items():
        name, value = f"key:{key}", entry["value"]
        flat[name] = alike(value) if entry["type"] == "string" and isinstance(value, str) else entry["type"]
        flat[f"{name}#ttl"] = entry["ttl"]
        if isinstance(value, list):
            flat |= {f"{name}#{alike(member)}": "a member" for member in value}
        elif isinstance(value, dict):  # a hash, or length and hash of bytes
            flat |= {f"{name}#{field}": alike(str(text)) for field, text in value.items()}
    return flat


def recorded_verdicts(found):
    """Of what Skyline's ensemble was given and said."""
    flat = {}
    for metric, verdict in found.items():
        name = f"verdict:{metric}"
        if "not_given_to_the_ensemble" in verdict:
            flat[name] = "not judged"
        elif "exception" in verdict:
            flat[name] = OUTCOMES.get(verdict["exception"], verdict["exception"])
        else:
            flat[name] = "anomalous" if verdict["anomalous"] else "normal"
            flat |= _judged(name, verdict["last"], verdict["datapoint"], verdict["n"], verdict["first"])
            flat |= {
                f"{name}#{algorithm}": vote
                for algorithm, vote in zip(verdict["algorithms_run"], verdict["ensemble"], strict=True)
            }
    return flat


def seen_verdicts(found, algorithms, metrics):
    """Of Ridgeline's verdicts on `metrics`; it gives none on what it need not read."""
    flat = {f"verdict:{metric}": "not judged" for metric in metrics if metric not in found}
    for metric, verdict in found.items():
        name = f"verdict:{metric}"
        if verdict["outcome"] != "analysed":
            flat[name] = OUTCOMES.get(verdict["outcome"], verdict["outcome"])
            continue
        flat[name] = "anomalous" if verdict["anomalous"] else "normal"
        last = (verdict["timestamp"], verdict["datapoint"])
        flat |= _judged(name, last, verdict["datapoint"], verdict["points"], verdict["first"])
        flat |= {f"{name}#{algorithm}": verdict[algorithm] for algorithm in algorithms}
    return flat


def _judged(name, last, datapoint, points, first):
    return {
        f"{name}#timestamp": int(last[0]),
        f"{name}#datapoint": alike(str(datapoint)),
        f"{name}#points": points,
        f"{name}#first": alike(str(list(first[:2]))),
    }


def recorded_files(found):
    """Of files that were made, changed or deleted; long ones by their hash."""
    flat = {}
    for entry in found:
        text = entry.get("content")
        content = entry.get("sha256") if text is None else text
        flat |= _file(f"file:{entry['path']}", "deleted" if entry["what"] == "deleted" else content)
    return flat


def seen_files(found):
    """Of files, their content as bytes or None for one that is gone."""
    flat = {}
    for path, content in found.items():
        if content is None:
            flat[f"file:{path}"] = "deleted"
        elif len(content) > LONG:
            flat[f"file:{path}"] = hashlib.sha256(content).hexdigest()[:16]
        else:
            flat |= _file(f"file:{path}", content.decode())
    return flat


def _file(name, text):
    """A file by its text; the dump for the web UI by what it lists."""
    if text is None or not text.startswith(DUMP):
        return {name: text}
    listed = ast.literal_eval(text.removeprefix(DUMP).removesuffix(")"))
    return {name: DUMP, **{f"{name}#{plain(anomaly)!r}": "listed" for anomaly in listed}}

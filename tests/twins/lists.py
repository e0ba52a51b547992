"""What a pass over the lists should leave in Redis, in plain loops: one metric and one rule at a time.

`held` is what Redis held before it: by key a str, a set of str, or a dict. What is returned has the same form.
"""

import datetime as dt
import json
from dataclasses import dataclass
from operator import itemgetter

from twins.matching import by_the_book

DAY = 86400
STALE = "analyzer.metrics_manager.custom_stale_periods"
SPARSITY = "analyzer.metrics_manager.metrics_sparsity"
BATCH = "metrics_manager.batch_processing_namespaces"
EVENTS = "metrics_manager.namespace.analysed_events"


@dataclass(frozen=True)
class Rules:
    """The part of a configuration that lists follow from. `alerts`: (match, strategies, expiration, hours)."""

    alerts: tuple = ()
    skip: tuple = ()
    zero_fill: tuple = ()
    last_known_value: tuple = ()
    non_derivative: tuple = ()
    counters: tuple = ()
    stale: tuple = ()  # (match, seconds)
    windows: tuple = ()  # (match, seconds)
    quiet: tuple = ()
    batch: tuple = ()
    name: str = ""
    mirage: bool = True
    stale_period: int = 500
    window: int = DAY


def after_a_pass(names, rules, held, now, prefix="metrics."):
    """Everything that a pass keeps, after it; numbers of densities left out."""
    found = _sets(names, rules, held, now, prefix)
    found |= _hashes(names, rules, held, now, prefix)
    told = []
    for match, strategies, expiration, hours in rules.alerts:
        told += [[match, strategy, expiration, *([hours] if hours else [])] for strategy in strategies]
    told.sort(key=itemgetter(0))
    found["analyzer.last_all_alerts"] = found["metrics_manager.last_all_alerts"] = repr(told)
    return {key: value for key, value in found.items() if value}


def _any(patterns, name):
    return any(by_the_book(pattern, name) for pattern in patterns)


def _deciding(rules, name):
    """By strategy the first rule that names it and matches."""
    chosen = {}
    for match, strategies, expiration, hours in rules.alerts:
        for strategy in strategies:
            if strategy not in chosen and by_the_book(match, name):
                chosen[strategy] = (expiration, hours)
    return chosen


def _mirage(rules, name):
    """(expiration, hours) of the rule that makes a metric Mirage's; the first strategy that any rule names goes first."""
    chosen = _deciding(rules, name)
    order = dict.fromkeys(strategy for _, strategies, _, _ in rules.alerts for strategy in strategies)
    for strategy in order:
        if rules.mirage and strategy in chosen and chosen[strategy][1] > 24:
            return chosen[strategy]
    return None


def _sets(names, rules, held, now, prefix):
    mailed = {
        name for name in names if any("smtp" in each and by_the_book(match, name) for match, each, _, _ in rules.alerts)
    }
    found = {"analyzer.unique_base_names": set(names)}
    found["analyzer.smtp_alerter_metrics"] = mailed
    found["analyzer.non_smtp_alerter_metrics"] = set(names) - mailed
    for key in list(found):
        found[f"aet.{key}"] = found[key]
    found["mirage.unique_metrics"] = {prefix + name for name in names if _mirage(rules, name)}
    found["metrics_manager.analyzer.skyline_feedback_metrics"] = {
        name for name in names if rules.name and by_the_book(rules.name, name)
    }
    found[BATCH] = set(rules.batch)
    asked = {name for name, end in held.get("metrics_manager.api_skip_analysis", {}).items() if not _is_over(end, now)}
    found["analyzer.metrics_manager.analyzer_skip"] = {
        name for name in names if _any(rules.skip, name) or name in asked
    }
    for key, patterns in (
        ("do_not_alert_on_stale_metrics", rules.quiet),
        ("zero_fill_metrics", rules.zero_fill),
        ("last_known_value_metrics", rules.last_known_value),
        ("non_derivative_metrics", rules.non_derivative),
    ):
        found[f"metrics_manager.{key}"] = {name for name in names if _any(patterns, name)}
    declared = {name for name in names if _any(rules.counters, name) and not _any(rules.non_derivative, name)}
    refuted = {
        key
        for key, when in held.get("metrics_manager.longterm_non_derivative_metrics", {}).items()
        if _number(when) >= now - 88000
    }
    current = {
        name
        for name in names
        if prefix + name in held.get("derivative_metrics", set())
        and not _any(rules.non_derivative, name)
        and prefix + name not in refuted
    }
    found["metrics_manager.always_derivative_metrics"] = {prefix + name for name in declared}
    found["aet.metrics_manager.derivative_metrics"] = {prefix + name for name in declared | current}
    return found


def _hashes(names, rules, held, now, prefix):
    found = {}
    theirs = {name: _mirage(rules, name) for name in names if _mirage(rules, name)}
    found["mirage.hash_key.metrics_expiration_times"] = {name: str(one[0]) for name, one in theirs.items()}
    found["mirage.hash_key.metrics_resolutions"] = {name: str(one[1]) for name, one in theirs.items()}
    found[f"{BATCH}_full_durations"] = {match: str(seconds) for match, seconds in rules.windows}
    found[f"{BATCH}_custom_stale_period"] = {match: str(seconds) for match, seconds in rules.stale}
    found[STALE] = {}
    for name in names:
        own = [seconds for match, seconds in rules.stale if by_the_book(match, name)]
        if own and own[-1] != rules.stale_period:
            found[STALE][name] = str(own[-1])
    for key in ("analyzer.metrics.last_timeseries_timestamp", "analyzer.metrics.last_analyzed_timestamp"):
        old = held.get(key, {})
        found[key] = {name: text for name, text in old.items() if _number(text) >= now - rules.window}
    for key in ("metrics_manager.api_skip_analysis", "metrics_manager.mute_alerts_on"):
        found[key] = {name: end for name, end in held.get(key, {}).items() if not _is_over(end, now)}
    found["metrics_manager.filesafe_base_names"] = {}
    for name in sorted(names, key=lambda name: (prefix + name).encode()):
        safe = "".join(c for c in name if c.isalnum() or c in "._-")
        if safe and safe != name:
            found["metrics_manager.filesafe_base_names"].setdefault(safe, name)
    inactive = dict(held.get("ridgeline.inactive", {}))
    for name in held.get("analyzer.unique_base_names", set()) - set(names):
        inactive.setdefault(name, json.dumps({"since": now}, separators=(",", ":")))
    found["ridgeline.inactive"] = {
        name: text
        for name, text in inactive.items()
        if name not in names and json.loads(text)["since"] >= now - 90 * DAY
    }
    found[EVENTS] = _events(held, now)
    return found


def _events(held, now):
    told = {day: text for day, text in held.get(EVENTS, {}).items() if int(day) >= now - 90 * DAY}
    today = dt.datetime.fromtimestamp(now, dt.UTC).date()
    for back in range(16):
        day = today - dt.timedelta(days=back)
        whole, apps = {}, {}
        for app in ("analyzer_batch", "mirage", "analyzer", "boundary"):
            counts = {name: int(text) for name, text in held.get(f"namespace.analysed_events.{app}.{day}", {}).items()}
            if counts:
                apps[app] = dict(sorted(counts.items()))
            for name, count in sorted(counts.items()):
                whole[name] = whole.get(name, 0) + count
        if apps:
            midnight = int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())
            each = {"date": day.isoformat(), "total": sum(whole.values()), "total_analysed_events": whole}
            told[str(midnight)] = repr(each | apps)
    return told


def _number(text):
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _is_over(end, now):
    """Whether an operator's word names a time that has come; one that names none holds."""
    return _number(end) <= now

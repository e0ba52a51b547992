"""`ridgeline.skyline`: every documented name of Skyline's package, with its parameters and a docstring of its own."""

import inspect
import subprocess
import sys
import threading
from importlib import import_module

import pytest

from ridgeline.io.errors import RidgelineError

SERIES = "timeseries"
SERIES_BATCH = "timeseries use_full_duration"
ERROR = "algorithm_name traceback_format_exc_string"
ALERT = "alert metric context"
NINE = [
    "median_absolute_deviation",
    "grubbs",
    "first_hour_average",
    "stddev_from_average",
    "stddev_from_moving_average",
    "mean_subtraction_cumulation",
    "least_squares",
    "histogram_bins",
    "ks_test",
]

# What Skyline documents: module -> function, or class and method -> parameters.
FUNCTIONS = {
    "algorithms": {
        **dict.fromkeys([*NINE, "tail_avg", "determine_median", "negatives_present"], SERIES),
        "determine_array_median": "array",
        "get_function_name": "",
        "record_algorithm_error": ERROR,
        "is_anomalously_anomalous": "metric_name ensemble datapoint",
        "identify_airgaps": "metric_name timeseries airgapped_metrics airgapped_metrics_filled",
        "run_selected_algorithm": (
            "timeseries metric_name airgapped_metrics airgapped_metrics_filled run_negatives_present "
            "check_for_airgaps_only custom_stale_metrics_dict"
        ),
    },
    "algorithms_batch": {
        **dict.fromkeys([*NINE, "tail_avg", "determine_median", "negatives_present"], SERIES_BATCH),
        "determine_array_median": "array",
        "get_function_name": "",
        "record_algorithm_error": ERROR,
        "run_selected_batch_algorithm": "timeseries metric_name run_negatives_present",
    },
    "alerters": dict.fromkeys(
        [
            "alert_smtp",
            "alert_pagerduty",
            "alert_hipchat",
            "alert_syslog",
            "alert_stale_digest",
            "alert_slack",
            "alert_http",
            "alert_sms",
            "trigger_alert",
        ],
        ALERT,
    ),
    "agent": {"run": ""},
    "agent_batch": {"run": ""},
}
METHODS = {
    ("analyzer", "Analyzer"): {
        "__init__": "parent_pid",
        "check_if_parent_is_alive": "",
        "uniq_datapoints": "timeseries",
        "spawn_alerter_process": ALERT,
        "spin_process": "i_process unique_metrics",
        "run": "",
    },
    ("analyzer_batch", "AnalyzerBatch"): {
        "__init__": "parent_pid",
        "check_if_parent_is_alive": "",
        "spin_batch_process": "i run_timestamp metric_name last_analyzed_timestamp batch",
        "run": "",
    },
    ("metrics_manager", "Metrics_Manager"): {
        "__init__": "parent_pid",
        "check_if_parent_is_alive": "",
        "assigned_to_shard": "metric_name",
        "get_remote_data": "remote_skyline_instance data_required endpoint save_file",
        "sync_cluster_files": "i",
        "metric_management_process": "i",
        "run": "",
    },
    ("agent", "AnalyzerAgent"): {"__init__": "", "run": ""},
    ("agent_batch", "AnalyzerBatchAgent"): {"__init__": "", "run": ""},
}
DEFAULTS = {"batch": [], "save_file": False}
DEBUG = ("alerters", "algorithms_batch")
EXCEPTIONS = ("TooShort", "Stale", "Boring", "EmptyTimeseries")


def module(name):
    return import_module(f"ridgeline.skyline.{name}")


def listed(table):
    return [(place, name, parameters) for place, names in table.items() for name, parameters in names.items()]


def check_parameters(function, wanted):
    found = inspect.signature(function).parameters
    assert [name for name in found if name != "self"] == wanted.split()
    for name, parameter in found.items():
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert parameter.default == DEFAULTS.get(name, inspect.Parameter.empty)


@pytest.mark.parametrize(("place", "name", "parameters"), listed(FUNCTIONS))
def test_functions(place, name, parameters):
    function = getattr(module(place), name)
    assert inspect.isfunction(function)
    assert function.__name__ == name
    check_parameters(function, parameters)
    assert len(function.__doc__) > 10


@pytest.mark.parametrize(("place", "name", "parameters"), listed(METHODS))
def test_methods(place, name, parameters):
    where, owner = place
    found = getattr(module(where), owner)
    check_parameters(getattr(found, name), parameters)
    assert (found.__doc__ if name == "__init__" else getattr(found, name).__doc__).strip()


def test_counts_are_skylines():
    assert len(FUNCTIONS["algorithms"]) == 18
    assert len(FUNCTIONS["algorithms_batch"]) == 16


@pytest.mark.parametrize("name", ["Analyzer", "AnalyzerBatch", "Metrics_Manager"])
def test_the_workers_are_threads(name):
    (owner,) = (place for place, found in METHODS if found == name)
    assert issubclass(getattr(module(owner), name), threading.Thread)


@pytest.mark.parametrize("name", ["algorithm_exceptions", "algorithms", "algorithms_batch"])
def test_exceptions_are_found_where_skyline_has_them(name):
    for exception in EXCEPTIONS:
        assert getattr(module(name), exception) is getattr(module("algorithm_exceptions"), exception)
        assert issubclass(getattr(module(name), exception), RidgelineError)


@pytest.mark.parametrize("name", DEBUG)
def test_debugging_is_off(name):
    assert module(name).LOCAL_DEBUG is False


@pytest.mark.parametrize("name", [*FUNCTIONS, *(place for place, _ in METHODS), "algorithm_exceptions"])
def test_every_module_lists_what_it_exports(name):
    found = module(name)
    documented = {*FUNCTIONS.get(name, ()), *(owner for place, owner in METHODS if place == name)}
    documented |= {"LOCAL_DEBUG"} if name in DEBUG else set()
    documented |= set(EXCEPTIONS) if name.startswith("algorithm") else set()
    assert set(found.__all__) == documented
    assert all(hasattr(found, one) for one in found.__all__)


SCRIPT = """
import time
from skyline.analyzer.algorithms import run_selected_algorithm, tail_avg, TooShort
from skyline.analyzer.analyzer import Analyzer

now = int(time.time())
series = [(now - 60 * (500 - i), 10.0 + i % 7) for i in range(497)] + [(now - 60 * i, 900.0) for i in (2, 1, 0)]
found = run_selected_algorithm(series, "metrics.stats.orders", [], [], False, False, {})
try:
    run_selected_algorithm(series[:50], "metrics.stats.orders", [], [], False, False, {})
except TooShort:
    print(found[0], len(found[1]), found[2], tail_avg(series), len(Analyzer(1).uniq_datapoints(series * 2)))
"""


def test_a_script_goes_on_when_its_imports_are_ours(tmp_path):
    script = SCRIPT.replace("skyline.analyzer.", "ridgeline.skyline.")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False
    )
    assert (done.stdout, done.stderr) == ("True 9 900.0 900.0 500\n", "")


def test_importing_any_module_is_light():
    heavy = ("numba", "llvmlite", "scipy", "pandas", "polars", "statsmodels", "matplotlib", "redis", "dask")
    names = ", ".join(
        f"ridgeline.skyline.{name}" for name in (*FUNCTIONS, "analyzer", "analyzer_batch", "metrics_manager")
    )
    code = f"import sys, {names}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "[]"

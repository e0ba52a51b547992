"""What `deploy/` holds goes by metrics that a run really writes."""

import json
import re
import subprocess

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ridgeline.engine.report.summary import SHARES, WORK, Report
from ridgeline.engine.run.statistics.textfile import HELP, Ending, render

NAME = re.compile(r"\bridgeline_\w+")
SELECTOR = re.compile(r"(ridgeline_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')
FROM_SCRAPING = {"instance", "job"}  # labels that Prometheus adds
NO_NUMBERS = dict.fromkeys((*SHARES, *WORK, "total"), 0.0)


@pytest.fixture(scope="module")
def values():
    """{metric: {label: values}} of a run."""
    text = render(Report(("grubbs",), seconds=NO_NUMBERS), Ending(0, 1, 1, 0)).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        labels = found.setdefault(family.name, {})
        for sample in family.samples:
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    assert set(found) == set(HELP)
    return found


def check(expression, values):
    """That an expression of Prometheus' names only metrics, labels and values that there are."""
    names = set(NAME.findall(expression))
    assert names, expression
    assert names <= set(values), expression
    for name, matchers in SELECTOR.findall(expression):
        for label, how, value in MATCHER.findall(matchers):
            if label not in FROM_SCRAPING:
                assert label in values[name], f"{name} has no label {label}"
                words = value.split("|") if how == "=~" else [value]
                assert set(words) <= values[name][label], expression
    grouped = {label for group in re.findall(r"(?:by|without) \(([^)]*)\)", expression) for label in group.split(", ")}
    assert grouped <= {label for name in names for label in values[name]}, expression
    return names


def test_alert_rules_go_by_metrics_that_exist(root, values):
    (group,) = yaml.safe_load((root / "deploy/prometheus/ridgeline.rules.yml").read_text())["groups"]
    seen = set()
    for rule in group["rules"]:
        seen |= check(rule["expr"], values)
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names)
    assert {
        "ridgeline_last_run_timestamp_seconds",
        "ridgeline_exit_code",
        "ridgeline_outbox_entries",
        "ridgeline_metrics",
    } <= seen


def test_the_dashboard_shows_every_metric_and_no_other(root, values):
    board = json.loads((root / "deploy/grafana/ridgeline.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert set.union(*(check(expression, values) for expression in expressions)) == set(values)
    for variable in board["templating"]["list"][1:]:
        check(variable["definition"], values)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize(
    "wrong", ["ridgeline_no_such > 0", 'ridgeline_metrics{outcome="late"} > 0', "sum by (host) (ridgeline_alerts)"]
)
def test_what_does_not_exist_is_found(values, wrong):
    with pytest.raises(AssertionError):
        check(wrong, values)


CASES = """\
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'ridgeline_last_run_timestamp_seconds{{instance="a"}}', values: '0+60x10 600x20'}}
      - {{series: 'ridgeline_last_success_timestamp_seconds{{instance="a"}}', values: '0+60x10 600x20'}}
      - {{series: 'ridgeline_exit_code{{instance="a"}}', values: '0x10 66x20'}}
      - {{series: 'ridgeline_outbox_entries{{instance="a"}}', values: '0x10 1+1x20'}}
      - {{series: 'ridgeline_metrics{{instance="a",outcome="analysed"}}', values: '100x30'}}
      - {{series: 'ridgeline_metrics{{instance="a",outcome="shed"}}', values: '0x10 7x20'}}
    alert_rule_test:
      - {{eval_time: 9m, alertname: RidgelineNotRunning, exp_alerts: []}}
      - {{eval_time: 9m, alertname: RidgelineNoData, exp_alerts: []}}
      - eval_time: 20m
        alertname: RidgelineNotRunning
        exp_alerts:
          - exp_labels: {{severity: critical, instance: a}}
            exp_annotations: {{summary: "Ridgeline on a has not run for 10m 0s", description: "{not_running}"}}
      - eval_time: 20m
        alertname: RidgelineShedding
        exp_alerts:
          - exp_labels: {{severity: warning, instance: a, outcome: shed}}
            exp_annotations: {{summary: "Ridgeline on a does not reach 7 metrics before its deadline", description: "{shedding}"}}
"""


@pytest.mark.services
def test_promtool_takes_the_rules_and_they_fire(root, tmp_path):
    rules = root / "deploy/prometheus/ridgeline.rules.yml"
    (group,) = yaml.safe_load(rules.read_text())["groups"]
    said = {rule["alert"]: rule["annotations"]["description"] for rule in group["rules"]}
    cases = tmp_path / "cases.yml"
    cases.write_text(
        CASES.format(rules=rules, not_running=said["RidgelineNotRunning"], shedding=said["RidgelineShedding"])
    )
    for arguments in (["check", "rules", str(rules)], ["test", "rules", str(cases)]):
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.services
def test_promtool_finds_no_fault_with_the_textfile():
    text = render(Report(("grubbs",), seconds=NO_NUMBERS), Ending(0, 1, 1, 0), 'a"b\\')
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

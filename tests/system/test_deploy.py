"""What `deploy/` holds goes by metrics that a run really writes."""

import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ridgeline.engine.cli.commands import find
from ridgeline.engine.cli.main import build_parser
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


# Units, crontab, image ------------------------------------------------------------------------------------------------

PREFIX = "/opt/ridgeline/bin/ridgeline"
CONFIG = "/etc/ridgeline/ridgeline.toml"


def commands(text):
    """Every command of ours that a file of `deploy/` names, as words, the configuration's path kept."""
    return [found.split() for found in re.findall(rf"{PREFIX}((?: [\w./-]+)+)", text)]


@pytest.mark.parametrize(
    "name",
    ["systemd/ridgeline.service", "systemd/ridgeline-agent.service", "ridgeline.cron", "container/Containerfile"],
)
def test_what_is_deployed_calls_commands_that_exist(root, name):
    text = (root / "deploy" / name).read_text()
    called = commands(text)
    if name.startswith("container"):
        called = [["warmup"], ["agent", "-c", CONFIG, "--check"], ["agent", "-c", CONFIG]]
        assert all(json.dumps(words)[1:-1] in text or " ".join(words) in text for words in called)
    assert called
    for command, *arguments in called:
        build_parser(find(command)).parse_args(arguments)


def test_units_allow_for_our_exit_codes(root):
    agent = (root / "deploy/systemd/ridgeline-agent.service").read_text()
    assert "SuccessExitStatus=143" in agent
    assert "ExecStartPre=/opt/ridgeline/bin/ridgeline warmup" in agent
    once = (root / "deploy/systemd/ridgeline.service").read_text()
    assert "SuccessExitStatus=66 70 75 143" in once
    assert "OnCalendar=*:0/1" in (root / "deploy/systemd/ridgeline.timer").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_accepts_the_units(root, tmp_path):
    for unit in (root / "deploy/systemd").iterdir():
        text = unit.read_text().replace(PREFIX, sys.executable).replace("User=ridgeline", "User=root")
        (tmp_path / unit.name).write_text(text)
    for unit in tmp_path.iterdir():
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(unit)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        ours = [line for line in done.stderr.splitlines() if "ridgeline" in line]
        assert (done.returncode, ours) == (0, []), done.stderr


def test_the_crontab_has_a_whole_path_and_a_user(root):
    (line,) = [line for line in (root / "deploy/ridgeline.cron").read_text().splitlines() if line.startswith("*")]
    assert re.fullmatch(rf"(\* ){{5}} ridgeline  {PREFIX} run --quiet --config {CONFIG}", line)


def test_the_image_has_no_root_and_warm_kernels(root):
    lines = (root / "deploy/container/Containerfile").read_text().splitlines()
    assert lines.index("USER ridgeline") < lines.index("RUN ridgeline warmup"), "the cache is the user's own"
    assert not [line for line in lines[lines.index("USER ridgeline") + 1 :] if line.startswith("USER")]


def test_the_image_is_built_from_what_the_wheel_needs_and_nothing_else(root):
    lines = (root / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    project = tomllib.loads((root / "pyproject.toml").read_text())
    folders = {folder.split("/")[0] for folder in project["tool"]["setuptools"]["package-dir"].values()} - {""}
    files = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    assert "*" in lines
    assert kept == folders | files

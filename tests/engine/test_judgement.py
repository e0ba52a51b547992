"""`rule`, `rule_threshold` and `cutoffs`: how they are read, and which jobs can judge by which rule."""

import json
from pathlib import Path

import pytest

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.problems import ConfigError
from ridgeline.engine.doctor.examine import Examination
from ridgeline.engine.rules.judgement import CHANNELS, JOBS, NEEDS_WALKS, RULES, check_rules
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.engine.score.scorer import base_policy
from ridgeline.io.errors import InputError

SOURCE = '[source]\nkind = "redis"\nurl = "redis://127.0.0.1"\n'
JUDGED = f"""{SOURCE}
[analysis]
rule = "pages"
rule_threshold = 1.5
cutoffs = {{ grubbs = 1.2, ks_test = 1 }}
[[override]]
match = "web."
rule = "consensus"
cutoffs = {{ grubbs = 1.0, least_squares = 0.5 }}
[[override]]
match = "web.slow"
rule_threshold = 2
cutoffs = {{ grubbs = 3.0 }}
"""


def read(text):
    return parse_config(text.encode(), Path("r.toml"), {})


def overrides_of(config):
    return Overrides(base_policy(config.analysis, algorithm_names()), config.overrides)


def test_the_keys_make_policies_and_later_ones_win():
    overrides = overrides_of(read(JUDGED))
    found = {
        name: (policy.rule, policy.rule_threshold, policy.cutoffs)
        for name in ("db", "web.a", "web.slow")
        for policy in [overrides.policy(name)]
    }
    assert found == {
        "db": ("pages", 1.5, (("grubbs", 1.2),)),
        "web.a": ("consensus", 1.5, (("least_squares", 0.5),)),
        "web.slow": ("consensus", 2.0, (("grubbs", 3.0), ("least_squares", 0.5))),
    }


def test_without_them_nothing_changes():
    policy = base_policy(read(SOURCE).analysis)
    assert (policy.rule, policy.rule_threshold, policy.cutoffs) == ("consensus", 1.0, ())


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('rule = "page"', 'rule: there is no rule "page"; did you mean "pages"?'),
        ("rule = 3", "rule: must be text in quotes"),
        ("rule_threshold = 0", "rule_threshold: must be a finite number above 0"),
        ("rule_threshold = -1.5", "rule_threshold: must be a finite number above 0"),
        ("rule_threshold = inf", "rule_threshold: must be a finite number above 0"),
        ("cutoffs = 2", "cutoffs: must be a table"),
        ("cutoffs = { grubs = 2 }", 'cutoffs.grubs: there is no such algorithm; did you mean "grubbs"?'),
        ("cutoffs = { grubbs = 0 }", "cutoffs.grubbs: must be a finite number above 0"),
        ("cutoffs = { grubbs = nan }", "cutoffs.grubbs: must be a finite number above 0"),
        ('cutoffs = { grubbs = "2" }', "cutoffs.grubbs: must be a number"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_its_line(keys, said):
    for table, where in (("[analysis]\n", "analysis"), ('[[override]]\nmatch = "a"\n', "override[0]")):
        with pytest.raises(ConfigError) as caught:
            read(f"{SOURCE}{table}{keys}\n")
        lines = SOURCE.count("\n") + table.count("\n") + 1
        assert caught.value.lines == (f"r.toml:{lines}: {where}.{said}",)


def test_they_are_shown_with_their_origin(tmp_path, capsys):
    path = tmp_path / "r.toml"
    path.write_text(JUDGED)
    assert main(["config", "show", "--json", str(path)]) == 0
    found = {one["key"]: (one["value"], one["from"]) for one in json.loads(capsys.readouterr().out)}
    assert found["analysis.rule"] == ("pages", f"{path}:6")
    assert found["analysis.rule_threshold"] == (1.5, f"{path}:7")
    assert found["analysis.cutoffs.grubbs"] == (1.2, f"{path}:8")
    assert found["analysis.cutoffs.histogram_bins"] == (1.0, "default")
    assert found["override[0].rule"] == ("consensus", f"{path}:11")
    assert found["override[1].rule_threshold"] == (2, f"{path}:15")


def test_a_users_algorithm_may_be_named(tmp_path, monkeypatch):
    (tmp_path / "their_cutoffs.py").write_text(
        "import ridgeline\n@ridgeline.algorithm(summary='x')\ndef theirs(t, x, as_of, scratch):\n    return x[-1]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = read(f'{SOURCE}[analysis]\nmodules = ["their_cutoffs"]\ncutoffs = {{ theirs = 2.5 }}\n')
    assert config.analysis.cutoffs == (("theirs", 2.5),)


def test_every_rule_has_its_facts():
    assert set(CHANNELS) == set(RULES)
    assert {rule for rule in RULES if CHANNELS[rule]} == NEEDS_WALKS


@pytest.mark.parametrize("job", ["score", "run"])
def test_jobs_that_do_not_look_back_so_far_say_where_to_turn(job):
    check_rules(job, ["consensus"])
    with pytest.raises(InputError, match=f'{job} cannot judge by the rule "ridgeline".*"pages"'):
        check_rules(job, ["consensus", "ridgeline"])


def test_no_rule_is_passed_over_in_silence(tmp_path, capsys):
    data, path = tmp_path / "fleet.csv", tmp_path / "r.toml"
    data.write_text("metric,timestamp,value\na,1700000000,1\n")
    for rule, table in (("pages", "[analysis]"), ("ridgeline", '[[override]]\nmatch = "a"')):
        path.write_text(f'[source]\nkind = "parquet"\npath = "{data}"\n{table}\nrule = "{rule}"\n')
        for job, arguments in (
            ("score", [str(data), str(tmp_path / "out.parquet")]),
            ("run", ["--dry-run"]),
        ):
            if rule in JOBS[job]:
                continue
            assert main([job, *arguments, "-c", str(path)]) == 2
            said = capsys.readouterr().err
            assert said.count("\n") == 1, said
            assert f'{job} cannot judge by the rule "{rule}"' in said
    with pytest.raises(InputError, match='score cannot judge by the rule "pages"'):
        ridgeline.score(str(data), overrides=[{"match": "web.", "rule": "pages"}])


def test_doctor_says_that_runs_cannot_judge_by_a_rule():
    config = read(f'{SOURCE}[[override]]\nmatch = "web."\nrule = "ridgeline"\n')
    found = next(check for check in Examination(config).checks() if check.name == "configuration")
    assert found.status == "red"
    assert 'run cannot judge by the rule "ridgeline"' in found.detail

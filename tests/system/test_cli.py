"""The command line: help, dispatch, errors in one line with their exit codes."""

import argparse
import os
import resource
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ridgeline.engine.cli import commands, main
from ridgeline.io import errors

HEAVY = "numba,llvmlite,scipy,polars,pyarrow,numpy,redis,matplotlib,dask,statsmodels"


def ridgeline(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "ridgeline", *arguments], capture_output=True, text=True, check=False, **options
    )


def command(run, name="probe"):
    return SimpleNamespace(NAME=name, SUMMARY="try things", GROUP="Measure", add_arguments=lambda parser: None, run=run)


@pytest.fixture
def probe(monkeypatch):
    """Install a command `probe` that runs the given function."""

    def install(run):
        monkeypatch.setattr(main, "find", lambda name: command(run) if name == "probe" else None)

    return install


def test_help_groups_the_commands_that_exist(capsys):
    assert main.main(["--help"]) == 0
    out = capsys.readouterr().out
    for found in commands.every():
        assert f"\n  {found.NAME:<10} {found.SUMMARY}" in out
        assert f"\n{found.GROUP}\n" in out
    assert "config" in out
    groups = [found.GROUP for found in commands.every()]
    assert groups == sorted(
        groups, key=lambda group: (commands.GROUPS.index(group) if group in commands.GROUPS else 99, group)
    )


def test_every_command_is_found_by_name_and_explains_itself(capsys):
    for found in commands.every():
        assert commands.find(found.NAME) is found
        assert main.main([found.NAME, "--help"]) == 0
        assert f"usage: ridgeline {found.NAME}" in capsys.readouterr().out
        assert found.SUMMARY[0].islower()
        assert not found.SUMMARY.endswith(".")
        assert found.GROUP in commands.GROUPS


def test_help_is_light():
    code = f"""
import sys
from ridgeline.engine.cli.main import main
main(["--help"]); main(["--version"]); main(["config", "--help"])
print([m for m in "{HEAVY}".split(",") if m in sys.modules], file=sys.stderr)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == "[]"


def test_only_the_command_asked_for_is_imported():
    code = """
import sys
from ridgeline.engine.cli.main import main
main(["config", "init", "-"])
print([m for m in sys.modules if m.startswith("ridgeline.engine.cli.")], file=sys.stderr)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    prefix = "ridgeline.engine.cli."
    assert sorted(eval(found.stderr)) == [
        prefix + name for name in ("commands", "config_", "main", "parser", "signals", "sparing", "streams")
    ]


def test_version():
    import ridgeline

    for flag in ("--version", "-V"):
        assert ridgeline_text(flag) == f"ridgeline {ridgeline.__version__}\n"


def ridgeline_text(*arguments):
    found = ridgeline(*arguments)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["confg"], "ridgeline: there is no command 'confg'; did you mean `ridgeline config`?"),
        (["x\ny"], r"ridgeline: there is no command 'x\ny'; `ridgeline --help` lists the commands"),
        (["--quiet"], "ridgeline: there is no option '--quiet'; `ridgeline --help` lists the commands"),
        (["main"], "ridgeline: there is no command 'main'; did you mean `ridgeline manage`?"),
        (["../x"], "ridgeline: there is no command '../x'; `ridgeline --help` lists the commands"),
        (["config"], "ridgeline config: the following arguments are required: ACTION (ridgeline config --help explains the options)"),
        (["config", "check", "--no"], "ridgeline config: unrecognized arguments: --no (ridgeline config --help explains the options)"),
    ],
)  # fmt: skip
def test_usage_errors_take_one_line(capsys, arguments, message):
    assert main.main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [message]


def test_nothing_asked_for_shows_the_help_as_a_usage_error(capsys):
    assert main.main([]) == 2
    assert "usage: ridgeline COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("kind", [kind for kind in vars(errors).values() if isinstance(kind, type)])
def test_errors_of_ours_become_one_line_and_their_exit_code(capsys, probe, kind):
    def fail(args):
        raise kind("the thing\nERROR forged broke")

    probe(fail)
    assert main.main(["probe"]) == kind.exit_code
    shown = capsys.readouterr()
    assert shown.err == "ridgeline: the thing\\nERROR forged broke\n"
    assert shown.out == ""


def test_bugs_are_reported_without_a_traceback_unless_asked_for(capsys, probe, monkeypatch):
    def fail(args):
        raise LookupError("no\nsuch thing")

    probe(fail)
    monkeypatch.delenv("RIDGELINE_TRACEBACK", raising=False)
    assert main.main(["probe"]) == 1
    assert capsys.readouterr().err == (
        "ridgeline: this is a bug: LookupError: no\\nsuch thing; RIDGELINE_TRACEBACK=1 or --debug shows where\n"
    )
    for arguments in (["probe", "--debug"], ["--debug", "probe"]):
        assert main.main(arguments) == 1
        assert "Traceback (most recent call last)" in capsys.readouterr().err
    monkeypatch.setenv("RIDGELINE_TRACEBACK", "1")
    assert main.main(["probe"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupts_and_exits(capsys, probe):
    def interrupted(args):
        raise KeyboardInterrupt

    def leave(args):
        raise SystemExit(143)

    probe(interrupted)
    assert main.main(["probe"]) == 130
    assert capsys.readouterr().err == "ridgeline: interrupted\n"
    probe(leave)
    assert main.main(["probe"]) == 143


def test_sigterm_cleans_up_and_exits_143(tmp_path):
    code = """
import sys, time
from types import SimpleNamespace
from ridgeline.engine.cli import main
def run(args):
    try:
        print("ready", flush=True)
        time.sleep(30)
    finally:
        print("cleaned up", flush=True)
main.find = lambda name: SimpleNamespace(NAME="probe", SUMMARY="x", GROUP="x", add_arguments=lambda p: None, run=run)
sys.exit(main.main(["probe"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (143, "cleaned up\n", "")


def test_a_reader_that_leaves_is_no_error():
    script = f"{sys.executable} -m ridgeline config init - | true; echo ${{PIPESTATUS[0]}}"
    # The pipe may take all the text before its reader leaves, so both ends are right; a traceback never is.
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert found.stderr == ""
    assert found.stdout.strip() in {"0", "141"}
    read, write = os.pipe()
    os.close(read)
    closed = subprocess.run(
        [sys.executable, "-m", "ridgeline", "--help"], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (closed.returncode, closed.stderr) == (141, "")


def test_config_init_never_overwrites_and_check_accepts_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main.main(["config", "init"]) == 0
    first = (tmp_path / "ridgeline.toml").read_text()
    assert "[[override]]" in first
    assert main.main(["config", "check"]) == 0
    assert "ridgeline.toml: ok (redis source, 0 overrides, 1 alerts, profile native)" in capsys.readouterr().out
    (tmp_path / "ridgeline.toml").write_text("mine")
    assert main.main(["config", "init"]) == 2
    assert (tmp_path / "ridgeline.toml").read_text() == "mine"
    assert "exists already" in capsys.readouterr().err
    assert main.main(["config", "init", str(tmp_path / "no" / "x.toml")]) == 74
    assert main.main(["config", "init", "-"]) == 0
    assert capsys.readouterr().out == first


def test_config_check_reports_every_problem_and_exits_2(tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text('[source]\nurl = "redis://h"\nnamespac = "x"\n[run]\nthreads = 0\n')
    assert main.main(["config", "check", str(path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f'ridgeline: {path}:3: source.namespac: there is no such key; did you mean "namespace"?',
        f"ridgeline: {path}:5: run.threads: must lie between 1 and 1024",
    ]


def test_config_check_warns_of_rules_in_vain(tmp_path, capsys):
    path = tmp_path / "vain.toml"
    rules = [f'[[alert]]\nmatch = "{match}"\nstrategy = "console"\n' for match in ("stats.", "stats.web01.")]
    path.write_text("".join(['[source]\nurl = "redis://h"\n', *rules]))
    assert main.main(["config", "check", str(path)]) == 0
    assert capsys.readouterr().err.splitlines() == [
        'ridgeline: warning: the [[alert]] "stats.web01." is in vain for console: "stats." stands above it and decides'
    ]


def test_help_is_instant():
    """In seconds of processor time, which a busy machine does not stretch much: about 0.1."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ridgeline("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


PLACEHOLDERS = {
    "DATASET", "DIR", "DURATION", "FILE", "INSTANT", "METRIC", "N", "NAME", "NAMES", "NUMBER", "NUMBERS", "PATTERN", "SECONDS", "SIZE",
    "TEXT", "URL",
}  # fmt: skip


def test_placeholders_are_of_one_vocabulary():
    from ridgeline.engine.cli.commands import every
    from ridgeline.engine.cli.main import build_parser

    seen = 0
    for parser in [inner for command in every() for inner in with_actions(build_parser(command))]:
        for action in parser._actions:
            if action.option_strings and action.nargs != 0 and not action.choices:
                assert action.metavar in PLACEHOLDERS, f"{parser.prog} {action.option_strings[0]}: {action.metavar}"
        seen += "alert outbox" in parser.prog
    assert seen == 4, "actions of actions are looked at too"


def with_actions(parser):
    """The parser of a command, and those of its actions."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from with_actions(inner)

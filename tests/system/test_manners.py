"""What a command line is expected to do in a shell: complete, be quiet, keep colour for terminals, tell its version."""

import io
import json
import runpy
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from rigs.redis import redis_server
from rigs.runs import END, TABLE, write_config

from ridgeline import __version__
from ridgeline.engine.cli.commands import every
from ridgeline.engine.cli.main import main
from ridgeline.engine.report.colour import Paint


@pytest.fixture
def fleet(tmp_path):
    path = tmp_path / "fleet.parquet"
    pq.write_table(TABLE, path)
    return path


def test_the_page_of_commands_is_what_the_parsers_say(root):
    assert (root / "docs" / "cli.md").read_text() == runpy.run_path(str(root / ".ci" / "cli.py"))["page"]() + "\n", (
        "run: python .ci/cli.py > docs/cli.md"
    )


def test_versions_are_told(capsys):
    assert main(["version"]) == 0
    assert f"ridgeline  {__version__}" in capsys.readouterr().out
    assert main(["version", "--json"]) == 0
    assert {"ridgeline", "python", "numpy", "numba", "pyarrow", "kernels"} <= set(json.loads(capsys.readouterr().out))


# Completion -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_know_every_command(capsys, shell):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(command.NAME in script for command in every())
    assert "check-airgaps-only" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=60)


def completed(script, *words):
    """What bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in words)
    asked = f"""{script}
COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}
"$(complete -p ridgeline | sed -E 's/.*-F ([^ ]+).*/\\1/')" ridgeline '{words[-1]}' '{words[-2]}'
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash"], input=asked, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


def test_bash_completes(capsys):
    main(["completion", "bash"])
    script = capsys.readouterr().out
    assert completed(script, "ridgeline", "expl") == ["explain"]
    assert completed(script, "ridgeline", "alert", "outbox", "dr") == ["drop"]
    assert completed(script, "ridgeline", "run", "--dry") == ["--dry-run"]


# Quiet ----------------------------------------------------------------------------------------------------------------


def test_quiet_commands_say_only_what_goes_wrong(fleet, tmp_path, capsys):
    config = write_config(tmp_path, fleet, alerts=())
    with redis_server() as server:
        for words in (
            ["run", "-q", "-c", str(config), "--as-of", str(END)],
            ["score", str(fleet), str(tmp_path / "out.parquet"), "--quiet"],
            ["load", str(fleet), "--redis", server.url, "-q"],
            ["backtest", str(fleet), "--output", str(tmp_path / "bt"), "-q", "--every", "1h"],
        ):
            assert main(words) == 0, words
            assert capsys.readouterr() == ("", ""), words
    assert main(["run", "-q", "-c", str(config)]) == 66
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "ridgeline: " in shown.err
    assert main(["run", "-q", "--json", "-c", str(config), "--as-of", str(END)]) == 0
    assert json.loads(capsys.readouterr().out)["exit"] == 0


# Colour ---------------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (io.StringIO(), {}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": ""}, False),
    ],
)
def test_colour_is_for_terminals(stream, environ, coloured):
    assert Paint.of(stream, environ).on is coloured


def test_coloured_text_is_the_same_text():
    assert Paint(on=True)("yes", "red", "bold") == "\x1b[31;1myes\x1b[0m"
    assert Paint(on=False)("yes", "red") == "yes"
    assert Paint(on=True)("yes") == "yes"


def test_commands_heed_the_environment(fleet, capsys, monkeypatch):
    words = ["explain", TABLE["metric"][0].as_py(), "--input", str(fleet)]
    assert main(words) == 0
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(words) == 0
    coloured = capsys.readouterr().out
    assert "\x1b[" in coloured
    assert main([*words, "--json"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert sys.stdout is not None

"""`ridgeline agent` as a process: it runs, heeds its configuration, answers probes, and ends when it is told to."""

import os
import signal
import subprocess
import sys
import time

import pytest
from rigs.redis import redis_server
from rigs.runs import load, write_config
from rigs.waiting import until

from ridgeline.engine.cli.agent import guard
from ridgeline.engine.cli.main import main


@pytest.fixture
def server():
    with redis_server() as running:
        load(running.client)
        yield running


@pytest.fixture
def agent():
    """Starts agents; those that are left are ended."""
    started = []

    def start(config, *arguments):
        command = [sys.executable, "-m", "ridgeline", "agent", "-c", str(config), *arguments]
        with config.with_suffix(".log").open("w") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ}))
        return started[-1], config.with_suffix(".log")

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def test_an_agent_runs_and_ends_when_told(server, tmp_path, agent, capsys):
    config = write_config(tmp_path, server.url, alerts=(), extra="[agent]\nrun_every = 0.2")
    assert main(["agent", "-c", str(config), "--check"]) == 70
    assert "no agent keeps" in capsys.readouterr().err
    process, log = agent(config)
    until(lambda: log.read_text().count(" metrics, ") >= 2)
    assert main(["agent", "-c", str(config), "--check"]) == 0
    config.write_text(config.read_text() + "\n[nothing]\n")
    until(lambda: "stays in force" in log.read_text())
    before = log.read_text().count(" metrics, ")
    until(lambda: log.read_text().count(" metrics, ") > before)
    config.write_text(config.read_text().replace("\n[nothing]\n", "\n[delivery]\npictures = 3\n"))
    until(lambda: "has changed and is in force" in log.read_text())
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    assert time.monotonic() - began < 20
    assert "Traceback" not in log.read_text()
    assert main(["agent", "-c", str(config), "--check"]) == 70
    assert "is gone" in capsys.readouterr().err


def test_a_source_that_comes_back_is_read_again(tmp_path, agent):
    config = write_config(tmp_path, f"unix://{tmp_path}/later.sock", alerts=(), extra="[agent]\nrun_every = 0.5")
    _, log = agent(config, "--quiet")
    until(lambda: log.read_text().count("cannot reach Redis") >= 2)
    with redis_server() as server:
        load(server.client)
        (tmp_path / "later.sock").symlink_to(server.url.removeprefix("unix://"))
        until(lambda: "the newest point of all is" in log.read_text())


@pytest.mark.parametrize("told", [False, True])
def test_a_signal_ends_an_agent_whatever_became_of_its_exception(told):
    def lose():
        with guard(60):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(10)
            except SystemExit:
                if told:
                    raise ValueError("as a library tells it") from None

    with pytest.raises(SystemExit) as stop:
        lose()
    assert stop.value.code == 143


def test_a_missing_configuration_is_a_sentence(tmp_path, capsys):
    assert main(["agent", "-c", str(tmp_path / "none.toml")]) == 2
    assert "there is no configuration file" in capsys.readouterr().err

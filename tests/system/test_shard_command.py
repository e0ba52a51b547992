"""`ridgeline shard`: whose a metric is."""

import json
import os

import pytest
from rigs.redis import redis_server
from rigs.runs import END, load, run_json, write_config

from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import load_config


@pytest.fixture
def ask(tmp_path, capsys):
    def call(shards, *arguments):
        config = write_config(tmp_path, "redis://127.0.0.1:1/0", alerts=(), extra=shards)
        code = main(["shard", "--config", str(config), *arguments])
        return code, *capsys.readouterr()

    return call


def test_the_owner_of_a_metric(ask):
    shards = '[shards]\nhosts = ["golden-host", "golden-two", "golden-three"]\nhost = "golden-host"'
    code, out, err = ask(shards, "web.host01.cpu", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "metric": "web.host01.cpu",
        "owner": "golden-two",
        "hosts": ["golden-host", "golden-two", "golden-three"],
    }
    told = "web.host01.cpu belongs to golden-two, number 2 of 3 hosts"
    assert ask(shards, "web.host01.cpu")[1] == f"{told}\n"
    taken = f'{shards}\ntake_over = ["golden-two"]'
    assert ask(taken, "web.host01.cpu")[1] == f"{told}, and is judged by golden-host while that is lost\n"
    assert ask(shards, "über\n")[1].startswith("über\\n belongs to golden-")


def test_one_host_has_them_all(ask):
    here = os.uname().nodename
    assert json.loads(ask("", "a", "--json")[1]) == {"metric": "a", "owner": here, "hosts": []}
    assert ask("", "a")[1] == f"a belongs to this host, {here}: there are no `[shards]`\n"


def test_it_answers_on_a_machine_that_is_none_of_the_hosts(ask):
    code, out, _ = ask('[shards]\nhosts = ["x", "y"]', "a")
    assert (code, out) == (0, "a belongs to x, number 1 of 2 hosts\n")


def test_each_host_lists_its_own_incidents_and_anybody_explains_any_metric(tmp_path, capsys):
    hosts = ["alpha", "beta", "gamma"]
    with redis_server() as server:
        load(server.client)

        def of(host):
            shards = f"[shards]\nhosts = {json.dumps(hosts)}\n" + (f'host = "{host}"\n' if host else "")
            return write_config(tmp_path, server.url, alerts=(), extra=shards)

        def call(host, *words):
            capsys.readouterr()
            assert main([*words, "--config", str(of(host)), "--json"]) == 0
            return json.loads(capsys.readouterr().out)

        found = {host: {one["metric"] for one in run_json(capsys, of(host))[1]["anomalies"]} for host in hosts}
        assert sum(map(len, found.values())) == 10
        owner = load_config(of("alpha")).shards.owner
        assert {metric: host for host, some in found.items() for metric in some} == {
            metric: owner(metric) for some in found.values() for metric in some
        }
        for host in hosts:
            assert {one["metric"] for one in call(host, "anomalies")} == found[host]
        assert {one["metric"] for one in call("", "anomalies")} == set().union(*found.values())
        metric = next(iter(found["beta"]))
        for host in ("alpha", ""):
            assert call(host, "explain", metric, "--as-of", str(END))["owner"] == "beta"
        capsys.readouterr()
        assert main(["explain", metric, "--as-of", str(END), "--config", str(of("alpha"))]) == 0
        assert "  it belongs to the host beta\n" in capsys.readouterr().out

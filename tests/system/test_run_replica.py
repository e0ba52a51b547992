"""A run on a replica, which takes no writes: series are read and alerts go out; nothing is recorded, and that is said."""

from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import FLEET, load, received, run_json, write_config
from rigs.waiting import until


def test_a_replica_is_read_and_its_alerts_go_out(tmp_path, capsys):
    with redis_server() as master, http_server() as http:
        load(master.client)
        keys = master.client.dbsize()
        with redis_server(arguments=("--replicaof", "127.0.0.1", str(master.port))) as replica:
            until(lambda: replica.client.dbsize() == keys)
            config = write_config(tmp_path, replica.url, http=http)
            for _ in range(2):  # what could not be recorded is told again: at least once
                http.requests.clear()
                code, found, errors = run_json(capsys, config)
                assert code == found["exit"] == 70
                assert found["metrics"] == len(FLEET.metrics)
                assert sorted(received(http)) == sorted(one["metric"] for one in found["anomalies"])
                assert found["alerts"]["sent"] == len(found["anomalies"]) > 0
                assert "read only replica" in errors
                assert "alerts may repeat" in errors
        assert master.client.dbsize() == keys

"""What commands that are run often do not import: half of their CPU is their start."""

import os
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from rigs.redis import redis_server
from rigs.runs import END, FLEET, load, write_config

from ridgeline.engine.demo.fleet import build_fleet

# The command as a process of its own, whose last line is what it has imported.
CODE = "import sys; from ridgeline.engine.cli.main import main; main(); print('\\n' + ' '.join(sys.modules))"
ARROW = {"pyarrow.compute", "pyarrow.parquet", "pyarrow.dataset", "pyarrow.fs", "pyarrow.csv"}


def ran(*arguments):
    """(what it printed, what it had imported)."""
    found = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    printed, modules, _ = found.stdout.rsplit("\n", 2)
    return printed, set(modules.split())


def imported(*arguments):
    return ran(*arguments)[1]


@pytest.mark.parametrize("alerts", [[], [("", "syslog", 3600)]])
def test_a_run_imports_no_more_than_it_needs_also_where_it_writes_what_it_found(tmp_path, alerts):
    with redis_server() as server:
        load(server.client)
        config = write_config(tmp_path, server.url, alerts=alerts)
        found = imported("run", "--config", config, "--as-of", END)
    assert (tmp_path / "out" / "anomalies.parquet").stat().st_size
    assert "ridgeline.engine.report.files" in found
    heavy = {*ARROW, "pandas", "numpy.ma", "numba", "llvmlite", "redis.asyncio.client", "matplotlib"}
    assert not found & (heavy if "coverage" in found else {*heavy, "sqlite3"}), "coverage keeps its own data there"


# Duties that a run has only where its configuration asks for them, and what they take.
DUTIES = (
    "ridgeline.engine.alerts.external", "ridgeline.engine.alerts.outbox", "ridgeline.engine.alerts.pipeline",
    "ridgeline.engine.alerts.strategy", "ridgeline.engine.memory.gaps", "ridgeline.engine.rules.compilation",
    "ridgeline.engine.run.airgap", "ridgeline.engine.run.archiving", "ridgeline.engine.run.books.",
    "ridgeline.engine.run.delivering", "ridgeline.engine.run.external", "ridgeline.engine.run.handoffs.batch",
    "ridgeline.engine.run.handoffs.findings", "ridgeline.engine.run.handoffs.mirage",
    "ridgeline.engine.run.handoffs.routing", "ridgeline.engine.run.hosts", "ridgeline.engine.run.latches",
    "ridgeline.engine.run.shadow", "ridgeline.engine.run.stale", "ridgeline.engine.run.statistics.canary",
    "ridgeline.engine.run.statistics.textfile", "ridgeline.engine.run.walk", "ridgeline.engine.score.users",
    "ridgeline.engine.walks.kept", "ridgeline.io.net.stream", "ridgeline.io.redis.entries", "ridgeline.io.redis.keys",
    "ridgeline.io.redis.sweep",
)  # fmt: skip


def test_a_plain_run_that_remembers_imports_nothing_of_duties_that_it_does_not_have(tmp_path):
    now = int(time.time()) // 60 * 60
    table = build_fleet(60, points=300, end=now, incidents=3).table()
    with redis_server() as server:
        config = write_config(tmp_path, server.url, alerts=(), extra="[analysis]\nbookkeeping = false")
        load(server.client, table.filter(pc.less(table["timestamp"], now)))
        ran("run", "--config", config)
        load(server.client, table)
        printed, found = ran("run", "--config", config)
    assert "settled" in printed
    assert "matched no alert rule" in printed
    assert [name for name in sorted(found) if name.startswith(DUTIES)] == []
    heavy = {*ARROW, "pandas", "numba", "redis.asyncio.client"}
    assert not found & (
        heavy if "coverage" in found else {*heavy, "http", "multiprocessing", "sqlite3", "email", "zipfile"}
    )


def test_a_run_that_looks_back_needs_no_kernel_of_arrows_and_no_pandas(tmp_path):
    with redis_server() as server:
        load(server.client)
        config = write_config(tmp_path, server.url, alerts=[("", "syslog", 3600)], output=None)
        for _ in range(2):  # the second one asks what is normal of what was anomalous
            heavy = imported("run", "--config", config, "--as-of", END) & {"pandas", "pyarrow.compute", "numpy.ma"}
            assert not heavy


def test_a_backtest_needs_no_kernel_of_arrows_and_no_pandas_also_where_it_finds_pages(tmp_path):
    values = np.tile(np.random.default_rng(3).normal(0, 1, 300), 2)
    values[-3:] += 1e3
    stamps = np.tile(1_600_000_000 + 60 * np.arange(300), 2)
    data = tmp_path / "history.parquet"
    pq.write_table(pa.table({"metric": ["a"] * 300 + ["b"] * 300, "timestamp": stamps, "value": values}), data)
    config = tmp_path / "ridgeline.toml"
    config.write_text('[source]\nkind = "parquet"\npath = "x"\n[[alert]]\nmatch = "b"\nstrategy = "syslog"\n')
    found = imported("backtest", data, "--output", tmp_path / "out", "--config", config, "--rules", "pages")
    assert pq.read_table(tmp_path / "out" / "pages.parquet")["metric"].to_pylist() == ["b"]
    assert pq.read_table(tmp_path / "out" / "anomalies.parquet").num_rows
    assert not found & {"pandas", "pyarrow.compute", "pyarrow.dataset", "asyncio", "numba"}


def test_explaining_a_metric_enters_no_room_of_alerts_that_are_not_configured(tmp_path):
    with redis_server() as server:
        load(server.client)
        config = write_config(tmp_path, server.url, alerts=(), output=None)
        found = imported("explain", FLEET.metrics[0], "--config", config, "--as-of", END)
    assert "ridgeline.engine.explain.card" in found
    rooms = (
        "ridgeline.alerters",
        "ridgeline.io.net.transport",
        "ridgeline.io.state",
        "ridgeline.engine.alerts.item",
        "pandas",
    )
    assert [name for name in found if name.startswith(rooms)] == []


THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")


def threads(code, **given):
    """What a new process has in its environment of OpenBLAS's threads, and how many it then runs."""
    environ = {name: value for name, value in os.environ.items() if name not in THREADS} | given
    code += (
        "; import os, numpy; status = open('/proc/self/status').read()"
        f"; print({{name: os.environ.get(name) for name in {THREADS}}}, status.split('Threads:')[1].split()[0], sep='|')"
    )
    found = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    settings, count = found.stdout.splitlines()[-1].split("|")
    return {name: value for name, value in eval(settings).items() if value is not None}, int(count)


COMMAND = "import sys; from ridgeline.engine.cli.main import main; sys.argv[1:] = ['--version']; main()"


def test_the_command_line_asks_for_no_threads_of_openblas_unless_the_user_does_and_the_library_never_asks():
    assert threads(COMMAND) == ({"OPENBLAS_NUM_THREADS": "1"}, 1)
    for name in THREADS:
        assert threads(COMMAND, **{name: "2"})[0] == {name: "2"}
    assert threads("import ridgeline")[0] == {}
    assert threads("from ridgeline.engine.cli.main import main; main(['--version'])")[0] == {}


def test_commands_that_are_measured_have_the_environment_of_the_user():
    asks = "import os, sys; sys.exit(os.environ.get('OPENBLAS_NUM_THREADS') != {!r})"
    code = (
        "import sys; from ridgeline.engine.cli.sparing import spare; spare(); "
        "from ridgeline.bench.measure import process; process([sys.executable, '-c', sys.argv[1]])()"
    )
    environ = {name: value for name, value in os.environ.items() if name not in THREADS}
    for given in (None, "1", "2"):
        own = environ if given is None else environ | {"OPENBLAS_NUM_THREADS": given}
        subprocess.run([sys.executable, "-c", code, asks.format(given)], env=own, check=True)


def test_the_client_that_waits_is_there_for_whoever_uses_it():
    code = (
        "import sys; from ridgeline.engine.cli.sparing import spare; spare(); import redis, redis.asyncio as a; "
        "assert 'redis.asyncio.client' not in sys.modules; assert not hasattr(a, 'nothing'); "
        "from redis.asyncio import Redis; assert a.Redis is Redis is redis.asyncio.client.Redis; "
        "import redis.asyncio.lock; assert redis.asyncio.lock.Lock; assert a.__name__ == 'redis.asyncio'; print(a.__all__[:1])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stdout, found.stderr
    library = "import sys, ridgeline, redis; assert 'redis.asyncio.client' in sys.modules"
    subprocess.run([sys.executable, "-c", library], check=True)


def test_what_tells_versions_waits_and_is_there_for_whoever_asks():
    code = (
        "import sys; from ridgeline.engine.cli.sparing import spare; spare(); import redis; "
        "from importlib import metadata; assert 'email' not in sys.modules; assert not hasattr(metadata, 'nothing'); "
        "from importlib.metadata import PackageNotFoundError as missing, entry_points, version; "
        "assert version('redis') == redis.__version__ == metadata.version('redis'); assert missing is metadata.PackageNotFoundError; "
        "from ridgeline.io.redis.connection import BoundedConnection; import importlib.metadata as again; assert again is metadata"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not found.returncode, found.stderr


def test_threads_that_use_it_at_once_all_have_it():
    code = (
        "import threading; from ridgeline.engine.cli.sparing import spare; spare(); import redis; found = []; "
        "go = threading.Barrier(8); use = lambda: (go.wait(), found.append(redis.asyncio.Redis)); "
        "all_ = [threading.Thread(target=use) for _ in range(8)]; [t.start() for t in all_]; [t.join(60) for t in all_]; "
        "assert len(found) == 8 and len(set(found)) == 1, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""What commands that are run often do not import: half of their CPU is their start."""

import subprocess
import sys

from rigs.redis import redis_server
from rigs.runs import END, FLEET, load, write_config

# In a process of its own, whose last line is what it has imported.
CODE = (
    "import sys; from ridgeline.engine.cli.main import main; main(sys.argv[1:]); print('\\n' + ' '.join(sys.modules))"
)


def imported(*arguments):
    found = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return set(found.stdout.rsplit("\n", 2)[-2].split())


def test_a_run_that_looks_back_needs_no_kernel_of_arrows_and_no_pandas(tmp_path):
    with redis_server() as server:
        load(server.client)
        config = write_config(tmp_path, server.url, alerts=[("", "syslog", 3600)], output=None)
        for _ in range(2):  # the second one asks what is normal of what was anomalous
            heavy = imported("run", "--config", config, "--as-of", END) & {"pandas", "pyarrow.compute", "numpy.ma"}
            assert not heavy


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

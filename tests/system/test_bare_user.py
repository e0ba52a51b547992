"""A user whose number has no name, in an empty environment (`env -i`, a container's `--user 54321`)."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from ridgeline.engine.demo.fleet import build_fleet

# Once as root, so that all is imported: another user may not reach this Python. Then again with nothing.
SCRIPT = """
import os, sys
from ridgeline.engine.cli.main import main
folder = sys.argv[1]
commands = [
    ["score", f"{folder}/in.parquet", f"{folder}/as/out.parquet"],
    ["run", "--config", f"{folder}/homeless.toml", "--json"],
    ["run", "--config", f"{folder}/placed.toml", "--json"],
]
os.mkdir(f"{folder}/as")
for command in commands:
    main(command)
os.rename(f"{folder}/as", f"{folder}/root")
os.mkdir(f"{folder}/as")
os.chown(f"{folder}/as", 54321, 54321)
os.environ.clear()
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
print("then", flush=True)
print([main(command) for command in commands])
"""
CONFIG = """
[source]
kind = "parquet"
path = "{folder}/in.parquet"
[[alert]]
match = "."
strategy = "console"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_it_scores_runs_and_says_in_a_sentence_what_it_lacks(reachable):
    pq.write_table(build_fleet(60, points=300, end=1_700_000_000, incidents=2).table(), reachable / "in.parquet")
    (reachable / "homeless.toml").write_text(CONFIG.format(folder=reachable))
    (reachable / "placed.toml").write_text(
        CONFIG.format(folder=reachable) + f'[output]\ndirectory = "{reachable}/as"\n'
    )
    environ = {**os.environ, "XDG_STATE_HOME": str(reachable / "state")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(reachable)], env=environ, capture_output=True, text=True, timeout=300, check=False
    )  # fmt: skip
    out, err = done.stdout.partition("then\n")[2].splitlines(), done.stderr
    assert done.returncode == 0, err
    assert json.loads(out[-1])[:2] == [0, 2], err
    assert json.loads(out[-1])[2] in {0, 66}, err
    assert "no home folder is known for user number 54321" in err
    assert "HOME or XDG_STATE_HOME" in err
    assert "bug" not in err
    assert pq.read_table(reachable / "as/out.parquet") == pq.read_table(reachable / "root/out.parquet")

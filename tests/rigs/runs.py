"""What tests of `ridgeline run` share: a loaded fleet, a configuration, a run in this process or another."""

import json
import os
import subprocess
import sys

from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.write import write_matrix

END = 1_700_000_000
FLEET = build_fleet(120, points=300, end=END, incidents=10)
TABLE = FLEET.table()


def load(client, table=TABLE, mode="replace"):
    write_matrix(client, MetricMatrix.from_table(table), mode=mode)


def write_config(
    path, source, *, alerts=(("", "http", 3600),), http=None, output="out", deadline=30, chunk_keys=10, extra=""
):
    """A ridgeline.toml beside its output folder. `source`: the address of a Redis, or a Parquet file."""
    where = (
        f'kind = "parquet"\npath = "{source}"'
        if str(source).endswith("parquet")
        else f'kind = "redis"\nurl = "{source}"'
    )
    lines = [f"[source]\n{where}\nchunk_keys = {chunk_keys}", f"[run]\ndeadline = {deadline}\nthreads = 2"]
    lines += [
        f'[[alert]]\nmatch = "{match}"\nstrategy = "{name}"\nexpiration = {seconds}' for match, name, seconds in alerts
    ]
    if http is not None:
        lines.append(f'[alerters.http]\nurl = "{http.url}alert"\nconcurrency = 2')
    if output is not None:
        lines.append(f'[output]\ndirectory = "{path / output}"')
    config = path / "ridgeline.toml"
    config.write_text("\n".join([*lines, extra, ""]))
    return config


def run(config, *arguments, as_of=END):
    """The exit code of `ridgeline run` in this process."""
    return main(["run", "--config", str(config), *(() if as_of is None else ("--as-of", str(as_of))), *arguments])


def run_json(capsys, config, *arguments, as_of=END):
    """(exit code, the printed object, standard error)."""
    capsys.readouterr()
    code = run(config, "--json", *arguments, as_of=as_of)
    printed = capsys.readouterr()
    return code, json.loads(printed.out), printed.err


def start(config, *arguments, as_of=END, **options):
    """`ridgeline run` in a process of its own."""
    command = [sys.executable, "-m", "ridgeline", "run", "--config", str(config), "--as-of", str(as_of), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **options.pop("env", {})}, **options
    )  # fmt: skip


def received(http):
    """The metrics that alerts have arrived for, in order of arrival."""
    return [alert["metric"] for request in http.requests for alert in request.json["alerts"]]


def told(**counts):
    """The `alerts` of `--json`: these counts, and nothing of all else."""
    names = ("sent", "messages", "suppressed", "muted", "unmatched", "queued", "failed", "dropped")
    return {name: counts.get(name, 0) for name in names}

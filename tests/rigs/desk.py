"""An operator's desk: one fleet in Redis, with state there, and in Parquet, with state in a file; runs and commands on it."""

import contextlib
import json

import pyarrow.parquet as pq
from rigs.redis import redis_server
from rigs.runs import TABLE, load, run_json, write_config

from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import load_config
from ridgeline.engine.run.state import open_run_state

PLACES = ("redis", "sqlite")


@contextlib.contextmanager
def loaded_places(folder):
    """Where the fleet is, by the place of the state: the server and the file."""
    pq.write_table(TABLE, folder / "fleet.parquet")
    with redis_server() as server:
        load(server.client)
        yield {"redis": server, "sqlite": folder / "fleet.parquet"}


class Desk:
    """Commands with one configuration, in this process. What earlier runs left is forgotten."""

    def __init__(self, place, folder, capsys):
        self._source, self._folder, self._capsys = place, folder, capsys
        if hasattr(place, "client"):
            self._source = place.url
            for pattern in ("last_alert.*", "ridgeline.*", "alert.paused.*", "metrics_manager.*"):
                for key in place.client.scan_iter(pattern):
                    place.client.delete(key)
        self.config = None

    def configure(self, **options):
        self.config = write_config(self._folder, self._source, **options)

    def call(self, *words):
        """(exit code, standard output, standard error); what follows "--" stays behind it."""
        at = words.index("--") if "--" in words else len(words)
        self._capsys.readouterr()
        code = main([*words[:at], "--config", str(self.config), *words[at:]])
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err

    def json(self, *words):
        """What a command that succeeds prints with `--json`."""
        at = words.index("--") if "--" in words else len(words)
        code, out, err = self.call(*words[:at], "--json", *words[at:])
        assert (code, err) == (0, "")
        return json.loads(out)

    def run(self, *arguments):
        """(exit code, the printed object, standard error) of `ridgeline run`."""
        return run_json(self._capsys, self.config, *arguments)

    @contextlib.contextmanager
    def state(self):
        with open_run_state(load_config(self.config)) as state:
            yield state

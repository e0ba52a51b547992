"""Web applications of Skyline on other hosts: what they list and hold, and every way in which one may answer otherwise."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from rigs.http import Answer, http_server

from ridgeline.engine.config.load import parse_config

DATA = "/opt/skyline/ionosphere/data"
PROFILES = "/opt/skyline/ionosphere/features_profiles"
NOW = 1_700_000_120
PASSWORD = "s3cret-of-peers"


def as_json(**data):
    """An answer as Skyline gives it."""
    return Answer(body=json.dumps({"data": data}).encode())


def training_folder(metric, timestamp):
    return f"{DATA}/{timestamp}/{metric.replace('.', '/')}"


@dataclass
class Webapp:
    """What a peer has. `sets`: (metric, timestamp) -> {file name: bytes}; `profiles`: id -> (metric, timestamp, files).

    `instead`: what is answered, instead of that, to a request whose target begins with its key. `listed`: items of the list of
    training data beside those of `sets`; `paths`: names and paths that every listing gains.
    """

    sets: dict = field(default_factory=dict)
    profiles: dict = field(default_factory=dict)
    instead: dict = field(default_factory=dict)
    listed: list = field(default_factory=list)
    paths: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    headers: list = field(default_factory=list)

    def __call__(self, request):
        method, target, _ = request.line.split(" ")
        assert method == "GET"
        self.asked.append(target)
        self.headers.append(request.headers)
        for start, answer in self.instead.items():
            if target.startswith(start):
                return answer(request) if callable(answer) else answer
        page, query = urlsplit(target).path, parse_qs(urlsplit(target).query, keep_blank_values=True)
        if page == "/api" and "training_data" in query:
            return as_json(metrics=[*map(list, self.sets), *self.listed])
        if page == "/api" and "expected_features_profiles_dir" in query:
            folders = {number: self.profile_folder(number) for number in self.profiles}
            return as_json(features_profile_dirs=folders)
        if page == "/ionosphere_files":
            return self.list_files(*(query[key][0] for key in ("source", "metric", "timestamp")))
        if page == "/ionosphere_file":
            found = self.files().get(query["file"][0])
            return Answer(404, body=b"not found") if found is None else Answer(body=found)
        return Answer(404, body=b"{}")

    def profile_folder(self, number):
        metric, timestamp, _ = self.profiles[number]
        return f"{PROFILES}/{metric.replace('.', '/')}/{timestamp}"

    def list_files(self, source, metric, timestamp):
        if source == "training_data":
            files, folder = self.sets.get((metric, int(timestamp)), {}), training_folder(metric, timestamp)
        else:
            wanted = (metric, int(timestamp))
            number = next((number for number, (*of, _) in self.profiles.items() if tuple(of) == wanted), None)
            if number is None:
                return as_json(files={})
            files, folder = self.profiles[number][2], self.profile_folder(number)
        return as_json(files={name: f"{folder}/{name}" for name in files} | self.paths)

    def files(self):
        held = {
            f"{training_folder(*of)}/{name}": body for of, files in self.sets.items() for name, body in files.items()
        }
        for number, (_, _, files) in self.profiles.items():
            held |= {f"{self.profile_folder(number)}/{name}": body for name, body in files.items()}
        return held


@dataclass
class Hosts:
    """Peers that run, by name, and the folder for what is fetched from them."""

    folder: object
    webapps: dict
    servers: dict
    extra: str = ""

    def text(self, source='kind = "parquet"\npath = "none.parquet"'):
        """The configuration that knows them all."""
        lines = ["[source]", source, "[output]", f'directory = "{self.folder}/out"']
        lines += ["[remote_files]", f'directory = "{self.folder}/files"', self.extra]
        for name, server in self.servers.items():
            lines += ["[[remote]]", f'name = "{name}"', f'url = "{server.url}"']
            lines += ['username = "peer"', 'password_env = "PEERS"']
        return "\n".join(lines)

    def config(self):
        """The same, read."""
        return parse_config(self.text().encode(), self.folder / "ridgeline.toml", {"PEERS": PASSWORD})

    def there(self):
        """Every file that has come: its place -> its bytes."""
        root = self.folder / "files"
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@contextlib.contextmanager
def running(folder, extra="", **webapps):
    """The web applications, each on a port of its own."""
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(http_server(webapp)) for name, webapp in webapps.items()}
        yield Hosts(folder, webapps, servers, extra)


@contextlib.contextmanager
def endless(head, chunk):
    """The port of a server that answers anything with `head` and then with `chunk`s until nobody listens."""
    sent = []

    class Talk(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                self.request.recv(65536)
                self.request.sendall(head)
                while True:
                    sent.append(self.request.send(chunk))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1], sent
        finally:
            server.shutdown()
            thread.join(30)

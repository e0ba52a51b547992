"""Do what deploy/container/Containerfile says, without a container engine, and run what comes of it.

A folder takes the place of the image. This machine's /usr and its Python stand in for the base image; all else is made by the
recipe's own lines, each RUN in a mount namespace and a root of its own (unshare, chroot). What comes of it then runs as a
container would: process 1, the recipe's user, a read-only root, a volume, /tmp in memory, and a Redis on loopback. It has to
make runs, answer its health probe, and end on SIGTERM within five seconds. Its size and its times are printed.

Needs root, as mounting does.   .venv/bin/python .ci/image.py
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import redis

from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.embedded import embedded_redis
from ridgeline.io.redis.write import write_matrix

ROOT = Path(__file__).resolve().parent.parent
RECIPE = ROOT / "deploy/container/Containerfile"
LINKS = ("bin", "lib", "lib32", "lib64", "sbin")
PATH = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
PATIENCE = 120.0  # seconds for what is started
ENDED, MOST = 143, 5.0  # how a container ends on SIGTERM, and within how many seconds


@dataclass
class Stage:
    """One FROM of the recipe and what stands below it, done in the folder `root`."""

    root: Path
    user: tuple[int, int] = (0, 0)
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    volumes: list[str] = field(default_factory=list)
    said: dict[str, list[str]] = field(default_factory=dict)

    def lay(self) -> None:
        """What a base image has, besides what is mounted into it."""
        for name in ("dev", "proc", "tmp", "usr", "var/lib", "var/cache", "opt", "root"):
            (self.root / name).mkdir(parents=True)
        (self.root / "tmp").chmod(0o1777)
        shutil.copytree("/etc", self.root / "etc", symlinks=True, ignore_dangling_symlinks=True)
        for name in LINKS:
            if Path("/", name).is_symlink():
                (self.root / name).symlink_to(Path("/", name).readlink())

    def mounts(self) -> Iterator[str]:
        """Shell commands that put this machine's system under the root, unchangeable."""
        root = shlex.quote(str(self.root))
        yield f"set -e; mkdir -p {root}{sys.base_prefix}"
        yield f"mount --bind {root} {root}"
        for place in ("/usr", sys.base_prefix):
            yield f"mount --bind {place} {root}{place}"
            yield f"mount -o remount,ro,bind {root}{place}"
        yield f"mount --rbind /dev {root}/dev"

    def shell(self, words: list[str], more: dict[str, str] | None = None) -> str:
        """The shell command that becomes a program within the root, as the user; `more` is added to its environment."""
        uid, gid = self.user
        environ = [f"{name}={value}" for name, value in {**self.environ, **(more or {})}.items()]
        return "exec " + shlex.join(
            [
                "chroot",
                f"--userspec={uid}:{gid}",
                f"--groups={gid}",
                str(self.root),
                "/usr/bin/env",
                "-i",
                *environ,
                *words,
            ]
        )

    def run(self, command: str, arguments: dict[str, str]) -> None:
        """RUN: with this machine's network and package index."""
        mounts = [*self.mounts(), f"mount --rbind /proc {self.root}/proc"]
        for path in certificates():
            place = f"{self.root}{path}"
            mounts.append(f"mkdir -p {self.root}{path.parent} && touch {place} && mount --bind {path} {place}")
        script = "\n".join([*mounts, self.shell(["/bin/sh", "-ec", command], {**arguments, **index()})])
        subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script], check=True, timeout=1800)


def certificates() -> list[Path]:
    """Files outside /usr and /etc that installing needs here."""
    named = {os.environ.get(name, "") for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}
    return [Path(name) for name in sorted(named) if Path(name).is_file() and not name.startswith(("/usr/", "/etc/"))]


def index() -> dict[str, str]:
    """What tells pip here where packages are."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name == "SSL_CERT_FILE"}


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """(word, rest) of each instruction of a recipe."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def build(folder: Path) -> Stage:
    """Follow the recipe; the last stage."""
    stages: dict[str, Stage] = {}
    arguments: dict[str, str] = {}
    stage = Stage(folder)
    for word, rest in instructions(RECIPE.read_text()):
        if word == "FROM":
            name = rest.partition(" AS ")[2] or "image"
            stage = stages[name] = Stage(folder / name)
            stage.lay()
        elif word == "ARG":
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif word == "ENV":
            stage.environ |= dict(
                pair.replace("$PATH", stage.environ["PATH"]).split("=", 1) for pair in shlex.split(rest)
            )
        elif word == "USER":
            stage.user = account(stage.root, rest)
        elif word == "VOLUME":
            stage.volumes.append(rest)
        elif word == "RUN":
            began = time.monotonic()
            stage.run(rest, arguments)
            print(f"{time.monotonic() - began:7.1f} s  RUN {rest[:90]}", flush=True)
        elif word == "COPY":
            copy(rest.split(), stage, stages)
        elif word in {"ENTRYPOINT", "CMD", "HEALTHCHECK"}:
            stage.said[word] = re.findall(r'"([^"]*)"', rest[rest.index("[") :])
        else:
            raise SystemExit(f"{RECIPE}: {word} is not known here")
    return stage


def copy(words: list[str], stage: Stage, stages: dict[str, Stage]) -> None:
    """COPY: from another stage, or what .dockerignore leaves of the checkout."""
    *flags, source, target = words
    place = stage.root / target.lstrip("/")
    if flags:
        shutil.copytree(stages[flags[0].removeprefix("--from=")].root / source.lstrip("/"), place, symlinks=True)
        return
    place.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            found = ROOT / line[1:]
            if found.is_dir():
                shutil.copytree(found, place / found.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(found, place / found.name)


def account(root: Path, name: str) -> tuple[int, int]:
    """The numbers of a user within the root."""
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2]), int(fields[3])
    raise SystemExit(f"the recipe makes no user {name}")


def megabytes(path: Path) -> int:
    """What a folder takes on disk."""
    done = subprocess.run(["du", "-sm", path], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[0])


class Container:
    """The last stage at work; `process` is the program that holds its namespaces, `log` what it says."""

    def __init__(self, image: Stage, log: Path) -> None:
        mounts = [*image.mounts(), f"mount -t proc proc {image.root}/proc", f"mount -t tmpfs tmpfs {image.root}/tmp"]
        mounts += [f"mount --bind {image.root}{volume} {image.root}{volume}" for volume in image.volumes]
        script = "\n".join(
            [
                *mounts,
                f"mount -o remount,ro,bind {image.root}",
                image.shell([*image.said["ENTRYPOINT"], *image.said["CMD"]]),
            ]
        )
        command = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
        ]
        self.image, self.log = image, log
        with log.open("w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    @property
    def first(self) -> int:
        """The number that process 1 of the container has on this machine."""
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def spent(self) -> float:
        """Seconds of CPU that process 1 and its children have used."""
        fields = Path(f"/proc/{self.first}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def probe(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """What the health probe says."""
        inside = ["nsenter", f"--target={self.first}", "--mount", "--pid", "sh", "-c", self.image.shell(words)]
        return subprocess.run(inside, capture_output=True, text=True, timeout=60, check=False)

    def until(self, text: str, times: int = 1) -> float:
        """Seconds until the log has a text so many times."""
        began = time.monotonic()
        while self.log.read_text().count(text) < times:
            if time.monotonic() - began > PATIENCE or self.process.poll() is not None:
                raise SystemExit(f"the container never said {text!r}:\n{self.log.read_text()}")
            time.sleep(0.01)
        return time.monotonic() - began


def try_out(image: Stage, log: Path) -> None:
    """Run it against a Redis, probe it, and end it."""
    port = free_port()
    config = image.root / "etc/ridgeline/ridgeline.toml"
    config.parent.mkdir()
    config.write_text(f'[source]\nkind = "redis"\nurl = "redis://127.0.0.1:{port}/0"\n[agent]\nrun_every = 2\n')
    fleet = build_fleet(100, points=300, end=int(time.time()))
    with embedded_redis(["--port", str(port)]) as server:
        client = redis.Redis(unix_socket_path=server.url.removeprefix("unix://"), protocol=2)
        write_matrix(client, MetricMatrix.from_table(fleet.table()), mode="replace")
        container = Container(image, log)
        try:
            took = container.until(" metrics, ")
            print(f"{took:7.1f} s  from its start to the end of the first run, {container.spent():.1f} s of CPU")
            container.until(" metrics, ", 3)
            probe = container.probe(image.said["HEALTHCHECK"])
            if probe.returncode:
                raise SystemExit(f"the health probe ends {probe.returncode}: {probe.stdout}{probe.stderr}")
            written = container.probe(
                ["/bin/sh", "-c", "! touch /opt/ridgeline/x /var/cache/ridgeline/../x /etc/x 2>&1"]
            )
            if written.returncode:
                raise SystemExit("its root can be written to")
            began = time.monotonic()
            os.kill(container.first, signal.SIGTERM)
            code, took = container.process.wait(30), time.monotonic() - began
        finally:
            container.process.kill()
            container.process.wait(30)
    said = log.read_text()
    print(f"{took:7.1f} s  from SIGTERM to its end, {code}")
    if code != ENDED or took > MOST or "compil" in said or "Traceback" in said or "warning" in said:
        raise SystemExit(
            f"it should have ended {ENDED} within {MOST} s, and said nothing but this of its runs:\n{said}"
        )


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def namespaces_work() -> bool:
    """Whether this user may do here what an engine does: not so within most containers."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return False
    trial = ["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "mount", "-t", "tmpfs", "t", "/mnt"]
    return subprocess.run(trial, capture_output=True, timeout=60, check=False).returncode == 0


def main() -> int:
    """Build, run, tell; 0, or what went wrong as a sentence."""
    if not namespaces_work() or not Path(sys.base_prefix, "bin/python").exists():
        print("left out: this needs root that may mount in namespaces of its own, and a Python that is called so")
        return 0
    with tempfile.TemporaryDirectory(prefix="ridgeline-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the recipe's user goes through it
        image = build(folder)
        for place in ("opt/ridgeline", "var/cache/ridgeline"):
            print(f"{megabytes(image.root / place):7,} MB /{place}, above the base image")
        try_out(image, folder / "log")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

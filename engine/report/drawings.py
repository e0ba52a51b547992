"""Pictures drawn in a process of their own, so that nothing a drawing does can cost more than its time.

The process is started afresh and never forked: a fork of one that has threads and compiled kernels may hang for ever.
"""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final

from ridgeline.engine.report.picture import Picture
from ridgeline.kernels.native.children import asked, command, hear
from ridgeline.kernels.native.folder import opened
from ridgeline.kernels.native.places import candidates

PAINTER: Final = "ridgeline.engine.report.painter"
LACKING: Final = "matplotlib is not installed: pip install 'ridgeline[plot]'"
LEFT_OVER: Final = 1.0  # seconds that a killed process gets to be gone


@dataclass(slots=True)
class Drawings:
    """What has been `drawn`, PNG by metric, and in one sentence why anything was not."""

    drawn: dict[str, bytes] = field(default_factory=dict)
    problem: str = ""

    def draw(self, pictures: Sequence[Picture], seconds: float) -> None:
        """Draw within `seconds`, the first ones first; what is drawn by then counts. Raises nothing."""
        if not can_draw():
            self.problem = LACKING
            return
        request = asked({"pictures": [picture.as_json() for picture in pictures], "parent": os.getpid()})
        environ = {**os.environ, "MPLBACKEND": "agg", "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR") or _own_folder()}
        run, pipe = command(PAINTER), subprocess.PIPE
        try:
            child = subprocess.Popen(run, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environ)  # noqa: S603 - our own
        except OSError as error:
            self.problem = f"the process that draws cannot be started: {error.strerror}"
            return
        told = self._answer(child, request, seconds)
        for at, png in self._read(told.splitlines(keepends=True)):
            self.drawn[pictures[at].metric] = png
        if not self.problem and len(self.drawn) < len(pictures):
            self.problem = f"the process that draws ended with exit code {child.returncode}"

    def _answer(self, child: subprocess.Popen[bytes], request: bytes, seconds: float) -> bytes:
        """What the child told within the time. It is gone afterwards, also if we are told to stop meanwhile."""
        told = b""
        try:
            told = child.communicate(request, timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            self.problem = f"drawing was broken off after {seconds:.1f} s"
        finally:
            if child.returncode is None:
                child.kill()
                assert child.stdin is not None
                child.stdin.close()  # what it has not read it never will
                with contextlib.suppress(subprocess.TimeoutExpired):
                    told = child.communicate(timeout=LEFT_OVER)[0]
        return told

    def _read(self, lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """Position and PNG of each whole line; problems are kept, the first one."""
        for line in lines:
            told = hear(line) if line.endswith(b"\n") else {}
            if isinstance(told.get("problem"), str):
                self.problem = self.problem or told["problem"]
            elif "png" in told:
                yield told["at"], base64.b64decode(told["png"])


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return find_spec("matplotlib") is not None


def _own_folder() -> str:
    """Where matplotlib keeps its list of the machine's fonts: beside the kernels, since the user of a run may have no home.

    Without such a folder it would make it anew each time. Empty where there is none that no other user could change.
    """
    for place in candidates(os.environ):
        with contextlib.suppress(OSError), opened(place) as outer, outer.inner("matplotlib", create=True) as folder:
            return str(folder.path)
    return ""

"""`ridgeline warmup`: progress on standard error, the result on standard output, each thing said once."""

from pathlib import Path

import pytest

from ridgeline.engine.cli.main import main
from ridgeline.kernels.native import loader
from ridgeline.kernels.native.loader import Warmed


def test_it_says_where_the_kernels_are(capsys):
    assert main(["warmup"]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"ready: {', '.join(loader.RECIPE.entries)} in {loader.cache_directory()}\n"
    assert main(["warmup"]) == 0
    assert capsys.readouterr().err == ""


def test_steps_go_to_standard_error_and_nothing_is_said_twice(monkeypatch, capsys):
    def warmup(report):
        report("compiled kernel entry score (1 of 1) in 9.0 s")
        return Warmed(Path("/c/stamp"), {"score": 9.0}, {"score": "library"})

    monkeypatch.setattr(loader, "warmup", warmup)
    assert main(["warmup"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "ready: score in /c/stamp\n"
    assert shown.err == "compiled kernel entry score (1 of 1) in 9.0 s\n"


@pytest.mark.parametrize("problem", ["the kernel cache folder /c cannot be used: other users can write to /c"])
def test_where_nothing_can_be_kept_it_says_why(monkeypatch, capsys, problem):
    monkeypatch.setattr(loader, "warmup", lambda _: Warmed(None, {}, {"score": "numba"}, problem))
    assert main(["warmup"]) == 74
    assert problem in capsys.readouterr().err

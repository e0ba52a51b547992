"""Our own entries, in the real cache folder: native, and bit for bit what numba computes."""

import numpy as np
import pytest

from ridgeline.kernels.native import loader
from ridgeline.kernels.native.entries import load_numba


def test_every_entry_of_ours_is_native():
    """The real ones, in the real cache folder: compiled here if no test has needed them yet."""
    known = "anchor decode density gap_rows gaps grades heads history members paging past prepare replay requests ridgeline score sweep tails walks"
    assert set(known.split()) == set(loader.RECIPE.entries)
    warmed = loader.warmup()
    assert warmed.problem == ""
    assert set(warmed.origins.values()) <= {"library", "object"}
    assert loader.cache_directory() == warmed.folder
    for name in loader.RECIPE.entries:
        assert loader.entry(name).name == name
        with pytest.raises(TypeError, match="arguments, not 0"):
            loader.entry(name)()
    assert all(fact.keys() == {"summary", "min_points", "threshold", "cost"} for fact in loader.facts().values())


@pytest.mark.long
@pytest.mark.parametrize("name", ["score", "replay"])
def test_ours_give_the_bits_of_numba_itself(name, monkeypatch):
    """Every array that an entry was given is the same afterwards, native or compiled by numba in this process."""
    import importlib

    import pyarrow as pa
    from twins.strategies import KINDS, make_times, make_values

    import ridgeline

    module = importlib.import_module(loader.RECIPE.entries[name])
    real, native = loader.entry, loader.entry(name)
    numba = load_numba(module.run, name, module.SIGNATURE)

    def both(*given):
        copies = [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in given]
        status = native(*given)
        assert numba(*copies) == status
        for number, (argument, copy) in enumerate(zip(given, copies, strict=True)):
            if isinstance(argument, np.ndarray):
                assert argument.tobytes() == copy.tobytes(), f"argument {number}"
        return status

    monkeypatch.setattr(loader, "entry", lambda wanted: both if wanted == name else real(wanted))
    random = np.random.default_rng(3)
    times, values, metrics = [], [], []
    for number, kind in enumerate(KINDS * (20 if name == "score" else 2)):
        n = int(random.integers(90, 1500))
        times.append(make_times(random, str(random.choice(["minutes", "seconds", "gaps", "uneven"])), n).tolist())
        values.append((make_values(random, kind, n) * 10.0 ** random.integers(-6, 7) + 1e3).tolist())
        metrics.append(f"{kind}.{number}")
    columns = {
        "metric": metrics,
        "timestamp": pa.array(times, pa.large_list(pa.int64())),
        "value": pa.array(values, pa.large_list(pa.float64())),
    }
    for profile in ("native", "earthgecko", "earthgecko_batch"):
        if name == "replay":
            assert ridgeline.replay(pa.table(columns), profile=profile, threads=1).num_rows > 100
            continue
        for wanted in ({}, {"all_votes": True}, {"scores": True}):
            found = ridgeline.score(pa.table(columns), profile=profile, as_of="last", threads=1, **wanted)
            assert found.num_rows == len(metrics)

"""Names that a configuration may use: algorithms, profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def known_algorithms(modules: Sequence[str], refuse: Callable[[str], None]) -> tuple[str, ...]:
    """Return the names of all algorithms: ours, then the users' own from `modules` and from entry points."""
    from pkgutil import iter_modules

    import ridgeline.kernels

    ours = (found.name for found in iter_modules(ridgeline.kernels.__path__) if not found.ispkg)
    return tuple(name for name in ours if not name.startswith("_"))


def known_profiles() -> tuple[str, ...]:
    """Return the names of the profiles."""
    from ridgeline.engine.profiles import PROFILES

    return tuple(PROFILES)

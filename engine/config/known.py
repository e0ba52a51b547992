"""Names that a configuration may use: algorithms, profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ridgeline.engine.rules.user_algorithms import UserAlgorithm, load_user_algorithms
from ridgeline.io.errors import InputError


def known_algorithms(
    modules: Sequence[str], refuse: Callable[[str], None]
) -> tuple[tuple[str, ...], tuple[UserAlgorithm, ...]]:
    """Return the names of the nine, and the users' own algorithms from `modules` and from entry points.

    `refuse` is told what is wrong where those cannot be loaded. No kernel is imported.
    """
    from pkgutil import iter_modules

    import ridgeline.kernels

    found = (module.name for module in iter_modules(ridgeline.kernels.__path__) if not module.ispkg)
    ours = tuple(name for name in found if not name.startswith("_"))
    try:
        return ours, load_user_algorithms(modules, ours)
    except InputError as error:
        refuse(str(error))
        return ours, ()


def known_profiles() -> tuple[str, ...]:
    """Return the names of the profiles."""
    from ridgeline.engine.rules.profiles import PROFILES

    return tuple(PROFILES)

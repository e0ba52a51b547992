"""A Skyline settings file as names and values, read as text: nothing in it is executed or imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ridgeline.engine.config.skyline.expressions import Known, Unreadable, evaluate
from ridgeline.io.errors import InputError
from ridgeline.io.small import read_small

LARGEST: Final = 2 << 20  # bytes
LONGEST_LINE: Final = 100_000  # characters: hand-written files have no longer ones, and deep nesting needs them


@dataclass(slots=True)
class Settings:
    """What a settings file says. Asking for a value marks it as used.

    names    value by name, as the last assignment has it
    lines    where each name is assigned, also one whose value cannot be read
    problems (line, name or what stands there, why it was not read)
    """

    names: dict[str, Known] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, or the default where the file does not say, or not as a plain value."""
        self.used.add(name)
        return self.names[name].value if name in self.names else default

    def typed(self, name: str, kind: type | tuple[type, ...], default: Any) -> Any:
        """The same, where a value of another kind than Skyline's is a problem, and the default stands in for it."""
        value = self.get(name, default)
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is int):
            return value
        if value is not default:
            self.problems.append(
                (self.lines.get(name, 0), name, f"a value of its kind was expected, not {value!r:.60}")
            )
        return default


def read_settings(path: Path) -> Settings:
    """Read a file. Raises InputError where it is none of Python, or cannot be read at all."""
    try:
        raw = read_small(path, LARGEST)
    except FileNotFoundError:
        raise InputError(f"there is no settings file {path}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the settings file {path}: {reason}") from error
    return parse_settings(raw, str(path))


def parse_settings(raw: bytes, name: str) -> Settings:
    """Read the text of a file called `name`. Raises InputError where it is no Python."""
    if max(map(len, raw.splitlines()), default=0) > LONGEST_LINE:
        raise InputError(f"{name} is no settings file: a line of it has more than {LONGEST_LINE:,} characters")
    try:
        tree = ast.parse(raw, name)
    except SyntaxError as error:
        where = f"{name}:{error.lineno}" if error.lineno else name
        raise InputError(f"{where}: this is no Python: {error.msg}") from None
    except ValueError as error:
        raise InputError(f"{name} cannot be read as Python: {error}") from None
    except (MemoryError, RecursionError):
        raise InputError(f"{name} cannot be read as Python: it is nested too deeply") from None
    settings = Settings()
    for statement in tree.body:
        _take(statement, settings)
    return settings


def _take(statement: ast.stmt, settings: Settings) -> None:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()) | ast.Pass():
            return
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            _assign(name, value, statement, settings)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            _assign(name, value, statement, settings)
        case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
            _assign(name, ast.BinOp(ast.Name(name), op, value), statement, settings)
        case _:
            what = type(statement).__name__.lower()
            bound = list(dict.fromkeys(name for name in _bound(statement) if name.isupper()))
            for name in bound:
                # What it would have assigned is not known, and what was known before may not hold.
                settings.names.pop(name, None)
            sets = f"; what it may set is taken as not set: {', '.join(bound)}" if bound else ""
            settings.problems.append((statement.lineno, f"a statement ({what})", f"it would have to be executed{sets}"))


def _assign(name: str, value: ast.expr, statement: ast.stmt, settings: Settings) -> None:
    settings.lines[name] = statement.lineno
    try:
        settings.names[name] = evaluate(value, settings.names)
    except RecursionError:
        settings.names.pop(name, None)
        settings.problems.append((statement.lineno, name, "it is nested too deeply"))
    except Unreadable as why:
        settings.names.pop(name, None)
        settings.problems.append((statement.lineno, name, str(why)))


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Every name that a statement may assign."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            yield node.value.id

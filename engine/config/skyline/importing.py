"""Brings a settings file over: the text of a configuration, its secrets in files of their own, what was left out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ridgeline.engine.config.skyline.draft import SecretKey, variable
from ridgeline.engine.config.skyline.mend import mend
from ridgeline.engine.config.skyline.settings import read_settings
from ridgeline.engine.config.skyline.translate import left_out, translate
from ridgeline.engine.config.skyline.write import to_toml
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.errors import OutputError

FOLDER: Final = ".secrets"  # what follows the name of the configuration
PRIVATE: Final = 0o700


@dataclass(frozen=True, slots=True)
class Imported:
    """A configuration made of a settings file.

    left_out  a line for each setting without a place in it
    remarks   what people should look at
    secrets   names of the files or environment variables that hold secrets; `folder`: where the files are
    """

    text: str
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]
    secrets: tuple[str, ...]
    folder: Path | None = None


def import_settings(path: Path, to: Path | None) -> Imported:
    """Translate the file `path` and write the configuration `to`, secrets first; None writes nothing.

    Raises InputError where it cannot be read, OutputError where something cannot be written.
    """
    settings = read_settings(path)
    draft = translate(settings)
    folder = None if to is None else Path(os.path.abspath(f"{to}{FOLDER}"))  # noqa: PTH100 - links stay as they are

    def told(secret: SecretKey) -> tuple[str, str]:
        if folder is None:
            return f"{secret.key}_env", variable(secret)
        return f"{secret.key}_file", str(folder / secret.name)

    if to is not None:
        _keep(draft.secrets, folder)
    text = to_toml(draft, f"Made of {path.name} by `ridgeline config import`.", told)
    environ = {variable(secret): secret.value for secret in draft.secrets}
    text, refused, missing = mend(text, to or Path("ridgeline.toml"), environ)
    if to is not None:
        write_atomic(to, text.encode())
    remarks = [*draft.remarks, *missing]
    if to is None:
        remarks += [f"set {variable(secret)} to the secret of {secret.origin}" for secret in draft.secrets]
    lines = (*left_out(settings, draft, str(path)), *refused)
    return Imported(text, lines, tuple(remarks), tuple(told(secret)[1] for secret in draft.secrets), folder)


def _keep(secrets: list[SecretKey], folder: Path | None) -> None:
    """Write each secret to a file that nobody else can read."""
    if not secrets or folder is None:
        return
    try:
        folder.mkdir(PRIVATE)
    except FileExistsError:
        raise OutputError(f"{folder} exists already and is left as it is; move it out of the way") from None
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder} for secrets: {error.strerror}") from error
    for secret in secrets:
        write_atomic(folder / secret.name, f"{secret.value}\n".encode(errors="surrogateescape"), mode=0o600)

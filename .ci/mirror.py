"""Mirror the package layout of pyproject.toml as symbolic links, for type checkers: `python .ci/mirror.py TARGET`."""

import shutil
import sys
import tomllib
from pathlib import Path

root = Path(__file__).resolve().parent.parent
target = Path(sys.argv[1])
shutil.rmtree(target, ignore_errors=True)
setuptools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
package_dir = setuptools["package-dir"]
package = target / "ridgeline"
package.mkdir(parents=True)
for source in (root / package_dir["ridgeline"]).iterdir():
    if source.name != "__pycache__":
        (package / source.name).symlink_to(source)
for name, folder in package_dir.items():
    if name != "ridgeline":
        (package / name.removeprefix("ridgeline.")).symlink_to(root / folder)

"""What Skyline's settings say of the other hosts of a cluster, and of the files that are fetched from them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from ridgeline.engine.config.skyline.draft import Draft
from ridgeline.engine.config.skyline.settings import Settings

NAME: Final = "REMOTE_SKYLINE_INSTANCES"
IONOSPHERE: Final = "/opt/skyline/ionosphere"
# The folders that `[remote_files] directory` has below it.
FOLDERS: Final = {"IONOSPHERE_DATA_FOLDER": "data", "IONOSPHERE_PROFILES_FOLDER": "features_profiles"}


def translate_remotes(settings: Settings, draft: Draft) -> None:
    """`[[remote]]`, and `[remote_files]` where files are fetched from them."""
    taken: set[str] = set()
    for at, instance in enumerate(settings.typed(NAME, (list, tuple), ()), 1):
        _remote(at, instance, taken, draft)
    if not taken:
        settings.used.add("SYNC_CLUSTER_FILES")
    elif settings.get("SYNC_CLUSTER_FILES", default=False):
        _files(settings, draft)
    else:
        draft.say("SYNC_CLUSTER_FILES is not True: give [remote_files] directory to fetch files all the same")


def _remote(at: int, instance: Any, taken: set[str], draft: Draft) -> None:
    """One entry of the list; its password is kept apart."""
    fields = instance if isinstance(instance, list | tuple) else ()
    url, user, password, host = (*fields[:4], None, None, None, None)[:4]
    if not isinstance(url, str) or not url:
        draft.drop(NAME, f"entry {at} is no [url, user, password, host]")
        return
    if "@" in url:
        draft.drop(NAME, f"entry {at} has a user or a password in its url: give them as username and password_file")
        return
    name = str(host or urlsplit(url).netloc or url)
    if name in taken:
        draft.drop(NAME, f"entry {at} names the host {name!r:.60} once more")
        return
    taken.add(name)
    known = bool(user and password)
    draft.row("remote", {"name": name, "url": url, "username": str(user) if known else None}, NAME)
    if known:
        draft.row_secret("password", f"remote_{at}_password", str(password), NAME)


def _files(settings: Settings, draft: Draft) -> None:
    """The folder that both of Ionosphere's lie in, where they are called as ours are."""
    parents = set()
    for name, ours in FOLDERS.items():
        parent, _, last = settings.typed(name, str, f"{IONOSPHERE}/{ours}").rstrip("/").rpartition("/")
        parents.add(parent if last == ours else "")
    if len(parents) > 1 or "" in parents:
        draft.drop(
            "SYNC_CLUSTER_FILES",
            f"{' and '.join(FOLDERS)} are not data and features_profiles of one folder: choose [remote_files] directory yourself",
        )
        return
    draft.put("remote_files", "directory", parents.pop(), ", ".join(FOLDERS))

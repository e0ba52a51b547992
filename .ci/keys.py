"""Print docs/keys.md, the catalogue of Redis keys for people: `python .ci/keys.py > docs/keys.md`."""

import sys

from ridgeline.io.redis.acl import BUILT
from ridgeline.io.redis.key import Key
from ridgeline.io.redis.keys import CATALOGUE

HEAD = """# Redis keys

Every key that Ridgeline reads or writes, from `io/redis/keys.py`; do not edit this page, run `python .ci/keys.py >
docs/keys.md`. `<...>` stands for any text, `<namespace>` is `[source] namespace` (`metrics.`). A key without seconds never
expires by itself. `run` is also the commands that look at what runs left (`alert`, `silence`, `anomalies`). The user in
Redis that these keys need: [operations.md](operations.md#redis).
"""
PLANNED = "Planned: nothing reads or writes these keys yet."


def rows(keys: list[Key]) -> list[str]:
    """One table."""
    table = ["| key | type | holds | expires (s) | written by | read by |", "|---|---|---|---|---|---|"]
    for key in keys:
        cells = [
            f"`{key.name}`",
            key.kind,
            key.value.replace("<", "\\<"),
            key.ttl,
            ", ".join(key.writers),
            ", ".join(key.readers),
        ]
        table.append(f"| {' | '.join(cells)} |")
    return table


def page() -> str:
    """The page."""
    lines = [HEAD]
    for feature in dict.fromkeys(key.feature for key in CATALOGUE):
        keys = [key for key in CATALOGUE if key.feature == feature]
        lines += [f"## {feature}", "", *([] if feature in BUILT else [PLANNED, ""]), *rows(keys), ""]
    return "\n".join(lines).rstrip()


if __name__ == "__main__":
    sys.stdout.write(f"{page()}\n")

"""The page itself: one file of HTML with its style, its script, the plotting library and all data in it.

Texts reach the page in two ways only: as JSON whose `<`, `>` and `&` are escaped, or as base64. What the script shows of
them it sets as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as markup
from pathlib import Path
from string import Template
from typing import Any, Final

from ridgeline.engine.report.files import dumps

WEB: Final = Path(__file__).parent / "web"
SCRIPTS: Final = (
    "decode.js", "thin.js", "look.js", "figure.js", "fleet.js", "agreement.js", "curves.js", "tuning.js", "paging.js",
    "incidents.js", "lanes.js", "metric.js", "start.js",
)  # fmt: skip
CUT: Final = "\0"  # where the columns go; in no text of a page


def page(summary: dict[str, Any], columns: Sequence[str], library: str) -> Iterator[bytes]:
    """The bytes of the page, piece by piece.

    `columns` of each metric in the order of `summary["metrics"]`, and `library`, are base64 of gzip.
    """
    frame = Template((WEB / "page.html").read_text(encoding="utf-8"))
    script = "\n".join((WEB / name).read_text(encoding="utf-8") for name in SCRIPTS)
    head, tail = frame.substitute(
        title=markup(summary["title"]),
        style=(WEB / "page.css").read_text(encoding="utf-8"),
        summary=dumps(summary),
        library=library,
        script=script,
        columns=CUT,
    ).split(CUT)
    yield head.encode()
    for place, text in enumerate(columns):
        yield f'<script type="text/plain" id="columns-{place}">{text}</script>\n'.encode()
    yield tail.encode()

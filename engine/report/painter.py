"""The process that draws: pictures come on standard input, each goes out as a line of JSON as soon as it is drawn."""

from __future__ import annotations

import base64
import io
import os
from typing import Any

from ridgeline.engine.report.picture import Picture
from ridgeline.engine.report.plot import draw
from ridgeline.io.errors import RidgelineError
from ridgeline.io.text import escape
from ridgeline.kernels.native.children import die_with, tell


def main(request: dict[str, Any]) -> None:
    """Draw `request["pictures"]` in their order, and end when the process `request["parent"]` does.

    A line is {"at": position, "png": base64}, or {"problem": sentence} for one that cannot be drawn.
    """
    die_with(request["parent"])
    channel = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no answer of ours
    for at, told in enumerate(request["pictures"]):
        file = io.BytesIO()
        try:
            draw(Picture.from_json(told), file)
        except RidgelineError as error:  # matplotlib is not there: the others would fail alike
            tell(channel, problem=str(error))
            return
        except Exception as error:  # noqa: BLE001 - whatever matplotlib raises costs this picture alone
            tell(channel, problem=f"a picture cannot be drawn: {type(error).__name__}: {escape(error)}")
        else:
            tell(channel, at=at, png=base64.b64encode(file.getvalue()).decode())

"""Draws one metric: the one place where a series becomes a picture, for alerts, backtests and explanations alike.

A picture brings its own light ground and a frame, so it reads the same in a dark mail as in a light one. Everything has
its place in pixels: a text that is too long is shortened, it never moves or covers anything. Needs the extra `plot`.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

from ridgeline.engine.report.axis import Axis
from ridgeline.engine.report.picture import Picture
from ridgeline.engine.report.strokes import ANOMALY, FAINT, FRAME, GROUND, INK, draw_lanes, draw_time, draw_values
from ridgeline.engine.report.wording import Width, legible, shortened, wrapped
from ridgeline.io.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI: Final = 110
# In pixels. RIGHT holds half a label of the axis of time; the next are heights.
PAD, RIGHT = 16, 28
TITLE, NOTE, UNIT, TICKS, KEY, LINE, LANE = 26, 22, 18, 34, 24, 17, 19
PLAIN: Final = (880, 250, 84)  # width, height of the axes of values, room for the labels on their left
WITH_LANES: Final = (1430, 400, 240)
BIG, MIDDLE, SMALL = 13, 10, 9  # sizes of type
FONT: Final = "DejaVu Sans"  # matplotlib brings it


def figure_class() -> type[Figure]:
    """Matplotlib's Figure. Raises InputError where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("drawing needs matplotlib: pip install 'ridgeline[plot]'") from error
    return Figure


def draw(picture: Picture, file: BinaryIO, kind: Literal["png", "svg"] = "png") -> None:
    """Write the picture. The same picture gives the same bytes. Raises InputError without matplotlib."""
    figure = figure_class()
    from matplotlib import rc_context, rcdefaults, rcParams

    with rc_context():
        rcdefaults()  # whatever the user's matplotlibrc asks for
        rcParams["svg.hashsalt"] = "ridgeline"
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        _sheet(picture, figure).savefig(file, format=kind, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Type:
    """The font: its `glyphs`, and how wide a text in it is."""

    glyphs: Container[int]
    renderer: Any

    @classmethod
    def load(cls) -> Type:
        """The font that matplotlib brings."""
        from matplotlib.backends.backend_agg import RendererAgg
        from matplotlib.font_manager import findfont, get_font

        return cls(get_font(findfont(FONT)).get_charmap(), RendererAgg(1, 1, DPI))

    def width(self, size: float, weight: str = "normal") -> Width:
        """Pixels of texts of this size in points."""
        from matplotlib.font_manager import FontProperties

        font = FontProperties(family=FONT, size=size, weight=weight)
        return lambda text: float(self.renderer.get_text_width_height_descent(text, font, ismath=False)[0])

    def fitted(self, text: str, room: float, size: float, weight: str = "normal") -> str:
        """One legible line of at most `room` pixels."""
        return shortened(legible(text, self.glyphs), self.width(size, weight), room)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A figure of `width` x `height` pixels, addressed from its upper left corner."""

    figure: Any
    width: int
    height: int

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        """Bare axes at this place."""
        where = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(where, facecolor="none")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FRAME)
        axes.tick_params(colors=FAINT, labelsize=SMALL, length=3)
        return axes

    def text(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        """A text whose upper left corner is at (x, y); it is no markup."""
        where = (x / self.width, 1 - y / self.height)
        self.figure.text(*where, text, fontsize=size, va="top", parse_math=False, **style)

    def key(self, x: float, y: float, axes: Any) -> None:
        """What the colours in `axes` mean, in one row."""
        where = (x / self.width, 1 - y / self.height)
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))  # each name once
        self.figure.legend(
            handles.values(), handles.keys(), loc="upper left", bbox_to_anchor=where, ncols=len(handles) or 1,
            frameon=False, fontsize=SMALL, labelcolor=FAINT, borderpad=0, borderaxespad=0, handlelength=1.6, columnspacing=1.6,
        )  # fmt: skip


def _sheet(picture: Picture, figure: type[Figure]) -> Any:
    """The figure, with everything in its place."""
    font = Type.load()
    width, tall, left = PLAIN if picture.lanes is None else WITH_LANES
    room = width - left - RIGHT
    votes = _votes(picture, font, width - 2 * PAD)
    names = () if picture.lanes is None else picture.lanes.names
    top = PAD + TITLE + NOTE + UNIT
    bottom = top + tall + (LANE * len(names) + PAD if names else 0)
    height = bottom + TICKS + KEY + LINE * len(votes) + PAD
    size = (width / DPI, height / DPI)
    sheet = Sheet(figure(figsize=size, dpi=DPI, facecolor=GROUND, edgecolor=FRAME, linewidth=2), width, height)

    axis = Axis.of(picture.values, picture.expected)
    sheet.text(PAD, PAD, font.fitted(picture.metric, width - 2 * PAD, BIG, "bold"), BIG, color=INK, weight="bold")
    sheet.text(PAD, PAD + TITLE, font.fitted(picture.note, width - 2 * PAD, MIDDLE), MIDDLE, color=FAINT)
    sheet.text(left, PAD + TITLE + NOTE, axis.unit, SMALL, color=FAINT)
    series = sheet.axes(left, top, room, tall)
    draw_values(series, picture, axis, room)
    draw_time(series, picture, labelled=not names)
    if picture.lanes is not None and names:
        lanes = sheet.axes(left, top + tall + PAD, room, LANE * len(names))
        draw_lanes(lanes, picture, [font.fitted(name, left - 2 * PAD, SMALL) for name in names])
        draw_time(lanes, picture)
    sheet.key(left, bottom + TICKS, series)
    for at, (line, colour) in enumerate(votes):
        sheet.text(PAD, bottom + TICKS + KEY + LINE * at, line, SMALL, color=colour)
    return sheet.figure


def _votes(picture: Picture, font: Type, room: float) -> list[tuple[str, str]]:
    """Who voted and who did not: lines and their colours."""
    if not picture.voted:
        return []
    asked = len(picture.voted) + len(picture.silent)
    made: list[tuple[str, str]] = []
    for head, names, colour in (
        (f"{len(picture.voted)} of {asked} voted:", picture.voted, ANOMALY),
        ("did not:", picture.silent, FAINT),
    ):
        if names:
            words = [font.fitted(name, room / 3, SMALL) for name in names]
            made += [(line, colour) for line in wrapped(head, words, font.width(SMALL), room, 2)]
    return made

"""The paper's figure: the picture and each network's map, with P of the target class under it.

Woo et al., ECCV 2018, the Grad-CAM figure; here the maps share one scale by default, and it is printed.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from app.render.colour_scale import ColourScale
from app.render.png import encode_png

# A fixed salt makes an SVG's identifiers, and so its bytes, the same for the same maps.
matplotlib.rcParams["svg.hashsalt"] = "cbam-lens"

PANEL_INCHES = 3.0
DOTS_PER_INCH = 150
LONGEST_PIXELS = 32_000
"""The longer side of a PNG; a longer figure has fewer dots per inch. matplotlib cannot draw 65,536 pixels."""

CAPTION_INCHES = 0.95
BAR_INCHES = 0.75


class FigureFormat(StrEnum):
    """File formats of the figure."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


MEDIA_TYPES = {
    FigureFormat.PNG: "image/png",
    FigureFormat.SVG: "image/svg+xml",
    FigureFormat.PDF: "application/pdf",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of the figure.

    Attributes:
        title: the text above it.
        picture: the drawn map, or the picture itself.
        caption: the line below it.
        scale: the map's colour scale; None for the picture itself.
        is_difference: whether it shows a difference of two maps, which has a colour bar of its own.
    """

    title: str
    picture: Image.Image
    caption: str
    scale: ColourScale | None = None
    is_difference: bool = False


def draw_figure(rows: Sequence[Sequence[Panel]], *, heading: str, units: str, file_format: FigureFormat) -> bytes:
    """Draw rows of panels, each with one colour bar for a shared scale, otherwise one per panel.

    Args:
        rows: a row for each class, all alike: the picture, the networks, and a difference if it is wanted.
        heading: the line above all panels.
        units: the units on the colour bars.
        file_format: PNG, SVG or PDF.

    Returns:
        The file's bytes.
    """
    first = rows[0]
    aspect = first[0].picture.height / first[0].picture.width
    height = min(3 * PANEL_INCHES, max(PANEL_INCHES / 2, PANEL_INCHES * aspect))
    # `Figure` alone: pyplot keeps global state, and figures are drawn on several threads.
    figure = Figure(
        figsize=(PANEL_INCHES * len(first) + 2 * BAR_INCHES, (height + CAPTION_INCHES) * len(rows)),
        layout="constrained",
    )
    figure.suptitle(heading, fontsize=10, parse_math=False)
    for row, panels in zip(figure.subplots(len(rows), len(first), squeeze=False), rows, strict=True):
        for axes, panel in zip(row, panels, strict=True):
            _draw_panel(axes, panel)
        maps = [(axes, panel) for axes, panel in zip(row, panels, strict=True) if not panel.is_difference]
        differences = [(axes, panel) for axes, panel in zip(row, panels, strict=True) if panel.is_difference]
        _draw_colour_bars(figure, maps, shared=f"{units}, one scale for all", own=f"{units}, own scale")
        _draw_colour_bars(figure, differences, shared=f"difference of {units}", own=f"difference of {units}")
    return save_figure(figure, file_format)


def save_figure(figure: Figure, file_format: FigureFormat, *, dots_per_inch: int = DOTS_PER_INCH) -> bytes:
    """Write a figure as a file, whose bytes are the same in every run."""
    figure.set_dpi(min(dots_per_inch, LONGEST_PIXELS / max(figure.get_size_inches())))
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
    if file_format is FigureFormat.PNG:
        # Not by savefig, which draws everything twice: first without output, for layouts that are computed already.
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]
        return encode_png(drawn, dots_per_inch=figure.dpi)
    # Without dates, so that the bytes are the same.
    metadata = {"Date": None} if file_format is FigureFormat.SVG else {"CreationDate": None}
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file_format.value, dpi=figure.dpi, metadata=metadata)
    return buffer.getvalue()


def save_pages(figures: Sequence[Figure]) -> bytes:
    """Write figures as the pages of one PDF file, whose bytes are the same in every run."""
    buffer = io.BytesIO()
    with PdfPages(buffer, metadata={"CreationDate": None}) as pages:
        for figure in figures:
            pages.savefig(figure, dpi=DOTS_PER_INCH)
    return buffer.getvalue()


def _draw_panel(axes: Axes, panel: Panel) -> None:
    axes.imshow(panel.picture)
    _set_title(axes, panel.title)
    below: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "top", "parse_math": False}
    axes.text(0.5, -0.02, panel.caption, fontsize=10, **below)
    # Without axes: the layout would measure their ticks dozens of times, a third of the figure's time.
    axes.set_axis_off()


def _draw_colour_bars(figure: Figure, drawn: Sequence[tuple[Axes, Panel]], *, shared: str, own: str) -> None:
    """Draw one colour bar for panels that share a scale, otherwise one for each, with the label for either."""
    scaled = [(axes, panel.scale) for axes, panel in drawn if panel.scale is not None and panel.scale.maximum > 0]
    is_shared = len({scale for _, scale in scaled}) == 1
    for axes, scale in scaled[:1] if is_shared else scaled:
        mappable = ScalarMappable(Normalize(scale.minimum, scale.maximum), scale.colormap)
        beside = [axes for axes, _ in drawn] if is_shared else axes
        bar = figure.colorbar(mappable, ax=beside, label=shared if is_shared else own, shrink=0.8)
        _set_title(bar.ax, "")


def _set_title(axes: Axes, title: str) -> None:
    # At a place of its own: otherwise each layout and drawing measures every axes' ticks, to put titles above them.
    axes.set_title(title, fontsize=10, parse_math=False, y=1.0)

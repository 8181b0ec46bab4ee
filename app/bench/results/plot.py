"""The report as a picture: times as boxes, throughput as bars."""

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter

from app.bench.results.parts import DESCRIPTIONS, Part
from app.bench.results.report import BenchReport, Figure
from app.bench.results.table import format_setup, format_value

TIMED_PARTS = (Part.FORWARD, Part.ANALYSIS, Part.GRAD_CAM, Part.TORCHCAM, Part.OTHER_CLASS)
COLOURS = {Part.FORWARD: "#777777", Part.GRAD_CAM: "#c46a1b", Part.TORCHCAM: "#c46a1b"}
"""The colours of the reference and the peers; our own figures have `OWN_COLOUR`."""

OWN_COLOUR = "#1b6ac4"
DOTS_PER_INCH = 150
ROW_INCHES = 0.42


def draw_report(report: BenchReport) -> bytes:
    """Draw a PNG of the figures measured in process and over HTTP."""
    times = [figure for figure in report.figures if figure.part in TIMED_PARTS and figure.unit == "ms"]
    rates = [figure for figure in report.figures if figure.key.endswith(".throughput")]
    loop = next((figure for figure in report.figures if figure.key == "loop.beside"), None)
    panels = [panel for panel, has in ((_draw_times, times), (_draw_rates, rates)) if has]
    height = max(3.0, 1.6 + ROW_INCHES * max(len(times), len(rates)))
    # `Figure` alone, as in app.render.figure: pyplot keeps global state.
    canvas = Canvas(figsize=(11, height), layout="constrained")
    FigureCanvasAgg(canvas)
    canvas.suptitle(format_setup(report.setup), fontsize=8, parse_math=False, wrap=True)
    for axes, panel in zip(canvas.subplots(1, max(1, len(panels)), squeeze=False)[0], panels, strict=False):
        if panel is _draw_times:
            _draw_times(axes, times)
        else:
            _draw_rates(axes, rates, loop)
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    return buffer.getvalue()


def _draw_times(axes: Axes, figures: list[Figure]) -> None:
    boxes = axes.boxplot(
        [figure.samples for figure in figures],
        orientation="horizontal",
        tick_labels=[_name_row(figure) for figure in figures],
        patch_artist=True,
        showfliers=False,
        widths=0.6,
        medianprops={"color": "black"},
    )
    for box, figure in zip(boxes["boxes"], figures, strict=True):
        # Colour the edge too: a box narrower than its line would be invisible.
        box.set(color=COLOURS.get(figure.part, OWN_COLOUR), linewidth=3)
    axes.invert_yaxis()
    axes.set_xscale("log")
    for formatted in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        formatted(FuncFormatter(_label_tick))
    axes.tick_params(labelsize=8, which="both")
    axes.set_xlabel("milliseconds, logarithmic; boxes from the first to the third quartile", fontsize=8)
    axes.grid(axis="x", alpha=0.3)


def _draw_rates(axes: Axes, figures: list[Figure], loop: Figure | None) -> None:
    labels = [figure.name.removeprefix("pictures, ") for figure in figures]
    bars = axes.bar(labels, [figure.value for figure in figures], color=OWN_COLOUR, width=0.6)
    axes.bar_label(bars, fmt="%.3g", fontsize=8)
    if loop is not None:
        axes.axhline(loop.value, color=COLOURS[Part.FORWARD], linestyle="--")
        axes.annotate(
            f"the bare passes in a loop: {loop.value:.3g}", (0, loop.value), fontsize=8, ha="left", va="bottom"
        )
    axes.margins(y=0.15)
    axes.tick_params(labelsize=8)
    axes.set_ylabel("pictures per second over HTTP", fontsize=8)


def _name_row(figure: Figure) -> str:
    return f"{DESCRIPTIONS[figure.part]}\n{figure.name}: {format_value(figure)} ms"


def _label_tick(value: float, position: int | None) -> str:
    """Plain numbers, at 1, 2 and 5 times the powers of ten, so that the labels have room."""
    del position
    return f"{value:g}" if f"{value:e}"[0] in "125" else ""

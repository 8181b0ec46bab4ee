"""An evaluation as a plot: differences with their intervals, and the reliability of P."""

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from app.evaluation.results.metrics import MEANINGS, Metric
from app.evaluation.results.report import Calibration, Contrast, Evaluation, Subset
from models.names import NetworkName

COLOURS = ("#2b6cb0", "#c0392f", "#2f855a", "#805ad5", "#b7791f")
"""The networks' colours by their place in the lineup; the first two are also the page's."""

SUBSET_COLOURS = ("#1b6ac4", "#777777")
DOTS_PER_INCH = 150
ROW_INCHES = 0.42


def draw_evaluation(evaluation: Evaluation) -> bytes:
    """Draw a PNG of the networks' reliability and, if the focus was measured, their differences from the baseline."""
    maps = [] if evaluation.focus is None else evaluation.focus.maps
    shown = [(result, name, contrast) for result in maps for name, contrast in result.contrasts.items()]
    # `Figure` alone, as in app.render.figure: pyplot keeps global state.
    height = max(4.0, 1.6 + ROW_INCHES * len(Metric))
    canvas = Canvas(figsize=(5 + 7 * len(shown), height), layout="constrained")
    FigureCanvasAgg(canvas)
    heading = f"{evaluation.lineup}, {evaluation.pictures:,} pictures of {evaluation.data}, "
    heading += f"{evaluation.geometry.value} at {evaluation.resolution.value}"
    canvas.suptitle(heading, fontsize=9, parse_math=False)
    all_axes = canvas.subplots(1, 1 + len(shown), squeeze=False, width_ratios=[5] + [7] * len(shown))[0]
    _draw_reliability(all_axes[0], {name: accuracy.calibration for name, accuracy in evaluation.networks.items()})
    for axes, (result, name, contrast) in zip(all_axes[1:], shown, strict=True):
        _draw_differences(axes, contrast)
        axes.set_title(f"{result.method.value} at stage {result.stage.value}", fontsize=9)
        axes.set_xlabel(f"{name} minus baseline, with the 95 % interval", fontsize=8)
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    return buffer.getvalue()


def _draw_reliability(axes: Axes, calibrations: dict[NetworkName, Calibration]) -> None:
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--")
    for colour, (name, calibration) in zip(COLOURS, calibrations.items(), strict=False):
        points = [
            (row.confidence, row.accuracy)
            for row in calibration.bins
            if row.confidence is not None and row.accuracy is not None
        ]
        axes.plot(
            [confidence for confidence, _ in points],
            [accuracy for _, accuracy in points],
            marker="o",
            markersize=4,
            color=colour,
            label=f"{name}, error {calibration.error:.3f}",
        )
    axes.set_xlabel("P of the top guess, mean per bin", fontsize=8)
    axes.set_ylabel("share of right answers", fontsize=8)
    axes.set_aspect("equal")
    axes.legend(fontsize=8)
    axes.tick_params(labelsize=8)


def _draw_differences(axes: Axes, contrast: Contrast) -> None:
    axes.axvline(0, color="#999999", linewidth=1)
    _draw_subset(
        axes, contrast.both_right, f"{contrast.both_right.pictures} that both get right", -0.14, SUBSET_COLOURS[0]
    )
    _draw_subset(axes, contrast.all, f"all {contrast.all.pictures}", 0.14, SUBSET_COLOURS[1])
    axes.set_yticks(range(len(Metric)), [_name(metric) for metric in Metric])
    axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", alpha=0.3)
    # Below the axes, where it hides no interval.
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)


def _draw_subset(axes: Axes, subset: Subset, label: str, offset: float, colour: str) -> None:
    rows = list(Metric)
    shown = [(rows.index(metric) + offset, measured.difference) for metric, measured in subset.metrics.items()]
    for place, interval in shown:
        if interval.low is not None and interval.high is not None:
            axes.plot([interval.low, interval.high], [place, place], color=colour, linewidth=2)
    places = [place for place, _ in shown]
    axes.plot([interval.mean for _, interval in shown], places, "o", markersize=5, color=colour, label=label)


def _name(metric: Metric) -> str:
    meaning = MEANINGS[metric]
    return meaning.title if meaning.is_higher_better else f"{meaning.title}\n(lower is better)"

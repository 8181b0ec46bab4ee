"""A comparison's figure, and all of its arrays in one file."""

import io
from collections.abc import Sequence

import numpy as np

from app.analysis.comparison import Comparison
from app.analysis.options import FigureOptions
from app.output.panels import draw_difference_panel, draw_panels
from app.render.figure import FigureFormat, Panel, draw_figure

FIGURE_SIDE_PIXELS = 640


def draw_comparison_figure(
    comparisons: Sequence[Comparison], options: FigureOptions, file_format: FigureFormat
) -> bytes:
    """Draw the paper's figure: the picture and every network, with P of the target class.

    Args:
        comparisons: of one picture, a row each: for the explained class and, if chosen, for a second one.
        options: the networks, the drawing, and whether the difference is added.
        file_format: PNG, SVG or PDF.
    """
    rows = [_draw_row(comparison, options) for comparison in comparisons]
    heading = _caption_figure(comparisons[0])
    return draw_figure(rows, heading=heading, units="evidence", file_format=file_format)


def _draw_row(comparison: Comparison, options: FigureOptions) -> list[Panel]:
    sentence = f"explained class: {comparison.target.label.name}"
    picture, panels = draw_panels(comparison, options, under_picture=sentence, max_side=FIGURE_SIDE_PIXELS)
    if options.difference:
        caption = "less: blue, hatched; more: red"
        panels.append(draw_difference_panel(comparison, options, caption=caption, max_side=FIGURE_SIDE_PIXELS))
    return [picture, *panels]


def _caption_figure(comparison: Comparison) -> str:
    against = f" against {', '.join(label.name for label in comparison.against)}" if comparison.against else ""
    heading = f"{comparison.method.value}{against}, stage {comparison.stage.value}, "
    heading += f"{comparison.analysis.geometry.value} at "
    heading += f"{comparison.analysis.resolution.value} pixels"
    if comparison.altered is not None:
        changes = ", ".join(str(intervention) for intervention in comparison.altered.interventions)
        heading = f"{heading}. Gates changed, not retrained: {changes}"
    if not comparison.analysis.card.trained:
        heading = f"UNTRAINED: random weights, nothing was learned. {heading}"
    return heading


def pack_maps(comparison: Comparison) -> bytes:
    """Pack every array of a comparison into a compressed NPZ file, which needs no pickle.

    Heat maps (H, W), logits (K,), gates (C,) and (H, W), the box in the picture that the maps cover, in pixels
    (left, upper, right, lower), the picture's size (width, height), the class explained, those that Finer-CAM
    contrasted it with, all class names, the lineup's name, the networks' names, whether they were trained, and the
    changes to their gates.
    """
    analysis = comparison.analysis
    arrays: dict[str, np.ndarray] = {
        "lineup": np.array(analysis.card.name),
        "trained": np.array(analysis.card.trained),
        "networks": np.array(comparison.names),
        "interventions": np.array([str(change) for change in comparison.altered.interventions], dtype=str)
        if comparison.altered
        else np.array([], dtype=str),
        "box": np.array(analysis.placement.box),
        "picture_size": np.array([analysis.placement.picture_width, analysis.placement.picture_height]),
        "class_index": np.array(comparison.target.label.index),
        "against": np.array([label.index for label in comparison.against], dtype=np.int64),
        "class_names": np.array([label.name for label in comparison.labels]),
    }
    for name in comparison.names:
        arrays[f"{name}_heat_map"] = comparison.heat_maps[name].values
        arrays[f"{name}_logits"] = analysis.traces[name].logits
        for block in analysis.traces[name].blocks:
            arrays |= {f"{name}_{block.name}_{kind.value}": gate.values for kind, gate in block.gates.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stub takes **kwargs for its flags
    return buffer.getvalue()

"""A comparison's figure, and all of its arrays in one file."""

import io
from collections.abc import Sequence

import numpy as np

from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference, choose_networks
from app.analysis.options import FigureOptions, MapOptions
from app.output.heat_maps import (
    difference_scale,
    draw_difference,
    draw_heat_map,
    heat_map_scale,
    title_difference,
    title_networks,
)
from app.render.figure import FigureFormat, Panel, draw_figure
from app.render.overlay import Render

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
    target = comparison.target.label
    titles = title_networks(comparison)
    map_options = MapOptions(**options.model_dump(), render=Render.OVERLAY)
    picture = comparison.analysis.picture(max_side=FIGURE_SIDE_PIXELS)
    shown = choose_networks(comparison.analysis.card, options.networks)
    panels = [Panel(title="Picture", picture=picture, caption=f"explained class: {target.name}")]
    panels += [
        Panel(
            title=titles[name],
            picture=draw_heat_map(comparison, name, map_options, max_side=FIGURE_SIDE_PIXELS, shown=shown),
            caption=f"P = {comparison.target_probability(name):.4f}",
            scale=heat_map_scale(comparison, comparison.heat_maps[name], options, shown=shown),
        )
        for name in shown
    ]
    if options.difference:
        panels.append(_draw_difference(comparison, options))
    return panels


def _draw_difference(comparison: Comparison, options: FigureOptions) -> Panel:
    difference = choose_difference(comparison.analysis.card, options.of, options.minus)
    limits = options.difference_scale
    map_options = MapOptions(**options.model_dump(), render=Render.OVERLAY)
    return Panel(
        title=title_difference(comparison, difference),
        picture=draw_difference(comparison, difference, map_options, limits=limits, max_side=FIGURE_SIDE_PIXELS),
        caption="less: blue, hatched; more: red",
        scale=difference_scale(comparison, difference, options.scale, limits),
        is_difference=True,
    )


def _caption_figure(comparison: Comparison) -> str:
    heading = f"{comparison.method.value}, stage {comparison.stage.value}, {comparison.analysis.geometry.value} at "
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
    (left, upper, right, lower), the picture's size (width, height), the class explained, all class names, the lineup's
    name, the networks' names, whether they were trained, and the changes to their gates.
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

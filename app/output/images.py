"""A comparison's images and files: heat maps, their difference, gates, the figure and the arrays."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from app.analysis.analyses import Analysis
from app.analysis.comparison import Comparison, Difference
from app.analysis.networks import choose_networks
from app.analysis.options import (
    AttentionOptions,
    ChannelOrder,
    ColourOptions,
    FeatureOptions,
    FigureOptions,
    MapOptions,
    Moment,
)
from app.errors import InvalidOption, refuse_choice
from app.explain.maps import BlockMaps, ChannelMaps, FloatArray, GateMap, HeatMap
from app.render.attention import draw_channel_strip, gate_scale
from app.render.colour_scale import DIFFERENCE_COLORMAP, ColourScale, DifferenceScale, Scale, limit_difference
from app.render.figure import FigureFormat, Panel, draw_figure
from app.render.overlay import Drawing, Render, draw_map, draw_values
from app.render.png import encode_png
from models.names import GateKind, NetworkName

FIGURE_SIDE_PIXELS = 640

UNTRAINED_MARK = "untrained"
"""The mark in the corner of every map of a lineup with random weights."""


def title_networks(comparison: Comparison) -> dict[NetworkName, str]:
    """The networks' titles above their panels, with notes on changed gates and random weights."""
    card = comparison.analysis.card
    titles = {}
    for name in card.names:
        changed = ", gates changed" if comparison.is_altered(name) else ""
        titles[name] = card.title_network(name) + changed + ("" if card.trained else ", untrained")
    return titles


def heat_map_scale(
    comparison: Comparison, heat_map: HeatMap, options: ColourOptions, *, shown: Sequence[NetworkName] = ()
) -> ColourScale:
    """The colours of one of a comparison's heat maps, from 0 to the shared or its own maximum.

    Args:
        comparison: the maps.
        heat_map: one of them.
        options: whether the scale is shared.
        shown: the networks that are seen side by side and share the scale; all by default.
    """
    maximum = heat_map.maximum if options.scale is Scale.OWN else comparison.maximum_of(shown or comparison.names)
    return ColourScale(colormap=options.colormap.value, minimum=0.0, maximum=maximum)


def difference_scale(
    comparison: Comparison, difference: Difference, scale: Scale, limits: DifferenceScale = DifferenceScale.OWN
) -> ColourScale:
    """The colours of a difference: symmetric about 0, up to its own largest values or to the maps' maximum.

    Args:
        comparison: the maps.
        difference: the two networks.
        scale: the maps' scale; on `own` each map is divided by its own maximum first.
        limits: the ends of the difference's scale.
    """
    if limits is DifferenceScale.OWN:
        limit = limit_difference(subtract_heat_maps(comparison, difference, scale))
    else:
        # Without evidence any limit but 0 will do; a limit of 0 would draw no difference in the lowest colour.
        limit = 1.0 if scale is Scale.OWN else comparison.shared_maximum or 1.0
    return ColourScale(colormap=DIFFERENCE_COLORMAP, minimum=-limit, maximum=limit)


def draw_heat_map(  # noqa: PLR0913  # four of them are how it is drawn
    comparison: Comparison,
    name: NetworkName,
    options: MapOptions,
    *,
    as_learned: bool = False,
    max_side: int | None = None,
    shown: Sequence[NetworkName] = (),
) -> Image.Image:
    """Draw one network's heat map at the picture's size, or with at most `max_side` pixels per side.

    With `as_learned`, a network with changed gates shows its map from before, on the shared scale of both. `shown` is
    as in `heat_map_scale`.
    """
    heat_map = comparison.heat_maps[name]
    if as_learned and comparison.altered is not None:
        heat_map = comparison.altered.learned.heat_maps[name]
    notice = None if heat_map.has_evidence else f"no positive evidence for {comparison.target.label.name}"
    scale = heat_map_scale(comparison, heat_map, options, shown=shown)
    drawing = Drawing(options.render, scale, options.opacity, notice, _mark(comparison.analysis))
    return _draw(comparison.analysis, heat_map.values, drawing, max_side)


def draw_difference(
    comparison: Comparison,
    difference: Difference,
    options: MapOptions,
    *,
    limits: DifferenceScale = DifferenceScale.OWN,
    max_side: int | None = None,
) -> Image.Image:
    """Draw one network's map minus another's; on the `own` scale each is divided by its own maximum.

    Where the second map is clearly the stronger one, the drawing is hatched.
    """
    scale = difference_scale(comparison, difference, options.scale, limits)
    drawing = Drawing(options.render, scale, options.opacity, mark=_mark(comparison.analysis), is_difference=True)
    return _draw(comparison.analysis, subtract_heat_maps(comparison, difference, options.scale), drawing, max_side)


def subtract_heat_maps(comparison: Comparison, difference: Difference, scale: Scale) -> FloatArray:
    """Subtract two maps, (H, W): in the method's units, or in shares of each map's own maximum."""
    first, second = (comparison.heat_maps[name] for name in (difference.minus, difference.of))
    if scale is Scale.SHARED:
        return second.values - first.values
    return second.values / np.float32(second.maximum or 1) - first.values / np.float32(first.maximum or 1)


def find_block(analysis: Analysis, network: NetworkName, name: str | None) -> BlockMaps:
    """Find the gates of a network's block, None for the last; raises `InvalidOption`, which lists the blocks."""
    blocks = analysis.traces[network].blocks
    if not name:
        return blocks[-1]
    for block in blocks:
        if block.name == name:
            return block
    names = [block.name for block in blocks]
    raise refuse_choice("block", name, names)


def find_gate(analysis: Analysis, network: NetworkName, block: str | None, kind: GateKind | None) -> GateMap:
    """Find one gate of a block; raises `InvalidOption`, which lists the blocks or the block's gates.

    Args:
        analysis: the picture.
        network: a network with gates.
        block: the block's name; None for the network's last one.
        kind: which gate; None for the spatial one, or the only one.
    """
    gates = find_block(analysis, network, block).gates
    if kind is None:
        return next(iter(gates.values()))
    if kind not in gates:
        allowed = [known.value for known in gates]
        raise InvalidOption(
            f"kind is {kind.value!r}, and the blocks of this network have no such gate; choose {' or '.join(allowed)}",
            option="kind",
            allowed=allowed,
        )
    return gates[kind]


def draw_attention(
    analysis: Analysis, gate: GateMap, options: AttentionOptions, *, max_side: int | None = None
) -> Image.Image:
    """Draw a gate from `find_gate`: a spatial gate at the picture's size, a channel gate as a strip.

    Raises:
        InvalidOption: for a channel gate as an overlay.
    """
    if gate.values.ndim == 1:
        if options.render is Render.OVERLAY:
            allowed = [Render.HEATMAP.value, Render.GRAY.value, Render.VALUES.value]
            raise InvalidOption(
                "render is 'overlay', but a channel gate has no place on the picture; choose heatmap, gray or values",
                option="render",
                allowed=allowed,
            )
        render = options.render or Render.HEATMAP
        if options.order is ChannelOrder.STRENGTH:
            gate = GateMap(np.sort(gate.values)[::-1].copy())
        return draw_channel_strip(gate, render=render, colormap=options.colormap.value, mark=_mark(analysis))
    scale = gate_scale(options.colormap.value)
    drawing = Drawing(options.render or Render.OVERLAY, scale, options.opacity, mark=_mark(analysis))
    return _draw(analysis, gate.values, drawing, max_side)


def draw_feature_map(
    analysis: Analysis, channel: ChannelMaps, moment: Moment, options: FeatureOptions, *, max_side: int | None = None
) -> Image.Image:
    """Draw one channel's feature map before or after the gates, on one scale for both, symmetric about 0."""
    # A gate makes nothing larger, but BAM multiplies by up to 2.
    limit = float(max(np.abs(channel.before).max(), np.abs(channel.after).max())) or 1.0
    scale = ColourScale(colormap=DIFFERENCE_COLORMAP, minimum=-limit, maximum=limit)
    values = channel.before if moment is Moment.BEFORE else channel.after
    drawing = Drawing(options.render, scale, options.opacity, mark=_mark(analysis))
    return _draw(analysis, values, drawing, max_side)


def encode_feature_map(
    analysis: Analysis, channel: ChannelMaps, moment: Moment, options: FeatureOptions, *, max_side: int | None = None
) -> bytes:
    """`draw_feature_map` as PNG."""
    return encode_png(draw_feature_map(analysis, channel, moment, options, max_side=max_side))


def _mark(analysis: Analysis) -> str | None:
    return None if analysis.card.trained else UNTRAINED_MARK


def _draw(analysis: Analysis, values: FloatArray, drawing: Drawing, max_side: int | None) -> Image.Image:
    if drawing.render is Render.VALUES:
        # Values need no picture, so it is not decoded.
        return draw_values(values, drawing.scale)
    return draw_map(analysis.picture(max_side=max_side), values, analysis.placement, drawing)


def draw_comparison_figure(comparison: Comparison, options: FigureOptions, file_format: FigureFormat) -> bytes:
    """Draw the paper's figure: the picture and every network, with P of the target class."""
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
    heading = f"{comparison.method.value}, stage {comparison.stage.value}, {comparison.analysis.geometry.value} at "
    heading += f"{comparison.analysis.resolution.value} pixels"
    if comparison.altered is not None:
        changes = ", ".join(str(intervention) for intervention in comparison.altered.interventions)
        heading = f"{heading}. Gates changed, not retrained: {changes}"
    if not comparison.analysis.card.trained:
        heading = f"UNTRAINED: random weights, nothing was learned. {heading}"
    return draw_figure(panels, heading=heading, units="evidence", file_format=file_format)


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


def encode_heat_map(
    comparison: Comparison,
    name: NetworkName,
    options: MapOptions,
    *,
    as_learned: bool = False,
    max_side: int | None = None,
) -> bytes:
    """`draw_heat_map` as PNG."""
    return encode_png(draw_heat_map(comparison, name, options, as_learned=as_learned, max_side=max_side))


def encode_difference(
    comparison: Comparison,
    difference: Difference,
    options: MapOptions,
    *,
    limits: DifferenceScale = DifferenceScale.OWN,
    max_side: int | None = None,
) -> bytes:
    """`draw_difference` as PNG."""
    return encode_png(draw_difference(comparison, difference, options, limits=limits, max_side=max_side))


def encode_attention(
    analysis: Analysis, gate: GateMap, options: AttentionOptions, *, max_side: int | None = None
) -> bytes:
    """`draw_attention` as PNG."""
    return encode_png(draw_attention(analysis, gate, options, max_side=max_side))

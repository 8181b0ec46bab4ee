"""An analysis's gates and feature maps as images."""

import numpy as np
from PIL import Image

from app.analysis.analyses import Analysis
from app.analysis.options import AttentionOptions, ChannelOrder, FeatureOptions, Moment
from app.errors import InvalidOption, refuse_choice
from app.explain.maps import BlockMaps, ChannelMaps, GateMap
from app.output.drawing import draw_on_picture, find_mark
from app.render.attention import draw_channel_strip, gate_scale
from app.render.colour_scale import DIFFERENCE_COLORMAP, ColourScale
from app.render.overlay import Drawing, Render
from app.render.png import encode_png
from models.names import GateKind, NetworkName


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
        kind: which gate; None for the block's main one.
    """
    maps = find_block(analysis, network, block)
    gates = maps.gates
    if kind is None:
        return maps.main
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
    """Draw a gate from `find_gate`: a channel gate as a strip, any other at the picture's size.

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
        return draw_channel_strip(gate, render=render, colormap=options.colormap.value, mark=find_mark(analysis))
    scale = gate_scale(options.colormap.value)
    drawing = Drawing(options.render or Render.OVERLAY, scale, options.opacity, mark=find_mark(analysis))
    return draw_on_picture(analysis, gate.values, drawing, max_side)


def encode_attention(
    analysis: Analysis, gate: GateMap, options: AttentionOptions, *, max_side: int | None = None
) -> bytes:
    """`draw_attention` as PNG."""
    return encode_png(draw_attention(analysis, gate, options, max_side=max_side))


def draw_feature_map(
    analysis: Analysis, channel: ChannelMaps, moment: Moment, options: FeatureOptions, *, max_side: int | None = None
) -> Image.Image:
    """Draw one channel's feature map before or after the gates, on one scale for both, symmetric about 0."""
    # Most gates make nothing larger, but BAM multiplies by up to 2.
    limit = float(max(np.abs(channel.before).max(), np.abs(channel.after).max())) or 1.0
    scale = ColourScale(colormap=DIFFERENCE_COLORMAP, minimum=-limit, maximum=limit)
    values = channel.before if moment is Moment.BEFORE else channel.after
    drawing = Drawing(options.render, scale, options.opacity, mark=find_mark(analysis))
    return draw_on_picture(analysis, values, drawing, max_side)


def encode_feature_map(
    analysis: Analysis, channel: ChannelMaps, moment: Moment, options: FeatureOptions, *, max_side: int | None = None
) -> bytes:
    """`draw_feature_map` as PNG."""
    return encode_png(draw_feature_map(analysis, channel, moment, options, max_side=max_side))

"""Gates as the pages show them, with an image and numbers per gate."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.analysis.options import NetworksOptions
from app.api.schemas import AnalysisAnswer, BlockAnswer, GateAnswer
from app.numbers import format_hundredths, format_thousandths
from app.pages.addresses import PageImage, add_query, fit_picture
from app.render.attention import STRIP_HEIGHT_PIXELS, STRIP_WIDTH_PIXELS
from models.names import NetworkName

GATE_SIDE_PIXELS = 256

FLAT_DEVIATION = 0.02
"""A gate with a lower standard deviation is called flat, for one picture and in the recorded evaluations."""


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate as an image and in numbers.

    Attributes:
        image: the gate.
        size: its number of positions or channels, `40 × 40` or `128 ch.`.
        numbers: its extremes, mean and deviation.
        is_flat: whether its standard deviation is below `FLAT_DEVIATION`.
    """

    image: PageImage
    size: str
    numbers: GateAnswer
    is_flat: bool


@dataclass(frozen=True, slots=True)
class BlockView:
    """The gates of one block.

    Attributes:
        name: the block's name, `layer1.0`.
        title: its place in the network in words.
        address: of the page that opens it.
        spatial, channel, joint: the gates; None for one that this attention has not.
    """

    name: str
    title: str
    address: str
    spatial: GateView | None
    channel: GateView | None
    joint: GateView | None


def name_block(name: str) -> str:
    """`layer1.0.depthwise` -> Stage 1, block 1, depthwise; `layer1.bam` -> Behind stage 1.

    The blocks of a user's own network keep the names that they have there.
    """
    if (behind := re.fullmatch(r"layer(\d)\.bam", name)) is not None:
        return f"Behind stage {behind[1]}"
    if (block := re.fullmatch(r"layer(\d)\.(\d+)((?:\.\w+)*)", name)) is None:
        return name
    stage, position, units = block.groups()
    return ", ".join((f"Stage {stage}, block {int(position) + 1}", *units.split(".")[1:]))


@dataclass(frozen=True, slots=True)
class NetworkGates:
    """The gates of one network.

    Attributes:
        name: its name in the lineup.
        title: its name for people.
        section: the id of its part of the page.
        blocks: every block, in the network's order.
    """

    name: NetworkName
    title: str
    section: str
    blocks: tuple[BlockView, ...]


def name_gates(network: NetworkName, gated: Sequence[NetworkName]) -> str:
    """The id of a network's gates on the page; those of the last network are `blocks`."""
    return "blocks" if network == gated[-1] else f"blocks-{network}"


def show_gates(answer: AnalysisAnswer, options: NetworksOptions, page: str) -> tuple[NetworkGates, ...]:
    """Build the view of every network's gates, with links to the pages that open the blocks."""
    gated = {name: network for name, network in answer.networks.items() if network.blocks}
    return tuple(
        NetworkGates(
            name,
            network.title,
            name_gates(name, tuple(gated)),
            tuple(_show_block(answer, name, block, options, page) for block in network.blocks),
        )
        for name, network in gated.items()
    )


def list_changes(answer: AnalysisAnswer) -> list[str]:
    """List all interventions, as texts."""
    altered = [network.alteration for network in answer.networks.values() if network.alteration is not None]
    return [text for alteration in altered for text in alteration.interventions]


def _show_block(
    answer: AnalysisAnswer, network: NetworkName, block: BlockAnswer, options: NetworksOptions, page: str
) -> BlockView:
    changed = list_changes(answer)
    changes = f"?interventions={','.join(changed)}" if changed else ""
    opened = f"{page}/blocks/{network}/{block.name}{changes}"
    colours = {"colormap": options.colormap.value}
    overlay = colours | {"opacity": str(options.opacity), "max_side": str(GATE_SIDE_PIXELS)}
    spatial = channel = joint = None
    if block.spatial is not None:
        size = f"{block.width} × {block.height}"
        address = add_query(block.links["spatial"], overlay)
        shape = fit_picture(answer.geometry, GATE_SIDE_PIXELS)
        spatial = _show_gate(block.spatial, address, f"Spatial gate of {block.name}", size, shape)
    if block.channel is not None and block.channels is not None:
        # Each channel takes the same whole number of columns, which decides the strip's width.
        shape = (-(-STRIP_WIDTH_PIXELS // block.channels) * block.channels, STRIP_HEIGHT_PIXELS)
        address = add_query(block.links["channel"], colours | {"order": "strength"})
        channel = _show_gate(block.channel, address, f"Channel gate of {block.name}", f"{block.channels} ch.", shape)
    if block.joint is not None:
        size = f"{block.width} × {block.height}"
        address = add_query(block.links["joint"], overlay)
        shape = fit_picture(answer.geometry, GATE_SIDE_PIXELS)
        joint = _show_gate(block.joint, address, f"Joint gate of {block.name}", size, shape)
    return BlockView(block.name, name_block(block.name), opened, spatial, channel, joint)


def _show_gate(gate: GateAnswer, address: str, title: str, size: str, shape: tuple[int, int]) -> GateView:
    what = size.replace("ch.", "channels") if size.endswith("ch.") else f"{size} positions"
    lowest, highest, mean = (format_hundredths(value) for value in (gate.min, gate.max, gate.mean))
    deviation = format_thousandths(gate.standard_deviation)
    description = f"{title}, {what}: {lowest} to {highest}, mean {mean}, standard deviation {deviation}"
    return GateView(PageImage(address, description, *shape), size, gate, gate.standard_deviation < FLAT_DEVIATION)

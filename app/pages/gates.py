"""Gates as the pages show them, with an image and numbers per gate."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.analysis.options import NetworksOptions
from app.api.schemas import AnalysisAnswer, BlockAnswer, GateAnswer
from app.numbers import format_hundredths, format_thousandths
from app.pages.addresses import PageImage, add_query, fit_picture
from app.pages.gate_words import GateWords, find_words
from app.render.attention import STRIP_HEIGHT_PIXELS, STRIP_WIDTH_PIXELS
from models.names import Attention, GateKind, NetworkName

GATE_SIDE_PIXELS = 256

FLAT_DEVIATION = 0.02
"""A gate with a lower standard deviation is called flat, for one picture and in the recorded evaluations."""


FLAT_SENTENCES = {
    GateKind.SPATIAL: "This gate is flat: it treats every position alike.",
    GateKind.CHANNEL: "This channel gate is flat: it treats every channel alike.",
}

KIND_TERMS = {"row-gate": (GateKind.ROW, GateKind.COLUMN), "joint-gate": (GateKind.JOINT,)}
"""The terms that explain some kinds of gates."""


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate as an image and in numbers.

    Attributes:
        kind: which of the block's gates it is.
        image: the gate.
        label: its kind where there is a choice, and its number of positions or channels: `40 × 40` or `128 ch.`.
        numbers: its extremes, mean and deviation.
        flat: a sentence if its standard deviation is below `FLAT_DEVIATION`, else empty; always empty for means over
            channels, and for branches.
    """

    kind: GateKind
    image: PageImage
    label: str
    numbers: GateAnswer
    flat: str


@dataclass(frozen=True, slots=True)
class BlockView:
    """The gates of one block.

    Attributes:
        name: the block's name, `layer1.0`.
        title: its place in the network in words.
        address: of the page that opens it.
        gates: its gates, in the order in which they are shown.
    """

    name: str
    title: str
    address: str
    gates: tuple[GateView, ...]


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
        words: what the page says about its attention's gates.
        lead: the first of these, complete.
        has_primer: whether the page about CBAM can draw its gates.
        blocks: every block, in the network's order.
    """

    name: NetworkName
    title: str
    section: str
    words: GateWords
    lead: str
    has_primer: bool
    blocks: tuple[BlockView, ...]


def name_gates(network: NetworkName, gated: Sequence[NetworkName]) -> str:
    """The id of a network's gates on the page; those of the last network are `blocks`."""
    return "blocks" if network == gated[-1] else f"blocks-{network}"


def show_gates(answer: AnalysisAnswer, options: NetworksOptions, page: str) -> tuple[NetworkGates, ...]:
    """Build the view of every network's gates, with links to the pages that open the blocks."""
    gated = {name: network for name, network in answer.networks.items() if network.blocks}
    sections = {name: name_gates(name, tuple(gated)) for name in gated}
    return tuple(_show_network(answer, name, sections[name], options, page) for name in gated)


def _show_network(
    answer: AnalysisAnswer, name: NetworkName, section: str, options: NetworksOptions, page: str
) -> NetworkGates:
    network = answer.networks[name]
    blocks = tuple(_show_block(answer, name, block, options, page) for block in network.blocks)
    kinds = {gate.kind for gate in blocks[0].gates}
    words = find_words(network.attention, kinds)
    return NetworkGates(
        name,
        network.title,
        section,
        words,
        words.lead.format(count=len(blocks)),
        kinds == {GateKind.CHANNEL, GateKind.SPATIAL},
        blocks,
    )


def list_gate_terms(networks: Sequence[NetworkGates]) -> tuple[str, ...]:
    """The ids of the terms for kinds of gates that not every network with attention has."""
    kinds = {gate.kind for network in networks for block in network.blocks for gate in block.gates}
    return tuple(term for term, of in KIND_TERMS.items() if not kinds.isdisjoint(of))


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
    gates = tuple(
        _show_gate(answer, network, block, kind, options) for kind in GateKind if getattr(block, kind.value) is not None
    )
    return BlockView(block.name, name_block(block.name), opened, gates)


def _show_gate(
    answer: AnalysisAnswer, network: NetworkName, block: BlockAnswer, kind: GateKind, options: NetworksOptions
) -> GateView:
    numbers: GateAnswer = getattr(block, kind.value)
    size, what = _measure_gate(block, kind)
    address, shape = _draw_gate(answer, block, kind, options)
    lowest, highest, mean = (format_hundredths(value) for value in (numbers.min, numbers.max, numbers.mean))
    deviation = format_thousandths(numbers.standard_deviation)
    description = (
        f"{kind.capitalize()} gate of {block.name}, {what}: {lowest} to {highest}, mean {mean}, standard deviation "
        f"{deviation}"
    )
    is_alone = block.joint is None or len(block.links) == 1
    is_flat = numbers.standard_deviation < FLAT_DEVIATION and answer.networks[network].attention is not Attention.BAM
    return GateView(
        kind=kind,
        image=PageImage(address, description, *shape),
        label=size if is_alone else f"{kind} {size}",
        numbers=numbers,
        flat=FLAT_SENTENCES.get(kind, "") if is_flat else "",
    )


def _measure_gate(block: BlockAnswer, kind: GateKind) -> tuple[str, str]:
    """A gate's size, as short as a table needs it and in words."""
    if kind is GateKind.CHANNEL:
        return f"{block.channels} ch.", f"{block.channels} channels"
    if kind is GateKind.ROW:
        return f"{block.height}", f"mean over channels, {block.height} rows"
    if kind is GateKind.COLUMN:
        return f"{block.width}", f"mean over channels, {block.width} columns"
    size = f"{block.width} × {block.height}"
    return size, f"{size} positions"


def _draw_gate(
    answer: AnalysisAnswer, block: BlockAnswer, kind: GateKind, options: NetworksOptions
) -> tuple[str, tuple[int, int]]:
    """The address of a gate's picture, and its width and height in pixels."""
    colours = {"colormap": options.colormap.value}
    if kind is GateKind.CHANNEL and block.channels is not None:
        # Each channel takes the same whole number of columns, which decides the strip's width.
        shape = (-(-STRIP_WIDTH_PIXELS // block.channels) * block.channels, STRIP_HEIGHT_PIXELS)
        return add_query(block.links[kind], colours | {"order": "strength"}), shape
    overlay = colours | {"opacity": str(options.opacity), "max_side": str(GATE_SIDE_PIXELS)}
    return add_query(block.links[kind], overlay), fit_picture(answer.geometry, GATE_SIDE_PIXELS)

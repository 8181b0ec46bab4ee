"""The page of an opened block."""

from dataclasses import dataclass
from typing import ClassVar

from app.analysis.analyses import Analysis
from app.analysis.options import Tab
from app.api.blocks import ChannelAnswer, OpenBlockAnswer, build_open_block_answer
from app.explain.maps import BlockMaps, GateMap, OpenBlock
from app.numbers import format_evidence, format_hundredths, format_share, format_thousandths
from app.pages.addresses import Addresses, PageImage, add_query
from app.pages.choices import Choice
from app.pages.gate_words import GateWords, find_words
from app.pages.gates import name_block, name_gates
from models.names import Attention, GateKind, NetworkName
from models.pictures.fitting import screen_size

CHANNEL_SIDE_PIXELS = 224


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One channel of an opened block before and after the gates; `gate` is empty without a channel gate."""

    title: str
    gate: str
    before: PageImage
    after: PageImage


@dataclass(frozen=True, slots=True)
class OpenGate:
    """One gate of an opened block; `note` says what its values are, `is_strip` that it has no place on the picture."""

    title: str
    note: str
    image: PageImage
    is_strip: bool


GATE_NOTES = {
    GateKind.SPATIAL: "where: one value per position, over the picture",
    GateKind.CHANNEL: "what: one value per channel, the strongest first",
    GateKind.ROW: "per channel and row, mean over channels",
    GateKind.COLUMN: "per channel and column, mean over channels",
    GateKind.JOINT: "mean over the channels",
}

SHOWN_GATES = (GateKind.SPATIAL, GateKind.ROW, GateKind.COLUMN, GateKind.JOINT, GateKind.CHANNEL)
"""The order of the gates: those over the picture, then the strip."""


@dataclass(frozen=True, slots=True)
class BlockPage:
    """An opened block.

    Attributes:
        title: its place in the network in words.
        name: the block's name.
        network: its network's name for people.
        networks: the block in every network that has gates, by the page's address; empty where one alone has.
        is_trained: whether the lineup was.
        address: of the analysis's page, at the network's gates.
        previous, following: address and title of the blocks beside it on the walk; None at its ends.
        lead: what the gates do to the channels.
        gates: its gates.
        sentences: how far the gates are from flat, and which branch decides.
        has_both: whether a channel gate and a spatial gate are applied one after the other.
        channels: channels with a heading each: by what the channel gate lets through, else by their features.
    """

    template: ClassVar[str] = "block.html"
    title: str
    name: str
    network: str
    networks: tuple[Choice, ...]
    is_trained: bool
    address: str
    previous: tuple[str, str] | None
    following: tuple[str, str] | None
    lead: str
    gates: tuple[OpenGate, ...]
    sentences: tuple[str, ...]
    has_both: bool
    channels: tuple[tuple[str, tuple[ChannelView, ...]], ...]


def build_block_page(
    analysis: Analysis,
    opened: OpenBlock,
    *,
    network: NetworkName,
    addresses: Addresses,
    interventions: tuple[str, ...],
) -> BlockPage:
    """Build the page of a block.

    Args:
        analysis: the analysis, with its gates changed by the interventions.
        opened: the inside of the block's attention.
        network: the block's network.
        addresses: the analysis's addresses.
        interventions: the changes to gates.
    """
    kept = {"interventions": ",".join(interventions)} if interventions else {}
    tab = add_query(addresses.page, kept, tab=Tab.ATTENTION.value)
    query = f"?interventions={kept['interventions']}" if kept else ""
    block = build_open_block_answer(opened, network=network, links=addresses.answer, query=query)
    blocks = analysis.traces[network].blocks
    names = [known.name for known in blocks]
    place = names.index(block.name)
    gates = blocks[place]
    size = screen_size(analysis.placement.picture_width, analysis.placement.picture_height, CHANNEL_SIDE_PIXELS)
    attention = analysis.card.networks[network].attention
    words = find_words(attention, gates.gates)
    title = analysis.card.title_network(network)
    return BlockPage(
        title=name_block(block.name),
        name=block.name,
        network=title,
        networks=_list_networks(analysis, network, block.name, addresses, kept),
        is_trained=analysis.card.trained,
        address=f"{tab}#{name_gates(network, analysis.card.gated)}",
        previous=_link(f"{addresses.page}/blocks/{network}", names, place - 1, kept),
        following=_link(f"{addresses.page}/blocks/{network}", names, place + 1, kept),
        lead=words.opened.format(network=title),
        gates=tuple(
            _show_gate(
                gates, kind, words, _address_gate(addresses.answer.gate(network, gates.name, kind), kind, kept), size
            )
            for kind in SHOWN_GATES
            if kind in gates.gates
        ),
        sentences=_explain_gates(gates, block, attention),
        has_both=gates.gates.keys() == {GateKind.SPATIAL, GateKind.CHANNEL},
        channels=tuple(
            (heading, tuple(_show_channel(entry, *size) for entry in entries))
            for heading, entries in ((words.strongest, block.strongest), (words.weakest, block.weakest))
        ),
    )


def _list_networks(
    analysis: Analysis, shown: NetworkName, block: str, addresses: Addresses, kept: dict[str, str]
) -> tuple[Choice, ...]:
    """The same block of each network with gates, or its first block where it has none of that name."""
    blocks = {name: [known.name for known in analysis.traces[name].blocks] for name in analysis.card.names}
    gated = {name: known for name, known in blocks.items() if known}
    if len(gated) == 1:
        return ()
    return tuple(
        Choice(
            add_query(f"{addresses.page}/blocks/{name}/{block if block in known else known[0]}", kept),
            analysis.card.title_network(name),
            name == shown,
        )
        for name, known in gated.items()
    )


def _link(walk: str, names: list[str], place: int, kept: dict[str, str]) -> tuple[str, str] | None:
    if not 0 <= place < len(names):
        return None
    return add_query(f"{walk}/{names[place]}", kept), name_block(names[place])


def _address_gate(link: str, kind: GateKind, kept: dict[str, str]) -> str:
    if kind is GateKind.CHANNEL:
        return add_query(link, kept, order="strength")
    return add_query(link, kept, max_side="512")


def _show_gate(gates: BlockMaps, kind: GateKind, words: GateWords, address: str, size: tuple[int, int]) -> OpenGate:
    """A gate over the picture, or as a strip."""
    # Where the maps are branches, the joint gate is what is made of them.
    part = "gate" if kind is GateKind.JOINT else words.part
    name = f"{kind.value.capitalize()} {part}"
    description = f"{kind.value.capitalize()} gate of {gates.name} over the picture"
    image = PageImage(address, description, 2 * size[0], 2 * size[1])
    if kind is GateKind.CHANNEL:
        image = PageImage(address, f"Channel gate of {gates.name}, the strongest first", 512, 48)
    return OpenGate(name, GATE_NOTES[kind], image, kind is GateKind.CHANNEL)


def _show_channel(entry: ChannelAnswer, width: int, height: int) -> ChannelView:
    gate = "" if entry.gate is None else f"gate {format_hundredths(entry.gate)}"

    def draw(link: str, when: str, low: float, high: float) -> PageImage:
        values = f"{format_evidence(low)} to {format_evidence(high)}"
        description = f"Channel {entry.channel} {when} the gates, values {values}"
        return PageImage(add_query(link, {}, max_side=str(CHANNEL_SIDE_PIXELS)), description, width, height)

    return ChannelView(
        title=f"Channel {entry.channel}",
        gate=gate,
        before=draw(entry.before.link, "before", entry.before.min, entry.before.max),
        after=draw(entry.after.link, "after", entry.after.min, entry.after.max),
    )


def _explain_gates(gates: BlockMaps, block: OpenBlockAnswer, attention: Attention) -> tuple[str, ...]:
    """Explain the gates that the block has; nothing of BAM's branches, which are applied together."""
    means = {kind: gate for kind, gate in gates.gates.items() if kind not in (GateKind.SPATIAL, GateKind.CHANNEL)}
    sentences = tuple(
        f"The standard deviation of the {kind} gate’s mean is {format_thousandths(gate.standard_deviation)}."
        for kind, gate in means.items()
    )
    if attention is Attention.BAM:
        cancel = (
            "A flat mean does not say that the gate is flat: channels whose branches have opposite signs cancel out."
        )
        return (f"{sentences[0]} {cancel}",)
    if sentences:
        sentences = (*sentences, "A gate whose mean over the channels is flat can still differ within each channel.")
    return (
        _explain_gate(gates.spatial, "spatial", block.spatial_maximum_share)
        + _explain_gate(gates.channel, "channel", block.channel_maximum_share)
        + sentences
    )


def _explain_gate(gate: GateMap | None, kind: str, maximum_share: float | None) -> tuple[str, ...]:
    """Say how flat a gate is, and what its pooling branches contribute."""
    if gate is None:
        return ()
    deviation = format_thousandths(gate.standard_deviation)
    flat = f"The {kind} gate’s standard deviation is {deviation}; 0 would be flat, the same everywhere."
    if maximum_share is None:
        return (flat,)
    maxima, means = (format_share(share, 0) for share in (maximum_share, 1 - maximum_share))
    origin = f"{maxima} of the {kind} gate’s input comes from max pooling and {means} from average pooling"
    return (flat, f"Before the sigmoid, {origin} (by absolute value).")

"""The page of an opened block."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from app.analysis.analyses import Analysis
from app.analysis.options import Tab
from app.api.blocks import ChannelAnswer, OpenBlockAnswer, build_open_block_answer
from app.explain.maps import BlockMaps, GateMap, OpenBlock
from app.numbers import format_evidence, format_hundredths, format_share, format_thousandths
from app.pages.addresses import Addresses, PageImage, add_query
from app.pages.choices import Choice
from app.pages.gates import name_block, name_gates
from models.names import GateKind, NetworkName
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
        spatial, channel, joint: the gates; None for one that this attention has not.
        sentences: how far the gates are from flat, and which branch decides.
        strongest, weakest: channels by what the channel gate lets through.
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
    spatial: PageImage | None
    channel: PageImage | None
    joint: PageImage | None
    sentences: tuple[str, ...]
    strongest: tuple[ChannelView, ...]
    weakest: tuple[ChannelView, ...]


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
    link_gate = partial(addresses.answer.gate, network, gates.name)
    return BlockPage(
        title=name_block(block.name),
        name=block.name,
        network=analysis.card.title_network(network),
        networks=_list_networks(analysis, network, block.name, addresses, kept),
        is_trained=analysis.card.trained,
        address=f"{tab}#{name_gates(network, analysis.card.gated)}",
        previous=_link(f"{addresses.page}/blocks/{network}", names, place - 1, kept),
        following=_link(f"{addresses.page}/blocks/{network}", names, place + 1, kept),
        spatial=_show_positions(gates, GateKind.SPATIAL, link_gate(GateKind.SPATIAL), kept, size),
        channel=_show_channel_gate(gates, link_gate(GateKind.CHANNEL), kept),
        joint=_show_positions(gates, GateKind.JOINT, link_gate(GateKind.JOINT), kept, size),
        sentences=_explain_gates(gates, block),
        strongest=tuple(_show_channel(entry, *size) for entry in block.strongest),
        weakest=tuple(_show_channel(entry, *size) for entry in block.weakest),
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


def _show_positions(
    gates: BlockMaps, kind: GateKind, link: str, kept: dict[str, str], size: tuple[int, int]
) -> PageImage | None:
    """A gate of positions, over the picture."""
    if kind not in gates.gates:
        return None
    address = add_query(link, kept, max_side="512")
    description = f"{kind.value.capitalize()} gate of {gates.name} over the picture"
    return PageImage(address, description, 2 * size[0], 2 * size[1])


def _show_channel_gate(gates: BlockMaps, link: str, kept: dict[str, str]) -> PageImage | None:
    if gates.channel is None:
        return None
    address = add_query(link, kept, order="strength")
    return PageImage(address, f"Channel gate of {gates.name}, the strongest first", 512, 48)


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


def _explain_gates(gates: BlockMaps, block: OpenBlockAnswer) -> tuple[str, ...]:
    """Explain the gates that the block has; nothing of BAM's branches, which are applied together."""
    if gates.joint is not None:
        deviation = format_thousandths(gates.joint.standard_deviation)
        return (
            f"The standard deviation of the joint gate’s mean is {deviation}. A flat mean does not say that the gate "
            "is flat: channels whose branches have opposite signs cancel out.",
        )
    return _explain_gate(gates.spatial, "spatial", block.spatial_maximum_share) + _explain_gate(
        gates.channel, "channel", block.channel_maximum_share
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

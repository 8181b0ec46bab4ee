"""The page that explains CBAM, with the gates of a picture where one is open."""

from dataclasses import dataclass
from typing import ClassVar

from app.analysis.analyses import Analysis
from app.analysis.options import Tab
from app.errors import refuse_choice
from app.explain.maps import BlockMaps, GateMap
from app.numbers import format_hundredths
from app.pages.addresses import Addresses, PageImage, add_query
from app.pages.gates import name_block, name_gates
from models.names import GateKind, NetworkName
from models.pictures.fitting import screen_size

SPATIAL_SIDE_PIXELS = 256


@dataclass(frozen=True, slots=True)
class PictureGates:
    """One block's two gates for a picture, inside the drawing.

    Attributes:
        block: the block's place in the network in words.
        network: its network's name for people.
        channel, spatial: the gates.
        address: the page that opens the block.
        previous, following: address and title of the blocks beside it; None at the ends.
    """

    block: str
    network: str
    channel: PageImage
    spatial: PageImage
    address: str
    previous: tuple[str, str] | None
    following: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class CbamPage:
    """CBAM and the words around it, explained in a minute.

    Attributes:
        address: the analysis's address; empty where none is open.
        is_trained: whether the analysis's lineup was; True where none is open.
        gates: the picture's own gates; None where no analysis is open, or its lineup has no block with both gates.
    """

    template: ClassVar[str] = "cbam.html"
    address: str = ""
    is_trained: bool = True
    gates: PictureGates | None = None


def build_cbam_page(analysis: Analysis, *, block: str | None, addresses: Addresses) -> CbamPage:
    """Build the page for an analysis.

    Args:
        analysis: the analysis.
        block: the block whose gates are shown; by default the one whose spatial gate varies most.
        addresses: the analysis's addresses.

    Raises:
        InvalidOption: for a block without both gates.
    """
    network = _find_network(analysis)
    tab = add_query(addresses.page, {}, tab=Tab.ATTENTION.value)
    if network is None:
        return CbamPage(address=tab, is_trained=analysis.card.trained)
    return CbamPage(
        address=f"{tab}#{name_gates(network, analysis.card.gated)}",
        is_trained=analysis.card.trained,
        gates=_show_gates(analysis, network, block, addresses),
    )


def _find_network(analysis: Analysis) -> NetworkName | None:
    """The last network that has blocks with both gates; None if there is none."""
    found = [name for name in analysis.card.names if _list_complete(analysis, name)]
    return found[-1] if found else None


def _list_complete(analysis: Analysis, network: NetworkName) -> list[tuple[BlockMaps, GateMap, GateMap]]:
    """The blocks of a network that have a channel gate and a spatial gate in sequence, with these gates."""
    return [
        (block, block.channel, block.spatial)
        for block in analysis.traces[network].blocks
        if block.channel is not None and block.spatial is not None and block.joint is None
    ]


def _show_gates(analysis: Analysis, network: NetworkName, block: str | None, addresses: Addresses) -> PictureGates:
    complete = _list_complete(analysis, network)
    names = [known.name for known, _, _ in complete]
    if block is None:
        deviations = [spatial.standard_deviation for _, _, spatial in complete]
        place = deviations.index(max(deviations))
    elif block in names:
        place = names.index(block)
    else:
        raise refuse_choice("block", block, names)
    shown, channel, spatial = complete[place]
    size = screen_size(analysis.placement.picture_width, analysis.placement.picture_height, SPATIAL_SIDE_PIXELS)
    links = addresses.answer

    def describe(gate: GateMap) -> str:
        return f"{format_hundredths(float(gate.values.min()))} to {format_hundredths(float(gate.values.max()))}"

    def link(neighbour: int) -> tuple[str, str] | None:
        if not 0 <= neighbour < len(names):
            return None
        return add_query(addresses.primer, {"block": names[neighbour]}), name_block(names[neighbour])

    return PictureGates(
        block=name_block(shown.name),
        network=analysis.card.title_network(network),
        channel=PageImage(
            add_query(links.gate(network, shown.name, GateKind.CHANNEL), {"order": "strength"}),
            f"{channel.values.size} channels, {describe(channel)}",
            512,
            48,
        ),
        spatial=PageImage(
            add_query(links.gate(network, shown.name, GateKind.SPATIAL), {"max_side": str(SPATIAL_SIDE_PIXELS)}),
            f"{spatial.values.shape[1]} × {spatial.values.shape[0]} positions, {describe(spatial)}",
            *size,
        ),
        address=f"{addresses.page}/blocks/{network}/{shown.name}",
        previous=link(place - 1),
        following=link(place + 1),
    )

"""An opened block as the page's context."""

from urllib.parse import urlencode

from app.analysis.analyses import Analysis
from app.api.blocks import ChannelAnswer, OpenBlockAnswer
from app.api.links import AnalysisLinks
from app.explain.maps import GateMap
from app.pages.block_names import name_block
from app.pages.contexts import BlockPage, ChannelView, PageImage
from models.names import NetworkName
from models.networks.titles import ATTENTION_TITLES
from models.pictures.fitting import fit_size

CHANNEL_SIDE_PIXELS = 224


def build_block_page(
    analysis: Analysis, block: OpenBlockAnswer, *, links: AnalysisLinks, page: str, interventions: tuple[str, ...]
) -> BlockPage:
    """The page of a block.

    Args:
        analysis: the picture; with changed gates, the changed one.
        block: what its attention saw and did.
        links: where the analysis is served.
        page: the path of the analysis's page.
        interventions: what was changed.
    """
    blocks = analysis.traces[NetworkName.CBAM].blocks
    names = [known.name for known in blocks]
    place = names.index(block.name)
    gates = blocks[place]
    kept = {"interventions": ",".join(interventions)} if interventions else {}
    placement = analysis.placement
    width, height = fit_size(placement.picture_width, placement.picture_height, longer=CHANNEL_SIDE_PIXELS)
    spatial = channel = None
    if gates.spatial is not None:
        address = f"{links.gate(block.name, 'spatial')}?{urlencode(kept | {'max_side': '512'})}"
        spatial = PageImage(address, f"Spatial gate of {block.name} over the picture", 2 * width, 2 * height)
    if gates.channel is not None:
        address = f"{links.gate(block.name, 'channel')}?{urlencode(kept | {'order': 'strength'})}"
        channel = PageImage(address, f"Channel gate of {block.name}, the strongest first", 512, 48)

    def show(entries: list[ChannelAnswer]) -> tuple[ChannelView, ...]:
        return tuple(_show_channel(entry, width, height) for entry in entries)

    return BlockPage(
        title=name_block(block.name),
        name=block.name,
        attention=ATTENTION_TITLES[analysis.card.networks[NetworkName.CBAM].attention],
        is_trained=analysis.card.trained,
        address=f"{page}?{urlencode(kept)}" if kept else page,
        previous=_link(page, names, place - 1, kept),
        following=_link(page, names, place + 1, kept),
        spatial=spatial,
        channel=channel,
        sentences=_explain_gate(gates.spatial, "spatial", block.spatial_maximum_share)
        + _explain_gate(gates.channel, "channel", block.channel_maximum_share),
        strongest=show(block.strongest),
        weakest=show(block.weakest),
    )


def _link(page: str, names: list[str], place: int, kept: dict[str, str]) -> tuple[str, str] | None:
    if not 0 <= place < len(names):
        return None
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{page}/blocks/{names[place]}{query}", name_block(names[place])


def _show_channel(entry: ChannelAnswer, width: int, height: int) -> ChannelView:
    gate = "" if entry.gate is None else f"gate {entry.gate:.2f}"

    def draw(link: str, when: str, low: float, high: float) -> PageImage:
        separator = "&" if "?" in link else "?"
        description = f"Channel {entry.channel} {when} the gates, values {low:.3g} to {high:.3g}"
        return PageImage(f"{link}{separator}max_side={CHANNEL_SIDE_PIXELS}", description, width, height)

    return ChannelView(
        title=f"Channel {entry.channel}",
        gate=gate,
        before=draw(entry.before.link, "before", entry.before.min, entry.before.max),
        after=draw(entry.after.link, "after", entry.after.min, entry.after.max),
    )


def _explain_gate(gate: GateMap | None, kind: str, maximum_share: float | None) -> tuple[str, ...]:
    """How far a gate is from flat, and which branch decides."""
    if gate is None:
        return ()
    flat = (
        f"The {kind} gate’s standard deviation is {gate.standard_deviation:.3f}; 0 would be flat, the same everywhere."
    )
    if maximum_share is None:
        return (flat,)
    maxima, means = (f"{share:.0%}".replace("%", " %") for share in (maximum_share, 1 - maximum_share))
    return (flat, f"Of the evidence behind the {kind} gate, {maxima} comes from maxima and {means} from means.")

"""`/api/v1/analyses/{id}/blocks/{network}/{block}`: an opened block."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.analysis.options import FeatureOptions, Interventions, Moment
from app.api import links
from app.api.blocks import OpenBlockAnswer, build_open_block_answer
from app.errors import InvalidOption
from app.explain.maps import ChannelMaps, OpenBlock
from app.output import gates
from app.routes.answers import ANALYSIS_PROBLEMS, PNG, document_file
from app.routes.dependencies import AnalysisDependency, LensDependency, LinksDependency, TimingsDependency
from app.routes.intake.uploads import ApiRoute

router = APIRouter(tags=["analyses"], route_class=ApiRoute)


@router.get(links.ANALYSIS + links.BLOCK, summary="Inside the attention of one block", responses=ANALYSIS_PROBLEMS)
async def read_block(
    analysis: AnalysisDependency,
    own_links: LinksDependency,
    network: str,
    block: str,
    lens: LensDependency,
    timings: TimingsDependency,
    response: Response,
    interventions: Annotated[Interventions, Query()] = (),
) -> OpenBlockAnswer:
    """The strongest and the weakest channels before and after the gates, and the shares of the pooling branches."""
    opened = await lens.open_block(analysis, network, block, interventions, timings)
    response.headers["Server-Timing"] = timings.header()
    query = f"?interventions={','.join(interventions)}" if interventions else ""
    return build_open_block_answer(opened, network=network, links=own_links, query=query)


@router.get(
    links.ANALYSIS + links.FEATURE_MAP,
    summary="One channel's feature map",
    response_class=Response,
    responses=document_file("The feature map; before and after the gates share one scale.", PNG) | ANALYSIS_PROBLEMS,
)
async def read_feature_map(
    analysis: AnalysisDependency,
    network: str,
    block: str,
    channel: int,
    moment: Moment,
    options: Annotated[FeatureOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
    max_side: Annotated[int | None, Query(ge=1, le=20_000, description="Longer side in pixels.")] = None,
) -> Response:
    """The feature map of one of the channels that the block's answer lists."""
    opened = await lens.open_block(analysis, network, block, options.interventions, timings)
    maps = _find_channel(opened, channel)
    png = await lens.run(gates.encode_feature_map, analysis, maps, moment, options, max_side=max_side)
    return Response(png, media_type=PNG)


def _find_channel(block: OpenBlock, channel: int) -> ChannelMaps:
    shown = {maps.index: maps for maps in (*block.strongest, *block.weakest)}
    if channel not in shown:
        allowed = [str(index) for index in shown]
        raise InvalidOption(
            f"channel is {channel}; {block.name} has maps of its strongest and weakest channels: {', '.join(allowed)}",
            option="channel",
            allowed=allowed,
        )
    return shown[channel]

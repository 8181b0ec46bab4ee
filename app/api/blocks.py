"""An opened block in numbers: its strongest and weakest channels, and the share of each pooling branch."""

from pydantic import BaseModel, ConfigDict, Field

from app.api.links import AnalysisLinks
from app.explain.maps import ChannelMaps, FloatArray, OpenBlock
from models.names import NetworkName


class BlockPart(BaseModel):
    """A frozen part of an opened block."""

    model_config = ConfigDict(frozen=True)


class FeatureMapAnswer(BlockPart):
    """One channel's feature map in numbers, in the network's own units."""

    min: float
    max: float
    mean: float
    link: str


class ChannelAnswer(BlockPart):
    """One channel before and after the gates."""

    channel: int
    gate: float | None = Field(description="The channel gate's value; null for attention without a channel gate.")
    before: FeatureMapAnswer
    after: FeatureMapAnswer


class OpenBlockAnswer(BlockPart):
    """The inside of one block's attention: its input, its gates and its output."""

    name: str
    strongest: list[ChannelAnswer] = Field(description="The channels that are let through most.")
    weakest: list[ChannelAnswer] = Field(description="The channels that are let through least.")
    channel_maximum_share: float | None = Field(
        description="The maximum branch's share of the evidence behind the channel gate; the rest is the average "
        "branch's. Null where there is one branch."
    )
    spatial_maximum_share: float | None = Field(description="The same for the spatial gate's two planes.")


def build_open_block_answer(
    block: OpenBlock, *, network: NetworkName, links: AnalysisLinks, query: str
) -> OpenBlockAnswer:
    """An opened block as JSON.

    Args:
        block: the opened block.
        network: the block's network.
        links: where the analysis is served.
        query: the query of the feature maps' links, with its question mark; may be empty.
    """

    def link(channel: int, moment: str) -> str:
        return links.feature_map(network, block.name, channel, moment) + query

    def build_channels(channels: tuple[ChannelMaps, ...]) -> list[ChannelAnswer]:
        return [
            ChannelAnswer(
                channel=maps.index,
                gate=maps.gate,
                before=_build_feature_map(maps.before, link(maps.index, "before")),
                after=_build_feature_map(maps.after, link(maps.index, "after")),
            )
            for maps in channels
        ]

    return OpenBlockAnswer(
        name=block.name,
        strongest=build_channels(block.strongest),
        weakest=build_channels(block.weakest),
        channel_maximum_share=block.channel_maximum_share,
        spatial_maximum_share=block.spatial_maximum_share,
    )


def _build_feature_map(values: FloatArray, link: str) -> FeatureMapAnswer:
    return FeatureMapAnswer(min=float(values.min()), max=float(values.max()), mean=float(values.mean()), link=link)

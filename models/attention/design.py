"""The design of an attention module: every row of the paper's ablations is an instance of it.

Source: Woo et al., *CBAM*, ECCV 2018, tables 1 (channel), 2 (spatial) and 3 (order). Nothing here imports torch.
"""

from dataclasses import dataclass

from models.names import Attention, ChannelPooling, GateOrder, SpatialPooling


@dataclass(frozen=True, slots=True)
class AttentionDesign:
    """The parts of an attention module; the defaults are CBAM's.

    Attributes:
        channel: what the channel gate knows; None for no channel gate.
        spatial: what the spatial gate knows; None for no spatial gate.
        order: how the gates follow each other, where there are two.
        reduction: r, by how much the channel gate's hidden layer is narrower than its input.
        kernel_size: the side of the spatial gate's convolution in positions; odd.
    """

    channel: ChannelPooling | None = ChannelPooling.BOTH
    spatial: SpatialPooling | None = SpatialPooling.MAX_MEAN
    order: GateOrder = GateOrder.CHANNEL_FIRST
    reduction: int = 16
    kernel_size: int = 7

    def __post_init__(self) -> None:
        if self.channel is None and self.spatial is None:
            raise ValueError("an attention module has a channel gate, a spatial gate or both; this one has none")
        if self.reduction < 1 or self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ValueError(
                f"reduction is {self.reduction} and kernel_size {self.kernel_size}; the first is at least 1, "
                "the second odd"
            )


DESIGNS: dict[Attention, AttentionDesign | None] = {
    Attention.NONE: None,
    Attention.SE: AttentionDesign(channel=ChannelPooling.AVERAGE, spatial=None),
    Attention.CHANNEL_MAX: AttentionDesign(channel=ChannelPooling.MAXIMUM, spatial=None),
    Attention.CHANNEL_BOTH: AttentionDesign(spatial=None),
    Attention.CBAM_CONV1X1_K3: AttentionDesign(spatial=SpatialPooling.CONVOLUTION, kernel_size=3),
    Attention.CBAM_CONV1X1_K7: AttentionDesign(spatial=SpatialPooling.CONVOLUTION),
    Attention.CBAM_K3: AttentionDesign(kernel_size=3),
    Attention.CBAM: AttentionDesign(),
    Attention.CBAM_SPATIAL_FIRST: AttentionDesign(order=GateOrder.SPATIAL_FIRST),
    Attention.CBAM_PARALLEL: AttentionDesign(order=GateOrder.PARALLEL),
}
"""Each name's design; None for a network without attention. The others have none: BAM stands between stages,
`models.attention.factory` makes the rest, and `own` is never built."""


def find_design(attention: Attention) -> AttentionDesign | None:
    """The design of a block's attention; raises `ValueError` for one that does not stand in blocks."""
    if attention is Attention.OWN:
        raise ValueError("attention own is what was found in a network of one's own; nothing can be built with it")
    if attention not in DESIGNS:
        raise ValueError(f"attention {attention} stands between the stages of a residual network, and nowhere else")
    return DESIGNS[attention]

"""The closed sets of names that networks and lineups are described with. Nothing here imports torch."""

from enum import IntEnum, StrEnum
from typing import TypeAlias

NetworkName: TypeAlias = str
"""A network's short name, unique in its lineup: `baseline`, `se`, `cbam`."""

NETWORK_NAME = r"^[a-z][a-z0-9_-]{0,31}$"
"""A network's name is part of addresses, options and headers."""


class Stage(IntEnum):
    """The four stages whose output can be explained, named by their order.

    Each ends where the map is about to be halved. In a residual network stage 1 ends at 1/4 of the input's size and
    stage 4 at 1/32; in VGG-16, whose last convolutions run before the last pooling, at 1/2 and 1/16. Grad-CAM's usual
    target is stage 4.
    """

    ONE = 1
    TWO = 2
    THREE = 3
    FOUR = 4


class ChannelPooling(StrEnum):
    """The pooled values of each channel that a channel gate sees."""

    AVERAGE = "avg"
    """Its mean over positions: squeeze-and-excitation."""
    MAXIMUM = "max"
    """Its maximum over positions."""
    BOTH = "both"
    """Both, each through the same MLP, added: CBAM."""


class SpatialPooling(StrEnum):
    """The pooled values of each position that a spatial gate sees."""

    MAX_MEAN = "max_mean"
    """The maximum and the mean over channels: CBAM."""
    CONVOLUTION = "conv1x1"
    """One plane that a 1x1 convolution makes of all channels."""


class GateOrder(StrEnum):
    """How the two gates follow each other."""

    CHANNEL_FIRST = "channel_first"
    """Channel, then spatial: CBAM."""
    SPATIAL_FIRST = "spatial_first"
    PARALLEL = "parallel"
    """Both computed from the ungated features, both applied."""


class GateKind(StrEnum):
    """The gates of a block."""

    SPATIAL = "spatial"
    CHANNEL = "channel"
    JOINT = "joint"
    """One gate for each channel and position, as its mean over channels: BAM."""


class GateChange(StrEnum):
    """The changes of a learned gate."""

    NEUTRAL = "neutral"
    """Its own mean everywhere: it still scales its block, and no longer chooses."""
    INVERT = "invert"
    """1 minus the gate: what was let through is blocked."""
    DROP_MAX = "drop-max"
    """Without the branch that sees maxima."""


class Attention(StrEnum):
    """A network's attention: in its blocks, the rows of the CBAM paper's tables 1 to 3, or between stages, BAM.

    `models.attention.design` says what each name but BAM stands for, `models.attention.bam` what that is.
    """

    NONE = "none"
    SE = "se"
    CHANNEL_MAX = "channel-max"
    CHANNEL_BOTH = "channel-both"
    CBAM_CONV1X1_K3 = "cbam-conv1x1-k3"
    CBAM_CONV1X1_K7 = "cbam-conv1x1-k7"
    CBAM_K3 = "cbam-k3"
    CBAM = "cbam"
    CBAM_SPATIAL_FIRST = "cbam-spatial-first"
    CBAM_PARALLEL = "cbam-parallel"
    BAM = "bam"


class StridePlacement(StrEnum):
    """Which convolution of a bottleneck block halves the map."""

    V1 = "v1"
    """The first 1x1: the original paper, and the count of multiply-adds that CBAM's paper gives."""
    V1_5 = "v1.5"
    """The 3x3: torchvision and the authors' released checkpoints."""


class Geometry(StrEnum):
    """How a picture becomes a network's input."""

    WHOLE = "whole"
    """All of it, as far as the longer side is at most twice the shorter one."""
    CENTER_CROP = "center_crop"
    """The square at its centre, as the paper does."""


class Resolution(IntEnum):
    """The shorter side of a network's input in pixels."""

    PIXELS_160 = 160
    PIXELS_224 = 224
    PIXELS_320 = 320
    PIXELS_448 = 448


class Precision(StrEnum):
    """The type in which a network computes; what it answers is float32 in any case."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"

"""The closed sets of names that describe networks and lineups. Nothing here imports torch."""

from enum import IntEnum, StrEnum
from typing import TypeAlias

NetworkName: TypeAlias = str
"""A network's short name, unique in its lineup: `baseline`, `se`, `cbam`."""

NETWORK_NAME = r"^[a-z][a-z0-9_-]{0,31}$"
"""A network's name is part of addresses, options and headers."""


class Stage(IntEnum):
    """The four stages whose output can be explained, numbered in their order.

    Each stage ends just before the map is halved. In a residual network, stage 1 ends at 1/4 of the input's size and
    stage 4 at 1/32. In VGG-16, whose last convolutions run before the last pooling, they end at 1/2 and 1/16. Grad-CAM
    is usually applied at stage 4.
    """

    ONE = 1
    TWO = 2
    THREE = 3
    FOUR = 4


class ChannelPooling(StrEnum):
    """The pooling of each channel before a channel gate's MLP."""

    AVERAGE = "avg"
    """The mean over positions: squeeze-and-excitation."""
    MAXIMUM = "max"
    """The maximum over positions."""
    BOTH = "both"
    """Both, each through the same MLP, and added: CBAM."""


class SpatialPooling(StrEnum):
    """The pooling of each position before a spatial gate's convolution."""

    MAX_MEAN = "max_mean"
    """The maximum and the mean over channels: CBAM."""
    CONVOLUTION = "conv1x1"
    """One plane, made from all channels by a 1x1 convolution."""


class GateOrder(StrEnum):
    """The order of the two gates."""

    CHANNEL_FIRST = "channel_first"
    """Channel, then spatial: CBAM."""
    SPATIAL_FIRST = "spatial_first"
    PARALLEL = "parallel"
    """Both computed from the ungated features, and both applied."""


class GateKind(StrEnum):
    """The gates of a block; every value is in 0..1."""

    SPATIAL = "spatial"
    """One value for each position, (H, W)."""
    CHANNEL = "channel"
    """One value for each channel, (C,)."""
    ROW = "row"
    """One value for each channel and row, (C, H, 1), drawn as its mean over channels."""
    COLUMN = "column"
    """One value for each channel and column, (C, 1, W), drawn as its mean over channels."""
    JOINT = "joint"
    """One value for each channel and position, (C, H, W), as its mean over channels."""


class GateChange(StrEnum):
    """The changes of a learned gate."""

    NEUTRAL = "neutral"
    """The gate's own mean everywhere: it still scales its block, but no longer selects."""
    INVERT = "invert"
    """1 minus the gate: open positions become blocked."""
    DROP_MAX = "drop-max"
    """The gate without its max-pooled input."""


class Attention(StrEnum):
    """A network's attention: in its blocks, in those of its last one or two stages, or for BAM between its stages.

    `models.attention.design` says what the rows of the CBAM paper's tables 1 to 3 stand for; each of the others is a
    module of `models.attention`.
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
    ECA = "eca"
    COORDINATE = "coordinate"
    SIMAM = "simam"
    TRIPLET = "triplet"
    SE_LAST_STAGE = "se-last-stage"
    CBAM_LAST_STAGE = "cbam-last-stage"
    ECA_LAST_STAGE = "eca-last-stage"
    COORDINATE_LAST_STAGE = "coordinate-last-stage"
    SIMAM_LAST_STAGE = "simam-last-stage"
    TRIPLET_LAST_STAGE = "triplet-last-stage"
    SE_LAST_TWO_STAGES = "se-last-two-stages"
    CBAM_LAST_TWO_STAGES = "cbam-last-two-stages"
    ECA_LAST_TWO_STAGES = "eca-last-two-stages"
    COORDINATE_LAST_TWO_STAGES = "coordinate-last-two-stages"
    SIMAM_LAST_TWO_STAGES = "simam-last-two-stages"
    TRIPLET_LAST_TWO_STAGES = "triplet-last-two-stages"
    OWN = "own"
    """Gates that were found in a user's own network, see `models.foreign`; nothing here builds such a network."""


class AttentionPlace(StrEnum):
    """The blocks that end with attention."""

    EVERY_BLOCK = "every-block"
    LAST_STAGE = "last-stage"
    """The blocks of the last stage alone."""
    LAST_TWO_STAGES = "last-two-stages"
    """The blocks of the last two stages."""


class StridePlacement(StrEnum):
    """Which convolution of a bottleneck block halves the map."""

    V1 = "v1"
    """The first 1x1: the original paper, and the count of multiply-adds that CBAM's paper gives."""
    V1_5 = "v1.5"
    """The 3x3: torchvision and the authors' released checkpoints."""


class Stem(StrEnum):
    """The layers of a residual network before its first stage."""

    IMAGENET = "imagenet"
    """A 7x7 convolution and a 3x3 maximum, each with stride 2."""
    CIFAR = "cifar"
    """A 3x3 convolution with stride 1, for pictures of 32 pixels."""


class Geometry(StrEnum):
    """How a picture becomes a network's input."""

    WHOLE = "whole"
    """The whole picture; a longer side of more than twice the shorter one is cropped."""
    CENTER_CROP = "center_crop"
    """The square at the picture's centre, as in the paper."""


class Resolution(IntEnum):
    """The shorter side of a network's input in pixels. A lineup's card says which of them its networks accept."""

    PIXELS_28 = 28
    """MNIST's. Like the other small ones and 256 and 384, only for users' own networks."""
    PIXELS_32 = 32
    """For networks with CIFAR's stem, and users' own: the others would be left with one position."""
    PIXELS_64 = 64
    PIXELS_96 = 96
    PIXELS_128 = 128
    PIXELS_160 = 160
    PIXELS_224 = 224
    PIXELS_256 = 256
    PIXELS_320 = 320
    PIXELS_384 = 384
    PIXELS_448 = 448


class Precision(StrEnum):
    """The type in which a network computes; its results are always float32."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"

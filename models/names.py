"""The closed sets of names that networks and pairs are described with. Nothing here imports torch."""

from enum import IntEnum, StrEnum


class NetworkName(StrEnum):
    """The two networks of a pair."""

    BASELINE = "baseline"
    CBAM = "cbam"


class Stage(IntEnum):
    """The four stages of a residual network, named by their order.

    Stage 1 ends at 1/4 of the input's size, stage 4 at 1/32. Grad-CAM's usual target is stage 4.
    """

    ONE = 1
    TWO = 2
    THREE = 3
    FOUR = 4


class Attention(StrEnum):
    """What stands at the end of each block's branch."""

    NONE = "none"
    CBAM = "cbam"


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

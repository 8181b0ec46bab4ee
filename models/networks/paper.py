"""The CBAM paper's own figures, kept apart from our measurements.

Source: Woo et al., *CBAM: Convolutional Block Attention Module*, ECCV 2018, tables 1 to 4 (ImageNet-1K, one crop of
224 x 224), read from pictures of an early version. Nothing here imports torch.
"""

from dataclasses import dataclass

from models.names import Attention


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One network's row in the paper's ImageNet table.

    Attributes:
        parameters_millions: trainable values, in millions.
        multiply_adds_billions: multiply-adds for one picture, in billions; the paper calls them GFLOPs.
        top1_error_percent, top5_error_percent: errors on the validation set.
    """

    parameters_millions: float
    multiply_adds_billions: float
    top1_error_percent: float
    top5_error_percent: float


_ATTENTIONS = (Attention.NONE, Attention.SE, Attention.CBAM)

_TABLE: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "resnet18": ((11.69, 1.814, 29.60, 10.55), (11.78, 1.814, 29.41, 10.22), (11.78, 1.815, 29.27, 10.09)),
    "resnet34": ((21.80, 3.664, 26.69, 8.60), (21.96, 3.664, 26.13, 8.35), (21.96, 3.665, 25.99, 8.24)),
    "resnet50": ((25.56, 3.858, 24.56, 7.50), (28.09, 3.860, 23.14, 6.70), (28.09, 3.864, 22.66, 6.31)),
    "resnet101": ((44.55, 7.570, 23.38, 6.88), (49.33, 7.575, 22.35, 6.19), (49.33, 7.581, 21.51, 5.69)),
    "wide_resnet18_1.5": ((25.88, 3.866, 26.85, 8.88), (26.07, 3.867, 26.21, 8.47), (26.08, 3.868, 26.10, 8.43)),
    "wide_resnet18_2.0": ((45.62, 6.696, 25.63, 8.20), (45.97, 6.696, 24.93, 7.65), (45.97, 6.697, 24.84, 7.63)),
    "resnext50_32x4d": ((25.03, 3.768, 22.85, 6.48), (27.56, 3.771, 21.91, 6.04), (27.56, 3.774, 21.92, 5.91)),
    "resnext101_32x4d": ((44.18, 7.508, 21.54, 5.75), (48.96, 7.512, 21.17, 5.66), (48.96, 7.519, 21.07, 5.59)),
    "mobilenet_0.7": ((2.30, 0.283, 34.86, 13.69), (2.71, 0.283, 32.50, 12.49), (2.71, 0.289, 31.51, 11.48)),
    "mobilenet_1.0": ((4.23, 0.569, 31.39, 11.51), (5.07, 0.570, 29.97, 10.63), (5.07, 0.576, 29.01, 9.99)),
}

PAPER_TABLE: dict[tuple[str, Attention], PaperRow] = {
    (architecture, attention): PaperRow(*figures)
    for architecture, rows in _TABLE.items()
    for attention, figures in zip(_ATTENTIONS, rows, strict=True)
}
"""The rows, by architecture and attention."""

ABLATION_TOP1_ERRORS = {
    Attention.NONE: 24.56,
    Attention.SE: 23.14,
    Attention.CHANNEL_MAX: 23.20,
    Attention.CHANNEL_BOTH: 22.80,
    Attention.CBAM_CONV1X1_K3: 22.96,
    Attention.CBAM_CONV1X1_K7: 22.90,
    Attention.CBAM_K3: 22.68,
    Attention.CBAM: 22.66,
    Attention.CBAM_SPATIAL_FIRST: 22.78,
    Attention.CBAM_PARALLEL: 22.95,
}
"""Top-1 error in percent of ResNet-50 with each design (tables 1 to 3)."""

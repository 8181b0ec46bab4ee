"""Display names of networks and lineups, as in the paper's tables. Nothing here imports torch."""

from collections.abc import Collection, Sequence

from models.attention.places import PLACED, describe_place, find_base
from models.names import Attention

BASELINE_TITLE = "Baseline"

OWN = "own"
"""The architecture of a user's own networks, whatever they are."""

ARCHITECTURE_TITLES = {
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "resnet50": "ResNet-50",
    "resnet101": "ResNet-101",
    "wide_resnet18_1.5": "WideResNet-18 (x1.5)",
    "wide_resnet18_2.0": "WideResNet-18 (x2.0)",
    "resnext50_32x4d": "ResNeXt-50 (32x4d)",
    "resnext101_32x4d": "ResNeXt-101 (32x4d)",
    **{f"cifar_resnet{depth}": f"ResNet-{depth} (CIFAR stem)" for depth in (18, 34, 50, 101)},
    "mobilenet_0.7": "MobileNet (x0.7)",
    "mobilenet_1.0": "MobileNet (x1.0)",
    "vgg16_bn": "VGG-16 with BatchNorm",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "efficientnet_lite1": "EfficientNet-Lite1",
    "efficientnet_lite2": "EfficientNet-Lite2",
    OWN: "Own networks",
}

ATTENTION_TITLES = {
    Attention.NONE: "no attention",
    Attention.SE: "SE",
    Attention.CHANNEL_MAX: "channel gate by maximum",
    Attention.CHANNEL_BOTH: "channel gate",
    Attention.CBAM_CONV1X1_K3: "CBAM (1x1 pooling, 3x3)",
    Attention.CBAM_CONV1X1_K7: "CBAM (1x1 pooling, 7x7)",
    Attention.CBAM_K3: "CBAM (3x3)",
    Attention.CBAM: "CBAM",
    Attention.CBAM_SPATIAL_FIRST: "CBAM (spatial first)",
    Attention.CBAM_PARALLEL: "CBAM (parallel)",
    Attention.BAM: "BAM",
    Attention.ECA: "ECA",
    Attention.COORDINATE: "Coordinate",
    Attention.SIMAM: "SimAM",
    Attention.TRIPLET: "Triplet",
    Attention.OWN: "own attention",
}
ATTENTION_TITLES |= {
    name: f"{ATTENTION_TITLES[base]} ({describe_place(place)})"
    for place, names in PLACED.items()
    for base, name in names.items()
}


def title_network(architecture: str, attention: Attention = Attention.NONE) -> str:
    """A network's display name, such as `ResNet-50+CBAM`; an unknown architecture keeps its own name."""
    title = ARCHITECTURE_TITLES.get(architecture, architecture)
    return title if attention is Attention.NONE else f"{title}+{ATTENTION_TITLES[attention]}"


def title_in_lineup(attention: Attention, others: Collection[Attention] = ()) -> str:
    """A network's display name among the others of its lineup: `Baseline`, `SE`, `CBAM`.

    Args:
        attention: the network's.
        others: those of the other networks; where one has the same at another place, the name tells them apart.
    """
    if attention is Attention.NONE:
        return BASELINE_TITLE
    base = find_base(attention)
    return ATTENTION_TITLES[attention if base in map(find_base, others) else base]


def title_lineup(networks: Sequence[tuple[str, Attention]], class_count: int) -> str:
    """A lineup's display name, such as `ResNet-50, ResNet-50+SE and ResNet-50+CBAM, 1,000 classes`.

    Args:
        networks: the architecture and the attention of each network.
        class_count: the number of classes.
    """
    return f"{join_words([title_network(*network) for network in networks])}, {class_count:,} classes"


def join_words(words: Sequence[str], conjunction: str = "and") -> str:
    """Join words as in `the baseline, SE and CBAM`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {conjunction} {words[-1]}"

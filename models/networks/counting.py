"""The size of each network in parameters and multiply-adds, beside the paper's figures.

torch's own counter counts them. The zoo's counts are also recorded in `counts.json`, so that the page need not wait for
them. `cbam-lens models --write` writes the file, and a test counts again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from models.names import Attention, Stem, StridePlacement
from models.networks.paper import PAPER_TABLE, PaperRow
from models.networks.zoo import (
    ARCHITECTURES,
    RESIDUAL_NETWORKS,
    build_network,
    count_multiply_adds,
    count_parameters,
    find_stem,
)

SIDE_PIXELS = 224
CLASS_COUNT = 1000

TABLE_ATTENTIONS = (
    Attention.NONE,
    Attention.SE,
    Attention.BAM,
    Attention.CBAM,
    Attention.ECA,
    Attention.COORDINATE,
    Attention.SIMAM,
    Attention.TRIPLET,
)
"""The columns of the paper's table, and the attentions of other papers."""

RECORDED_COUNTS = Path(__file__).parent / "counts.json"


@dataclass(frozen=True, slots=True)
class NetworkCount:
    """One network's size, for 1,000 classes and 224 x 224 pixels.

    Attributes:
        architecture, attention: the network.
        parameters: the number of trainable values.
        multiply_adds: the count with a bottleneck's stride on its 3x3 convolution, as in all known checkpoints.
        multiply_adds_v1: the count with it on the first 1x1 convolution, as in the paper; equal without bottlenecks.
    """

    architecture: str
    attention: Attention
    parameters: int
    multiply_adds: int
    multiply_adds_v1: int

    @property
    def paper(self) -> PaperRow | None:
        """The paper's figures; None for a network that is not in its table."""
        return PAPER_TABLE.get((self.architecture, self.attention))

    @property
    def remark(self) -> str:
        """The reason why the paper's figure differs or is missing; empty if they agree."""
        if self.architecture == "vgg16_bn":
            return "The paper uses VGG-16 for detection and gives no figures for ImageNet."
        if self.multiply_adds != self.multiply_adds_v1:
            return (
                "The paper counts with the stride on the first 1x1 convolution (v1); checkpoints have it on the 3x3 "
                "(v1.5)."
            )
        return ""


def list_networks() -> list[tuple[str, Attention]]:
    """List every row of the table: networks for pictures of 32 pixels would not compare with the others.

    BAM is counted where it fits; CBAM's paper has no figures for it and for the attentions of later papers.
    """
    return [
        (architecture, attention)
        for architecture in ARCHITECTURES
        if find_stem(architecture) is Stem.IMAGENET
        for attention in TABLE_ATTENTIONS
        if attention is not Attention.BAM or architecture in RESIDUAL_NETWORKS
    ]


def count_network(architecture: str, attention: Attention) -> NetworkCount:
    """Count one network on the meta device, which computes nothing."""
    counts = {}
    for placement in StridePlacement:
        with torch.device("meta"):
            network = build_network(
                architecture, attention=attention, class_count=CLASS_COUNT, stride_placement=placement
            ).eval()
        counts[placement] = count_multiply_adds(network, height=SIDE_PIXELS, width=SIDE_PIXELS)
    return NetworkCount(
        architecture, attention, count_parameters(network), counts[StridePlacement.V1_5], counts[StridePlacement.V1]
    )


def read_recorded_counts() -> tuple[NetworkCount, ...]:
    """Read the recorded counts, in the table's order."""
    return tuple(_parse(json.loads(RECORDED_COUNTS.read_text())))


def format_counts(counts: tuple[NetworkCount, ...]) -> str:
    """Format counts for the record: one network per line."""
    rows = [
        [count.architecture, count.attention.value, count.parameters, count.multiply_adds, count.multiply_adds_v1]
        for count in counts
    ]
    return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n]\n"


def _parse(rows: list[list[str | int]]) -> Iterator[NetworkCount]:
    for architecture, attention, *numbers in rows:
        parameters, multiply_adds, multiply_adds_v1 = (int(number) for number in numbers)
        yield NetworkCount(str(architecture), Attention(str(attention)), parameters, multiply_adds, multiply_adds_v1)

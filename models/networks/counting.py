"""The cost of attention: parameters and multiply-adds of each network, beside the paper's.

They are counted by torch's own counter. The counts of the zoo are also written down, in `counts.json`, for the page,
which must not wait for them; `cbam-lens models --write` makes the file and a test counts again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from models.names import Attention, StridePlacement
from models.networks.paper import PAPER_TABLE, PaperRow
from models.networks.zoo import ARCHITECTURES, build_network, count_multiply_adds, count_parameters

SIDE_PIXELS = 224
CLASS_COUNT = 1000

TABLE_ATTENTIONS = (Attention.NONE, Attention.SE, Attention.CBAM)
"""The columns of the paper's table."""

RECORDED_COUNTS = Path(__file__).parent / "counts.json"


@dataclass(frozen=True, slots=True)
class NetworkCount:
    """One network's size, for 1,000 classes and 224 x 224 pixels.

    Attributes:
        architecture, attention: which network.
        parameters: trainable values.
        multiply_adds: with the stride of a bottleneck on its 3x3 convolution, as everybody's checkpoints have it.
        multiply_adds_v1: with it on the first 1x1, as the paper counts; the same where there is no bottleneck.
    """

    architecture: str
    attention: Attention
    parameters: int
    multiply_adds: int
    multiply_adds_v1: int

    @property
    def paper(self) -> PaperRow | None:
        """The paper's figures; None for a network that its table has not."""
        return PAPER_TABLE.get((self.architecture, self.attention))

    @property
    def remark(self) -> str:
        """Why the paper's figure is another one, or why there is none; empty where they agree."""
        if self.architecture == "vgg16_bn":
            return "The paper uses VGG-16 for detection and gives no figures for ImageNet."
        if self.multiply_adds != self.multiply_adds_v1:
            return (
                "The paper counts with the stride on the first 1x1 convolution (v1); checkpoints have it on the 3x3 "
                "(v1.5)."
            )
        return ""


def list_networks() -> list[tuple[str, Attention]]:
    """Every row of the table."""
    return [(architecture, attention) for architecture in ARCHITECTURES for attention in TABLE_ATTENTIONS]


def count_network(architecture: str, attention: Attention) -> NetworkCount:
    """Count one network, on the meta device, where nothing is computed."""
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
    """The counts that are written down, in the table's order."""
    return tuple(_parse(json.loads(RECORDED_COUNTS.read_text())))


def format_counts(counts: tuple[NetworkCount, ...]) -> str:
    """Counts as they are written down: one network a line."""
    rows = [
        [count.architecture, count.attention.value, count.parameters, count.multiply_adds, count.multiply_adds_v1]
        for count in counts
    ]
    return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n]\n"


def _parse(rows: list[list[str | int]]) -> Iterator[NetworkCount]:
    for architecture, attention, *numbers in rows:
        parameters, multiply_adds, multiply_adds_v1 = (int(number) for number in numbers)
        yield NetworkCount(str(architecture), Attention(str(attention)), parameters, multiply_adds, multiply_adds_v1)

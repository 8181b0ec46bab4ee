"""`cbam-lens models`: what attention costs, architecture by architecture."""

import torch
from rich.table import Table

from models.names import Attention
from models.zoo import ARCHITECTURES, build_network, count_multiply_adds, count_parameters

SIDE_PIXELS = 224


def build_model_table() -> Table:
    """Parameters and multiply-adds of every architecture, without and with CBAM, for 1,000 classes at 224 x 224."""
    table = Table(
        "network",
        "attention",
        "parameters",
        "overhead",
        "multiply-adds",
        "overhead",
        title="1,000 classes, 224 x 224 pixels",
    )
    for architecture in ARCHITECTURES:
        plain = measure(architecture, Attention.NONE)
        for attention in Attention:
            parameters, multiply_adds = measure(architecture, attention)
            table.add_row(
                architecture,
                attention.value,
                f"{parameters:,}",
                f"{parameters / plain[0] - 1:+.2%}",
                f"{multiply_adds / 1e9:.3f} G",
                f"{multiply_adds / plain[1] - 1:+.2%}",
            )
    return table


def measure(architecture: str, attention: Attention) -> tuple[int, int]:
    """Parameters and multiply-adds; on the meta device, where nothing is computed."""
    with torch.device("meta"):
        network = build_network(architecture, attention=attention).eval()
    return count_parameters(network), count_multiply_adds(network, height=SIDE_PIXELS, width=SIDE_PIXELS)

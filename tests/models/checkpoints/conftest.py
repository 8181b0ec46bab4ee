"""A small network's weights, which tests may damage."""

from pathlib import Path

import pytest
import torch

from models.names import Attention
from models.networks.zoo import build_network
from tests.models.checkpoints.foreign import fill

Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="session")
def small_weights() -> Tensors:
    """The smallest network of the zoo with CBAM, 5 classes, 11 MB; every BatchNorm has seen a batch."""
    network = build_network("mobilenet_0.7", attention=Attention.CBAM, class_count=5)
    return fill(network, torch.Generator().manual_seed(2)).state_dict()


@pytest.fixture
def weights(small_weights: Tensors) -> Tensors:
    """A copy of the small weights' dict; the tensors are shared, and are replaced rather than changed."""
    return dict(small_weights)


@pytest.fixture
def saved(small_weights: Tensors, tmp_path: Path) -> Path:
    """The small weights in a file of torch.save."""
    path = tmp_path / "small.pth"
    torch.save(small_weights, path)
    return path

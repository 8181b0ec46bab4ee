"""ECA against its equation worked out by hand."""

import pytest
import torch

from models.attention.eca import Eca, find_kernel_size
from models.attention.interventions import BlockChange
from models.names import GateChange


def make_eca() -> Eca:
    """Evidence of a channel = the mean of the one before it minus the mean of the one behind it."""
    eca = Eca(4).eval().requires_grad_(False)
    eca.conv.weight.copy_(torch.tensor([[[1.0, 0.0, -1.0]]]))
    return eca


@pytest.fixture
def features() -> torch.Tensor:
    """Four channels with the means 1, 2, 5 and 3."""
    means = torch.tensor([1.0, 2.0, 5.0, 3.0])
    return means[None, :, None, None] + torch.tensor([[1.0, -1.0], [3.0, -3.0], [0.0, 0.0]])


def test_gate_matches_the_equation_worked_by_hand(features: torch.Tensor) -> None:
    refined, gates = make_eca()(features)
    # 0 - 2, 1 - 5, 2 - 3, 5 - 0: there are zeros beyond the first and the last channel.
    expected = torch.tensor([[0.11920292, 0.01798621, 0.26894143, 0.99330717]])  # sigmoid of -2, -4, -1 and 5
    torch.testing.assert_close(gates.channel, expected)
    torch.testing.assert_close(refined, features * expected[:, :, None, None])
    assert gates.spatial is gates.joint is gates.row is gates.column is None


@pytest.mark.parametrize(
    ("channels", "size"), [(4, 3), (16, 3), (64, 3), (128, 5), (256, 5), (512, 5), (1024, 5), (2048, 7)]
)
def test_kernel_size_is_the_papers_for_the_number_of_channels(channels: int, size: int) -> None:
    assert find_kernel_size(channels) == size
    assert Eca(channels).conv.weight.shape == (1, 1, size)


def test_neutral_gate_is_its_own_mean(features: torch.Tensor) -> None:
    eca = make_eca()
    _, learned = eca(features)
    refined, changed = eca(features, BlockChange(channel=GateChange.NEUTRAL))
    assert torch.allclose(changed.channel, torch.full((1, 4), float(learned.channel.mean())))
    assert torch.allclose(refined, features * learned.channel.mean())


def test_opened_module_gives_the_evidence_of_its_one_branch(features: torch.Tensor) -> None:
    inside = make_eca()(features, BlockChange(is_opened=True))[1].inside
    average, maximum = inside.channel_evidence
    torch.testing.assert_close(average, torch.tensor([[-2.0, -4.0, -1.0, 5.0]]))
    assert maximum is None
    assert inside.spatial_evidence == (None, None)

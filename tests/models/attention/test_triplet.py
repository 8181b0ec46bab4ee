"""Triplet attention against its equations worked out by hand."""

import pytest
import torch

from models.attention.interventions import BlockChange
from models.attention.plane_gate import PlaneGate
from models.attention.triplet import TripletAttention
from models.names import GateChange

# Channel 0 is (0 1 2; 3 4 5), channel 1 (6 0 0; 0 0 9).
FEATURES = torch.tensor([[[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], [[6.0, 0.0, 0.0], [0.0, 0.0, 9.0]]]])

MAXIMUM, MEAN = 0, 1
CENTRE = 3


def set_kernel(gate: PlaneGate, plane: int, *, ahead: int = 0) -> None:
    """Let a gate's evidence be a pooled plane, shifted along the last of its axes; its BatchNorm is the identity."""
    kernel = torch.zeros(1, 2, 7, 7)
    kernel[0, plane, CENTRE, CENTRE + ahead] = 1.0
    gate.spatial.get_submodule("conv").load_state_dict({"weight": kernel})
    norm = gate.spatial.get_submodule("bn")
    torch.nn.init.constant_(norm.get_buffer("running_var"), 1 - 1e-5)


@pytest.fixture
def attention() -> TripletAttention:
    attention = TripletAttention().eval().requires_grad_(False)
    set_kernel(attention.ChannelGateH, MAXIMUM)
    set_kernel(attention.ChannelGateW, MEAN)
    set_kernel(attention.SpatialGate, MAXIMUM)
    return attention


def test_gates_match_the_equations_worked_by_hand(attention: TripletAttention) -> None:
    refined, gates = attention(FEATURES)
    column = torch.sigmoid(torch.tensor([[3.0, 4.0, 5.0], [6.0, 0.0, 9.0]]))  # the maximum of each channel and column
    row = torch.sigmoid(torch.tensor([[1.0, 4.0], [2.0, 3.0]]))  # the mean of each channel and row
    spatial = torch.sigmoid(torch.tensor([[6.0, 1.0, 2.0], [3.0, 4.0, 9.0]]))  # the maximum of each position
    torch.testing.assert_close(gates.column, column[None, :, None])
    torch.testing.assert_close(gates.row, row[None, :, :, None])
    torch.testing.assert_close(gates.spatial, spatial[None])
    applied = (row[:, :, None] + column[:, None] + spatial) / 3
    torch.testing.assert_close(refined, FEATURES * applied)
    torch.testing.assert_close(gates.joint, applied.mean(dim=0)[None])
    assert gates.channel is None


def test_kernels_see_the_axes_in_the_order_of_the_authors_release(attention: TripletAttention) -> None:
    """The last axis of the gate without rows is the columns', of the one without columns the channels'."""
    set_kernel(attention.ChannelGateH, MAXIMUM, ahead=1)
    set_kernel(attention.ChannelGateW, MEAN, ahead=1)
    _, gates = attention(FEATURES)
    ahead = torch.tensor([[4.0, 5.0, 0.0], [0.0, 9.0, 0.0]])  # each channel's next column
    torch.testing.assert_close(gates.column, torch.sigmoid(ahead)[None, :, None])
    beside = torch.tensor([[2.0, 3.0], [0.0, 0.0]])  # the next channel, of which the second has none
    torch.testing.assert_close(gates.row, torch.sigmoid(beside)[None, :, :, None])


def test_dropped_maxima_leave_the_mean_alone(attention: TripletAttention) -> None:
    _, learned = attention(FEATURES)
    _, changed = attention(FEATURES, BlockChange(column=GateChange.DROP_MAX, row=GateChange.DROP_MAX))
    torch.testing.assert_close(changed.column, torch.full((1, 2, 1, 3), 0.5))
    assert torch.equal(changed.row, learned.row)
    assert torch.equal(changed.spatial, learned.spatial)


def test_inverted_gate_is_averaged_with_the_others(attention: TripletAttention) -> None:
    refined, learned = attention(FEATURES)
    other, changed = attention(FEATURES, BlockChange(spatial=GateChange.INVERT))
    torch.testing.assert_close(changed.spatial, 1 - learned.spatial)
    torch.testing.assert_close(refined + other, FEATURES * (2 * (learned.row + learned.column) + 1) / 3)


def test_opened_module_gives_the_evidence_of_both_planes(attention: TripletAttention) -> None:
    inside = attention(FEATURES, BlockChange(is_opened=True))[1].inside
    mean, maximum = inside.spatial_evidence
    torch.testing.assert_close(maximum, torch.tensor([[[6.0, 1.0, 2.0], [3.0, 4.0, 9.0]]]))
    assert not mean.any()
    assert inside.channel_evidence == (None, None)


def test_gates_are_not_flat_before_training(generator: torch.Generator) -> None:
    """Unlike CBAM's spatial gate, whose BatchNorm starts at zero."""
    _, gates = TripletAttention().eval()(torch.randn(1, 16, 8, 8, generator=generator))
    assert all(gate.std() > 0.01 for gate in (gates.row, gates.column, gates.spatial))


def test_tensors_have_the_names_of_the_authors_release() -> None:
    parts = ["conv.weight", *(f"bn.{part}" for part in ("weight", "bias", "running_mean", "running_var"))]
    assert {name for name in TripletAttention().state_dict() if "batches" not in name} == {
        f"{gate}.spatial.{part}" for gate in ("ChannelGateH", "ChannelGateW", "SpatialGate") for part in parts
    }

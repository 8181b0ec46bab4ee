"""Coordinate Attention against its equations worked out by hand."""

import math

import pytest
import torch

from models.attention.coordinate import CoordinateAttention
from models.attention.interventions import BlockChange
from models.names import GateChange

# The means of the rows are 3 and 7, those of the columns 1, 5 and 9.
FEATURES = torch.tensor([[[[-1.0, 3.0, 7.0], [3.0, 7.0, 11.0]]]])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.fixture
def attention() -> CoordinateAttention:
    """Hidden = h-swish(mean) in the first of 8 channels; rows are sigmoid(hidden - 5), columns sigmoid(2 - hidden)."""
    attention = CoordinateAttention(1).eval().requires_grad_(False)
    for parameter in attention.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.ones_(attention.bn1.weight)
    # BatchNorm adds its epsilon to the variance.
    torch.nn.init.constant_(attention.bn1.running_var, 1 - attention.bn1.eps)  # type: ignore[arg-type]
    attention.conv1.weight[0, 0, 0, 0] = 1.0
    attention.conv_h.weight[0, 0, 0, 0], attention.conv_h.bias[0] = 1.0, -5.0  # type: ignore[index]
    attention.conv_w.weight[0, 0, 0, 0], attention.conv_w.bias[0] = -1.0, 2.0  # type: ignore[index]
    return attention


def test_gates_match_the_equations_worked_by_hand(attention: CoordinateAttention) -> None:
    refined, gates = attention(FEATURES)
    # h-swish is the identity from 3 on, and 1 * (1 + 3) / 6 for 1.
    rows = [sigmoid(3 - 5), sigmoid(7 - 5)]
    columns = [sigmoid(2 - 4 / 6), sigmoid(2 - 5), sigmoid(2 - 9)]
    torch.testing.assert_close(gates.row, torch.tensor(rows)[None, None, :, None])
    torch.testing.assert_close(gates.column, torch.tensor(columns)[None, None, None, :])
    applied = torch.tensor([[row * column for column in columns] for row in rows])
    torch.testing.assert_close(gates.joint, applied[None])
    torch.testing.assert_close(refined, FEATURES * applied)
    assert gates.channel is gates.spatial is None


def test_joint_gate_is_the_mean_over_channels_of_the_product(generator: torch.Generator) -> None:
    features = torch.randn(2, 24, 5, 3, generator=generator)
    refined, gates = CoordinateAttention(24).eval()(features)
    torch.testing.assert_close(refined, features * gates.row * gates.column)
    torch.testing.assert_close(gates.joint, (gates.row * gates.column).mean(dim=1))


def test_changed_row_gate_leaves_the_column_gate_alone(attention: CoordinateAttention) -> None:
    _, learned = attention(FEATURES)
    refined, changed = attention(FEATURES, BlockChange(row=GateChange.INVERT))
    torch.testing.assert_close(changed.row, 1 - learned.row)
    assert torch.equal(changed.column, learned.column)
    torch.testing.assert_close(refined, FEATURES * (1 - learned.row) * learned.column)
    _, changed = attention(FEATURES, BlockChange(column=GateChange.NEUTRAL))
    torch.testing.assert_close(changed.column, torch.full((1, 1, 1, 3), float(learned.column.mean())))


@pytest.mark.parametrize(("channels", "hidden"), [(16, 8), (256, 8), (512, 16), (2048, 64)])
def test_hidden_channels_are_a_thirty_second_and_at_least_eight(channels: int, hidden: int) -> None:
    assert CoordinateAttention(channels).conv1.out_channels == hidden


def test_tensors_have_the_names_of_the_authors_release() -> None:
    norm = {f"bn1.{part}" for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")}
    convolutions = {f"{name}.{part}" for name in ("conv1", "conv_h", "conv_w") for part in ("weight", "bias")}
    assert set(CoordinateAttention(64).state_dict()) == norm | convolutions

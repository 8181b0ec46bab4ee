"""SimAM against its equations worked out by hand."""

import math

import pytest
import torch

from models.attention.interventions import BlockChange
from models.attention.simam import LAMBDA, SimAm
from models.names import GateChange

# The first channel has the mean 1 and the squared distances 1, 1, 1 and 9: their sum is 12, and the variance 12 / 3.
FEATURES = torch.tensor([[[[0.0, 0.0], [0.0, 4.0]], [[5.0, 5.0], [5.0, 5.0]]]])

LEAST = 1 / (1 + math.exp(-0.5))


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_gate_matches_the_equation_worked_by_hand() -> None:
    refined, gates = SimAm()(FEATURES)
    ordinary, distinctive = (sigmoid(square / (4 * (4 + LAMBDA)) + 0.5) for square in (1, 9))
    expected = torch.tensor([[[[ordinary] * 2, [ordinary, distinctive]], [[LEAST] * 2, [LEAST] * 2]]])
    torch.testing.assert_close(refined, FEATURES * expected)
    torch.testing.assert_close(gates.joint, expected.mean(dim=1))
    assert gates.spatial is gates.channel is gates.row is gates.column is None


def test_no_gate_is_below_sigmoid_of_a_half(generator: torch.Generator) -> None:
    gate = SimAm().gate(torch.randn(3, 7, 9, 5, generator=generator) * 10)
    assert gate.min() == pytest.approx(LEAST, abs=1e-3)
    assert gate.min() >= LEAST - 1e-6
    assert gate.max() <= 1


def test_sign_and_shift_of_a_channel_do_not_matter(generator: torch.Generator) -> None:
    features = torch.randn(1, 4, 6, 6, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(SimAm().gate(3 - features), SimAm().gate(features))


def test_map_of_one_position_has_the_least_gate_instead_of_a_quotient_of_zeros() -> None:
    refined, gates = SimAm()(torch.tensor([[[[7.0]]]]))
    torch.testing.assert_close(gates.joint, torch.full((1, 1, 1), LEAST))
    torch.testing.assert_close(refined, torch.tensor([[[[7.0 * LEAST]]]]))


def test_sum_of_squares_above_float16s_largest_number_is_no_infinity(generator: torch.Generator) -> None:
    features = torch.randn(1, 2, 40, 40, generator=generator) * 100
    half = SimAm().gate(features.half())
    assert half.dtype is torch.float16
    torch.testing.assert_close(half.float(), SimAm().gate(features.half().float()), atol=1e-3, rtol=0)


def test_changes_act_on_every_channels_own_gate() -> None:
    gate = SimAm().gate(FEATURES)
    refined, changed = SimAm()(FEATURES, BlockChange(joint=GateChange.INVERT))
    torch.testing.assert_close(refined, FEATURES * (1 - gate))
    torch.testing.assert_close(changed.joint, (1 - gate).mean(dim=1))
    refined, changed = SimAm()(FEATURES, BlockChange(joint=GateChange.NEUTRAL))
    torch.testing.assert_close(refined, FEATURES * gate.mean())
    assert changed.joint.std() == pytest.approx(0, abs=1e-6)


def test_it_has_no_weights_and_cannot_be_neutral() -> None:
    assert SimAm().state_dict() == {}
    assert not SimAm.keeps_function

"""Which parts a benchmark of a lineup has."""

import pytest

from app.bench.results.parts import BenchOptions, Part
from app.bench.run import leave_out_peers
from models.lineups.choice import InlineLineup
from models.lineups.lineup import load_lineup

PEERS = {Part.GRAD_CAM, Part.TORCHCAM}


@pytest.mark.parametrize(
    ("architecture", "are_chosen", "left_out"),
    [("efficientnet_lite0", False, PEERS), ("efficientnet_lite0", True, set()), ("resnet18", False, set())],
)
def test_packages_for_residual_networks_are_left_out_elsewhere(
    architecture: str, are_chosen: bool, left_out: set[Part]
) -> None:
    lineup = load_lineup(InlineLineup.of("x", f"untrained:{architecture}", f"untrained:{architecture}+cbam"))
    options = BenchOptions(frozenset(Part), rounds=1, seconds=1, requests=1, plot=None, are_chosen=are_chosen)
    assert options.parts - leave_out_peers(options, lineup).parts == left_out

import pytest
import torch

from models.card import SHIPPED_PAIR
from models.names import Attention, NetworkName, StridePlacement
from models.pair import NetworkPair
from models.zoo import build_network, count_multiply_adds, count_parameters


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [("resnet18", 11_779_392), ("resnet34", 21_960_468), ("resnet50", 28_089_624), ("resnet101", 49_330_172)],
)
def test_parameters_with_cbam_equal_the_authors_to_the_unit(architecture: str, parameters: int) -> None:
    with torch.device("meta"):
        network = build_network(architecture, attention=Attention.CBAM)
    assert count_parameters(network) == parameters


# GFLOPs of the paper's ImageNet table; its multiply-adds, with the stride on the first 1x1.
@pytest.mark.parametrize(
    ("architecture", "attention", "giga"),
    [
        ("resnet18", Attention.NONE, 1.814),
        ("resnet18", Attention.CBAM, 1.815),
        ("resnet34", Attention.NONE, 3.664),
        ("resnet34", Attention.CBAM, 3.665),
        ("resnet50", Attention.NONE, 3.858),
        ("resnet50", Attention.CBAM, 3.864),
        ("resnet101", Attention.NONE, 7.570),
        ("resnet101", Attention.CBAM, 7.581),
    ],
)
def test_multiply_adds_equal_the_papers(architecture: str, attention: Attention, giga: float) -> None:
    with torch.device("meta"):
        network = build_network(architecture, attention=attention, stride_placement=StridePlacement.V1).eval()
    assert count_multiply_adds(network, height=224, width=224) / 1e9 == pytest.approx(giga, abs=0.002)


def test_build_network_refuses_unknown_name() -> None:
    with pytest.raises(KeyError, match="choose one of resnet18"):
        build_network("resnet19")


@pytest.mark.parametrize("name", NetworkName)
def test_card_states_the_multiply_adds_that_are_counted(pair: NetworkPair, name: NetworkName) -> None:
    side = pair.card.preprocessing.resolution
    counted = count_multiply_adds(pair.networks[name], height=side, width=side)
    assert pair.card.networks[name].multiply_adds == counted, SHIPPED_PAIR

"""torch.hub loads the shipped networks from this repository."""

import re

import pytest
import torch

import hubconf
from models.lineups.lineup import Lineup, load_lineup
from models.networks.staged import StagedNetwork
from models.networks.zoo import count_parameters
from tests.conftest import ROOT

NAMES = ("efficientnet_lite0", "efficientnet_lite0_cbam", "efficientnet_lite0_se", "resnet18_110", "resnet18_110_cbam")


def load(name: str, **options: object) -> StagedNetwork:
    network = torch.hub.load(str(ROOT), name, source="local", **options)  # type: ignore[no-untyped-call]
    assert isinstance(network, StagedNetwork)
    return network


@pytest.fixture(scope="module")
def shipped() -> Lineup:
    return load_lineup()


def test_only_networks_are_entry_points() -> None:
    # torch.hub.list's own rule; it reads no local repository.
    entries = [name for name, value in vars(hubconf).items() if callable(value) and not name.startswith("_")]
    assert sorted(entries) == list(NAMES)


def test_documentation_names_every_entry_point() -> None:
    text = (ROOT / "docs/your-own-networks.md").read_text()
    section = text[text.index("## torch.hub") :]
    assert set(NAMES) <= set(re.findall(r"[a-z0-9_]+", section))


@pytest.mark.parametrize(
    ("entry", "name"), [("efficientnet_lite0", "baseline"), ("efficientnet_lite0_se", "se"), (NAMES[1], "cbam")]
)
def test_pretrained_network_is_the_shipped_one(shipped: Lineup, entry: str, name: str) -> None:
    network = load(entry)
    batch = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(network(batch), shipped.networks[name](batch))
    assert not network.training


def test_pretrained_network_can_be_trained_on() -> None:
    network = load("resnet18_110_cbam")
    logits = network(torch.randn(1, 3, 64, 64))
    assert logits.shape == (1, 110)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_untrained_network_has_other_weights_and_the_classes_that_were_asked_for() -> None:
    untrained, trained = load("resnet18_110", pretrained=False), load("resnet18_110", pretrained=True)
    assert count_parameters(untrained) == count_parameters(trained)
    pairs = zip(untrained.state_dict().values(), trained.state_dict().values(), strict=True)
    assert not all(torch.equal(one, other) for one, other in pairs)
    assert load("resnet18_110_cbam", pretrained=False, class_count=7)(torch.randn(1, 3, 64, 64)).shape == (1, 7)


def test_other_class_count_is_refused_for_shipped_weights() -> None:
    with pytest.raises(ValueError, match="class_count is 7, and the shipped weights have 1000 classes; leave it out"):
        load("efficientnet_lite0", class_count=7)

import pytest
import torch

from models.insertion import insert_cbam
from models.lineups.lineup import Lineup
from models.names import Attention, Stage
from models.networks.randomisation import Randomisation, find_parameters, randomise
from models.networks.zoo import build_network
from tests.models.networks.test_inference import PreActivation

pytestmark = pytest.mark.slow

KEPT = {
    Randomisation.CLASSIFIER: ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4"),
    Randomisation.STAGE_FOUR: ("conv1", "bn1", "layer1", "layer2", "layer3"),
    Randomisation.STAGE_THREE: ("conv1", "bn1", "layer1", "layer2"),
    Randomisation.STAGE_TWO: ("conv1", "bn1", "layer1"),
    Randomisation.STAGE_ONE: ("conv1", "bn1"),
    Randomisation.EVERYTHING: (),
}


@pytest.mark.parametrize("extent", Randomisation)
def test_randomise_changes_what_it_says_and_nothing_else(lineup: Lineup, extent: Randomisation) -> None:
    network = lineup.networks["cbam"]
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    random = dict(randomise(network, extent).named_parameters())
    kept = {name for name, tensor in random.items() if torch.equal(tensor, before[name])}
    assert kept == {name for name in before if name.split(".")[0] in KEPT[extent]}
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.named_parameters())
    assert not any(parameter.requires_grad for parameter in random.values())


def test_randomise_keeps_the_order_of_size(lineup: Lineup, generator: torch.Generator) -> None:
    network = lineup.networks["baseline"]
    weights = network.get_parameter("layer4.1.conv2.weight")
    drawn = randomise(network, Randomisation.STAGE_FOUR).get_parameter("layer4.1.conv2.weight")
    assert drawn.std().item() == pytest.approx(weights.std().item(), rel=0.02)
    with torch.no_grad():
        logits = randomise(network, Randomisation.EVERYTHING)(torch.randn(1, 3, 96, 96, generator=generator))
    assert torch.isfinite(logits).all()


def test_randomise_is_the_same_every_time(lineup: Lineup) -> None:
    network = lineup.networks["baseline"]
    first, second = (randomise(network, Randomisation.STAGE_ONE).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("architecture", "attention"),
    [
        ("mobilenet_1.0", Attention.CBAM),
        ("resnext50_32x4d", Attention.CBAM),
        ("resnet18", Attention.ECA),
        ("resnet18", Attention.COORDINATE),
        ("resnet18", Attention.SIMAM),
        ("resnet18", Attention.TRIPLET),
    ],
)
def test_every_extent_of_another_network_is_more_than_the_one_before(architecture: str, attention: Attention) -> None:
    network = build_network(architecture, attention=attention, class_count=3).eval()
    counts = [len(find_parameters(network, extent)) for extent in Randomisation]
    assert counts == sorted(set(counts))
    assert counts[0] == 2
    assert counts[-1] == len(list(network.parameters()))


@pytest.mark.parametrize("attention", [Attention.ECA, Attention.COORDINATE, Attention.TRIPLET])
def test_the_last_stages_gates_are_random_with_it(attention: Attention) -> None:
    network = build_network("resnet18", attention=attention, class_count=3).eval()
    before = {name: tensor.clone() for name, tensor in network.named_parameters() if ".cbam." in name}
    random = dict(randomise(network, Randomisation.STAGE_FOUR).named_parameters())
    changed = {name for name, tensor in before.items() if not torch.equal(random[name], tensor)}
    # A tensor of zeros or of ones has no spread to draw from.
    assert changed == {name for name, tensor in before.items() if name.startswith("layer4.") and _has_spread(tensor)}
    assert changed


def _has_spread(tensor: torch.Tensor) -> bool:
    return bool(tensor.any()) and (tensor.numel() == 1 or bool(tensor.std(correction=0) > 0))


def test_randomise_works_on_anothers_network(generator: torch.Generator) -> None:
    network = insert_cbam(PreActivation(), points=["conv4"])
    batch = torch.randn(1, 3, 64, 64, generator=generator)
    with torch.no_grad():
        kept = randomise(network, Randomisation.CLASSIFIER).trace(batch).features[Stage.FOUR]
        assert torch.equal(kept, network.trace(batch).features[Stage.FOUR])

"""torch.hub's entry points: the shipped networks, from a copy of this repository.

`torch.hub.load(FOLDER, "efficientnet_lite0_cbam", source="local")` returns a network in evaluation mode, whose
parameters can be trained on. `network(batch)` returns logits, (N, K), for a normalised batch, (N, 3, H, W);
`network.trace(batch)` also returns the stages' features and every gate.

torch.hub takes each public function here for an entry point, so what is imported has an underscore.
"""

from pathlib import Path as _Path

from models.insertion.building import build_any_network as _build_any_network
from models.lineups.card import read_card as _read_card
from models.lineups.members import LineupPlan as _LineupPlan
from models.networks.staged import StagedNetwork as _StagedNetwork

dependencies = ["numpy", "pydantic", "safetensors", "torch", "torchvision"]

_WEIGHTS = _Path(__file__).parent / "models" / "weights"

_LITE = _WEIGHTS / "efficientnet_lite0.toml"

_RESNET = _WEIGHTS / "resnet18_110.toml"


def efficientnet_lite0(*, pretrained: bool = True, class_count: int | None = None) -> _StagedNetwork:
    """EfficientNet-Lite0 for ImageNet's 1,000 classes.

    Args:
        pretrained: with the shipped weights; otherwise with random ones.
        class_count: K, only with random weights; by default that of the shipped ones.

    Raises:
        ValueError: the shipped weights have another number of classes.
    """
    return _make(_LITE, "baseline", is_trained=pretrained, class_count=class_count)


def efficientnet_lite0_se(*, pretrained: bool = True, class_count: int | None = None) -> _StagedNetwork:
    """EfficientNet-Lite0 with SE in each block; the arguments are those of `efficientnet_lite0`."""
    return _make(_LITE, "se", is_trained=pretrained, class_count=class_count)


def efficientnet_lite0_cbam(*, pretrained: bool = True, class_count: int | None = None) -> _StagedNetwork:
    """EfficientNet-Lite0 with CBAM in each block; the arguments are those of `efficientnet_lite0`."""
    return _make(_LITE, "cbam", is_trained=pretrained, class_count=class_count)


def resnet18_110(*, pretrained: bool = True, class_count: int | None = None) -> _StagedNetwork:
    """ResNet-18 for the 110 classes of Caltech-101 and Imagenette; the arguments are those of `efficientnet_lite0`."""
    return _make(_RESNET, "baseline", is_trained=pretrained, class_count=class_count)


def resnet18_110_cbam(*, pretrained: bool = True, class_count: int | None = None) -> _StagedNetwork:
    """ResNet-18 with CBAM for the same 110 classes; the arguments are those of `efficientnet_lite0`."""
    return _make(_RESNET, "cbam", is_trained=pretrained, class_count=class_count)


def _make(path: _Path, name: str, *, is_trained: bool, class_count: int | None) -> _StagedNetwork:
    """One network of a shipped lineup; its file is checked as `cbam-lens serve` does it."""
    plan, card = _LineupPlan.read(path), _read_card(path)
    known = len(plan.labels or ())
    if is_trained:
        if class_count not in (None, known):
            raise ValueError(
                f"class_count is {class_count}, and the shipped weights have {known} classes; leave it out, or give "
                "pretrained=False"
            )
        return plan.open(card.names.index(name)).network.requires_grad_(True)
    attention = card.networks[name].attention
    network = _build_any_network(card.architecture, attention=attention, class_count=class_count or known)
    return network.eval()

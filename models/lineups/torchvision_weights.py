"""torchvision's published weights, which are downloaded only if the user asks for them by name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.error import URLError

import torch
from torchvision import models as torchvision_models

from models.errors import LineupError
from models.lineups.card import ClassLabel, name_classes


@dataclass(frozen=True, slots=True, eq=False)
class PublishedWeights:
    """Weights that torchvision publishes.

    Attributes:
        name: the network and version, such as `resnet50, IMAGENET1K_V1`.
        tensors: the tensors, by torchvision's parameter names.
        labels: the classes in index order.
    """

    name: str
    tensors: dict[str, torch.Tensor]
    labels: tuple[ClassLabel, ...]


def fetch_weights(name: str, *, version: str = "") -> PublishedWeights:
    """Get torchvision's weights from its cache on this machine, or download them into it.

    Args:
        name: torchvision's name of the network.
        version: the version of the weights; empty for the first one, whose recipe is close to the papers'.

    Raises:
        LineupError: the name is unknown, or the weights can be neither found nor downloaded.
    """
    try:
        versions = {weights.name: weights for weights in torchvision_models.get_model_weights(name)}
    except ValueError as error:
        raise LineupError(f"torchvision has no weights for {name!r}: {error}") from error
    if version and version not in versions:
        raise LineupError(f"torchvision has no weights {version} for {name}; choose one of {', '.join(versions)}")
    chosen = versions[version] if version else next(iter(versions.values()))
    try:
        tensors = chosen.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise LineupError(
            f"the weights of torchvision:{name} are not on this machine and could not be downloaded ({error}); on a "
            f"connected machine, fetch {chosen.url}, and put it into {torch.hub.get_dir()}/checkpoints here"
        ) from error
    return PublishedWeights(f"{name}, {chosen.name}", dict(tensors), _name_uniquely(chosen.meta["categories"]))


def list_imagenet_classes() -> tuple[ClassLabel, ...]:
    """ImageNet's 1,000 classes by torchvision's names; if two share a name, the second has its index appended."""
    return _name_uniquely(torchvision_models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


def _name_uniquely(names: Sequence[str]) -> tuple[ClassLabel, ...]:
    seen: Counter[str] = Counter()
    unique = []
    for index, name in enumerate(names):
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({index})")
    return name_classes(unique)

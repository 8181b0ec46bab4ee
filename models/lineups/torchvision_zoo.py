"""torchvision's classifiers as networks of ours, and their published weights.

Those that the zoo has itself are the zoo's own, with the same parameter names; the others are run by their graph
(`models.networks.graph_network`). Weights are downloaded when they are asked for by name, and never else.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.error import URLError

import torch
from torch import nn
from torchvision import models as torchvision_models

from models.attention.design import DESIGNS, AttentionDesign
from models.insertion import adopt_network, insert_cbam
from models.lineups.card import ClassLabel, PairError, name_classes
from models.names import Attention
from models.networks.staged import StagedNetwork


@dataclass(frozen=True, slots=True, eq=False)
class PublishedWeights:
    """Weights that torchvision publishes.

    Attributes:
        name: `resnet50, IMAGENET1K_V1`.
        tensors: by torchvision's parameter names.
        labels: the classes in index order.
    """

    name: str
    tensors: dict[str, torch.Tensor]
    labels: tuple[ClassLabel, ...]


def build_torchvision(
    name: str, *, attention: Attention | AttentionDesign = Attention.NONE, class_count: int = 1000
) -> StagedNetwork:
    """A torchvision classifier with fresh random weights, with attention where a block's branch ends.

    Args:
        name: torchvision's name, `efficientnet_b0`.
        attention: what each block ends with.
        class_count: K, the number of classes.

    Raises:
        KeyError: for a name that torchvision has not; the message says how to list them.
        ValueError: for a network without convolutional stages.
    """
    network = make_torchvision(name, class_count=class_count)
    design = attention if isinstance(attention, AttentionDesign) else DESIGNS[attention]
    if design is None:
        return adopt_network(network)
    return insert_cbam(network, attention=design, preserve_function=False)


def make_torchvision(name: str, *, class_count: int) -> nn.Module:
    """Torchvision's own module with fresh random weights, in evaluation mode; raises `KeyError`."""
    if name not in torchvision_models.list_models(module=torchvision_models):
        raise KeyError(
            f"torchvision has no classifier {name!r}; its names are at "
            "https://pytorch.org/vision/stable/models.html, for example resnet50 or efficientnet_b0"
        )
    # GoogLeNet and Inception warn about their slow initialisation where nothing is said of it.
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network: nn.Module = torchvision_models.get_model(name, weights=None, num_classes=class_count, **options)
    return network.eval()


def fetch_weights(name: str, *, version: str = "") -> PublishedWeights:
    """Torchvision's weights from its cache on this machine, or downloaded into it.

    Args:
        name: torchvision's name of the network.
        version: of the weights; the first one published, by a recipe near the papers', for an empty text.

    Raises:
        PairError: for unknown names, and where the weights can be neither found nor downloaded.
    """
    try:
        versions = {weights.name: weights for weights in torchvision_models.get_model_weights(name)}
    except ValueError as error:
        raise PairError(f"torchvision has no weights for {name!r}: {error}") from error
    if version and version not in versions:
        raise PairError(f"torchvision has no weights {version} for {name}; choose one of {', '.join(versions)}")
    chosen = versions[version] if version else next(iter(versions.values()))
    try:
        tensors = chosen.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise PairError(
            f"the weights of torchvision:{name} are not on this machine and could not be downloaded ({error}); where "
            f"there is a network, fetch {chosen.url} and put it into {torch.hub.get_dir()}/checkpoints"
        ) from error
    return PublishedWeights(f"{name}, {chosen.name}", dict(tensors), _name_uniquely(chosen.meta["categories"]))


def list_imagenet_classes() -> tuple[ClassLabel, ...]:
    """ImageNet's 1,000 classes by torchvision's names; of two with one name, the second has its index behind it."""
    return _name_uniquely(torchvision_models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


def _name_uniquely(names: Sequence[str]) -> tuple[ClassLabel, ...]:
    seen: Counter[str] = Counter()
    unique = []
    for index, name in enumerate(names):
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({index})")
    return name_classes(unique)

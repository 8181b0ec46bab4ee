"""torchvision's classifiers as networks of ours.

Those that the zoo has itself are the zoo's own, with the same parameter names; the others are run by their graph
(`models.networks.graph_network`).
"""

from torch import nn
from torchvision import models as torchvision_models

from models.attention.design import AttentionDesign, find_design
from models.insertion.insert import adopt_network, insert_cbam
from models.names import Attention
from models.networks.staged import StagedNetwork


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
    design = attention if isinstance(attention, AttentionDesign) else find_design(attention)
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

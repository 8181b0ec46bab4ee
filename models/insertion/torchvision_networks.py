"""torchvision's classifiers as networks of ours.

Networks that the zoo has are built by the zoo, with the same parameter names. The others run by their graph
(`models.networks.graph_network`).
"""

from torch import nn
from torchvision import models as torchvision_models

from models.attention.design import AttentionDesign
from models.insertion.insert import adopt_network, insert_cbam
from models.names import Attention
from models.networks.staged import StagedNetwork


def build_torchvision(
    name: str, *, attention: Attention | AttentionDesign = Attention.NONE, class_count: int = 1000
) -> StagedNetwork:
    """Build a torchvision classifier with new random weights, and attention at the end of each block's branch.

    Args:
        name: torchvision's name, such as `efficientnet_b0`.
        attention: the attention at the end of each block.
        class_count: K, the number of classes.

    Raises:
        KeyError: torchvision does not have this name; the message says where to find the names.
        ValueError: the network has no convolutional stages.
    """
    network = make_torchvision(name, class_count=class_count)
    if attention is Attention.NONE:
        return adopt_network(network)
    return insert_cbam(network, attention=attention, preserve_function=False)


def make_torchvision(name: str, *, class_count: int) -> nn.Module:
    """Make torchvision's own module with new random weights, in evaluation mode; raises `KeyError`."""
    if name not in torchvision_models.list_models(module=torchvision_models):
        raise KeyError(
            f"torchvision has no classifier {name!r}; its names are at "
            "https://pytorch.org/vision/stable/models.html, for example resnet50 or efficientnet_b0"
        )
    # GoogLeNet and Inception warn about their slow initialisation unless `init_weights` is given.
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network: nn.Module = torchvision_models.get_model(name, weights=None, num_classes=class_count, **options)
    return network.eval()

"""Building any network by name: one of the zoo's, or one of torchvision's."""

from models.attention.design import AttentionDesign
from models.names import Attention, StridePlacement
from models.networks.staged import StagedNetwork
from models.networks.zoo import TORCHVISION, build_network


def build_any_network(
    architecture: str,
    *,
    attention: Attention | AttentionDesign = Attention.NONE,
    class_count: int = 1000,
    stride_placement: StridePlacement = StridePlacement.V1_5,
) -> StagedNetwork:
    """Build a network by its name, with new random weights.

    Args:
        architecture: a key of `models.networks.zoo.ARCHITECTURES`, or `torchvision:` and the name of a torchvision
            classifier.
        attention: the attention at the end of each block, by name or as a design.
        class_count: K, the number of classes.
        stride_placement: see `StridePlacement`; torchvision's networks have their own.

    Raises:
        KeyError: the name is unknown; the message lists the known ones.
        ValueError: the torchvision network has no convolutional stages.
    """
    if architecture.startswith(TORCHVISION):
        # torchvision's models take a second to import, and few calls need them.
        from models.insertion.torchvision_networks import build_torchvision  # noqa: PLC0415

        return build_torchvision(architecture.removeprefix(TORCHVISION), attention=attention, class_count=class_count)
    return build_network(architecture, attention=attention, class_count=class_count, stride_placement=stride_placement)

"""(d), (e) grad-cam and torchcam as their READMEs use them, on the same networks and the same input."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from app.bench.contestants.forward import time_milliseconds
from app.errors import InvalidOption
from app.explain.maps import FloatArray
from models.lineups.lineup import Lineup
from models.names import Stage
from models.networks.resnet import ResNet
from models.networks.staged import StagedNetwork

Explain: TypeAlias = Callable[[ResNet, torch.Tensor, int], object]
"""A function that makes one heat map: network, batch (1, 3, H, W), class index."""

TORCHCAM_IS_MISSING = "torchcam is not installed, so (e) is left out; `uv sync --group bench` installs it"


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """Another package's heat maps of all networks.

    Attributes:
        key: the key of its figure.
        explain: the package's function.
        networks: the networks, not folded and with trainable parameters, as a user of the package has them.
        batch: a normalised picture, (1, 3, H, W).
        class_index: the class to explain.
    """

    key: str
    explain: Explain
    networks: Sequence[ResNet]
    batch: torch.Tensor
    class_index: int

    def time(self) -> Mapping[str, float]:
        """Milliseconds of all maps."""
        return {self.key: time_milliseconds(self._explain_all, self.batch.device)}

    def _explain_all(self) -> None:
        for network in self.networks:
            self.explain(network, self.batch, self.class_index)


def build_peer(key: str, explain: Explain, lineup: Lineup, values: FloatArray) -> Peer:
    """Build a peer on copies of the networks, for the baseline's top guess.

    Args:
        key: the key of its figure.
        explain: the package's function.
        lineup: the trained lineup, with its batch normalisation not folded.
        values: a normalised picture, (3, H, W).
    """
    networks = [_copy_residual(network) for network in lineup.networks.values()]
    batch = torch.from_numpy(values)[None].to(lineup.device)  # (1, 3, H, W)
    with torch.no_grad():
        class_index = int(networks[0](batch).argmax())
    return Peer(key, explain, networks, batch, class_index)


def _copy_residual(network: StagedNetwork) -> ResNet:
    """Copy a network with trainable weights, as users of the packages have it.

    Raises:
        InvalidOption: for a network that is not residual: the packages hook its last block.
    """
    if not is_residual(network):
        raise InvalidOption(
            "parts d and e hook the last block of a residual network, and this lineup has none; leave them out with "
            "--only a,b,c,f,g,h,i",
            option="only",
        )
    copied: ResNet = copy.deepcopy(network).requires_grad_()
    return copied


def is_residual(network: StagedNetwork) -> TypeGuard[ResNet]:
    """Whether a network has residual blocks, whose last one the packages hook."""
    return isinstance(network, ResNet)


def explain_with_grad_cam(network: ResNet, batch: torch.Tensor, class_index: int) -> object:
    """The grad-cam package's Grad-CAM, out of the box."""
    with GradCAM(model=network, target_layers=[network.stage(Stage.FOUR)[-1]]) as cam:
        return cam(input_tensor=batch, targets=[ClassifierOutputTarget(class_index)])


def find_torchcam() -> Explain | None:
    """The torchcam package's Grad-CAM, out of the box; None where the package is not installed."""
    try:
        from torchcam.methods import GradCAM as TorchcamGradCAM  # noqa: PLC0415  # an optional package
    except ImportError:
        return None

    def explain(network: ResNet, batch: torch.Tensor, class_index: int) -> object:
        with TorchcamGradCAM(network, target_layer=network.stage(Stage.FOUR)[-1]) as extract:
            return extract(class_index, network(batch))

    return explain

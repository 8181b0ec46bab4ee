"""A pair: a baseline and the same network with CBAM, read from disk with every check that can be made.

Nothing is executed while loading and nothing is forgiven: a wrong checksum, a missing, surplus or misshaped tensor and
a value that is not finite are errors that name the file, the tensor and the remedy.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors

from models.card import SHIPPED_PAIR, ClassLabel, PairCard, PairError, read_bytes, read_card, read_labels
from models.inference import prepare_for_inference
from models.names import NetworkName, Precision
from models.resnet import ResNet
from models.zoo import build_network, count_parameters


@dataclass(frozen=True, slots=True)
class NetworkPair:
    """Two networks in evaluation mode with frozen parameters, on one device, and what is known of them.

    Attributes:
        card: what its card says.
        labels: the classes in index order.
        networks: both networks.
        parameter_counts: trainable values of each, as it was trained.
        device: where they are.
    """

    card: PairCard
    labels: tuple[ClassLabel, ...]
    networks: Mapping[NetworkName, ResNet]
    parameter_counts: Mapping[NetworkName, int]
    device: torch.device

    def optimise(self, precision: Precision = Precision.FP32) -> "NetworkPair":
        """The same pair in the form that answers requests; see `prepare_for_inference`."""
        prepared = {
            name: prepare_for_inference(network, precision=precision) for name, network in self.networks.items()
        }
        return replace(self, networks=prepared)


def load_pair(path: Path = SHIPPED_PAIR, *, device: torch.device | str = "cpu") -> NetworkPair:
    """Load a pair.

    Args:
        path: the pair's TOML file; the files it names lie beside it.
        device: where the networks go.

    Raises:
        PairError: for a file that is missing, damaged or does not fit the architecture.
    """
    card = read_card(path)
    labels = read_labels(path.parent / card.labels)
    device = torch.device(device)
    networks = {name: load_network(path.parent, card, name, class_count=len(labels)) for name in NetworkName}
    placed = {name: network.to(device) for name, network in networks.items()}
    counts = {name: count_parameters(network) for name, network in placed.items()}
    return NetworkPair(card=card, labels=labels, networks=placed, parameter_counts=counts, device=device)


def load_network(directory: Path, card: PairCard, name: NetworkName, *, class_count: int) -> ResNet:
    """One network of the pair on the CPU: checked, in fp32, in evaluation mode, its parameters frozen."""
    network_card = card.networks[name]
    path = directory / network_card.file
    tensors = read_weights(path, sha256=network_card.sha256)
    try:
        network = build_network(
            card.architecture,
            attention=network_card.attention,
            class_count=class_count,
            stride_placement=card.stride_placement,
        )
    except KeyError as error:
        raise PairError(f"{card.name}: {error.args[0]}") from error
    check_tensors(path, expected=network.state_dict(), found=tensors)
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)


def read_weights(path: Path, *, sha256: str) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file whose checksum is known; raises `PairError`."""
    content = read_bytes(path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise PairError(
            f"{path}: its sha256 is {digest}, the card says {sha256}; the file is damaged or another one; "
            "restore it from the release or from git"
        )
    try:
        return parse_safetensors(content)
    except SafetensorError as error:
        raise PairError(f"{path} is not a safetensors file: {error}") from error


def check_tensors(path: Path, *, expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights that do not fit, naming each tensor that does not.

    Raises:
        PairError: when a tensor is missing, surplus, misshaped or holds a value that is not finite.
    """
    problems = [f"missing: {name}" for name in expected if name not in found]
    problems += [f"surplus: {name}" for name in found if name not in expected]
    for name in expected.keys() & found.keys():
        if found[name].shape != expected[name].shape:
            problems.append(
                f"misshaped: {name} is {tuple(found[name].shape)}, the network wants {tuple(expected[name].shape)}"
            )
        elif found[name].is_floating_point() and not torch.isfinite(found[name]).all():
            problems.append(f"not finite: {name}")
    if problems:
        raise PairError(f"{path} does not fit its network: {'; '.join(sorted(problems))}")

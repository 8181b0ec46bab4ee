"""Finding the gates of a network by what they do: a sigmoid's result that is multiplied with a map of features.

A channel gate is (N, C, 1, 1) and a spatial gate (N, 1, H, W) when it is multiplied with (N, C, H, W), whatever module
or function computed it. So the modules of the authors, luuuyi, elbuco1, timm, External-Attention and ultralytics are
all found, and squeeze-and-excitation too. The operations are watched below Python (`TorchDispatchMode`), for
this thread alone, because many of these modules call functions and not modules.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from models.attention.gates import AttentionInside, BlockAttention
from models.foreign.recording import Recording
from models.names import GateKind

_ATEN = torch.ops.aten

SIGMOIDS = frozenset({_ATEN.sigmoid, _ATEN.sigmoid_, _ATEN.hardsigmoid, _ATEN.hardsigmoid_})
PRODUCTS = frozenset({_ATEN.mul, _ATEN.mul_})

WHOLE_NETWORK = "network"
"""The name of a block in no module but the network itself."""

MAP_DIMENSIONS = 4


@dataclass(slots=True, eq=False)
class FoundGate:
    """A gate that was multiplied with features.

    Attributes:
        kind: channel or spatial.
        values: (N, C) or (N, H, W), each in 0..1.
        path: of the module in which it was multiplied.
        is_next: whether the features were the product of the gate before.
        before, after: the features, (N, C, H, W), before and after; None if they are not kept.
    """

    kind: GateKind
    values: torch.Tensor
    path: str
    is_next: bool
    before: torch.Tensor | None = None
    after: torch.Tensor | None = None


class GateFinder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types there
    """Notes each sigmoid's result that is multiplied with a map of features, while it is active.

    Args:
        recording: of the same pass, which knows the running module.
        keeps_features: whether the features before and after are kept.
    """

    def __init__(self, recording: Recording, *, keeps_features: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[FoundGate] = []
        self._recording = recording
        self._keeps_features = keeps_features
        # Kept, so that their memory cannot become another tensor's: views are known by it.
        self._sigmoids: dict[int, torch.Tensor] = {}
        self._last_product: torch.Tensor | None = None

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401  # torch has no types for these
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Run an operation, and note it if it is a sigmoid or a product."""
        operation = func.overloadpacket
        before = [part.clone() for part in args[:1]] if operation is _ATEN.mul_ and self._keeps_features else args[:1]
        result = func(*args, **(kwargs or {}))
        if operation in SIGMOIDS:
            self._sigmoids[_locate(result)] = result
        elif operation in PRODUCTS:
            self._note_product([*before, *args[1:]], args, result)
        return result

    def _note_product(self, kept: Sequence[Any], factors: Sequence[Any], product: torch.Tensor) -> None:
        if len(factors) < 2:
            return
        for gate, features, before in ((factors[0], factors[1], kept[1]), (factors[1], factors[0], kept[0])):
            if (
                isinstance(gate, torch.Tensor)
                and isinstance(features, torch.Tensor)
                and _locate(gate) in self._sigmoids
            ):
                read = read_factor(gate, features)
                if read is not None:
                    self._add(*read, features, before, product)
                    return

    def _add(
        self, kind: GateKind, values: torch.Tensor, features: torch.Tensor, before: torch.Tensor, product: torch.Tensor
    ) -> None:
        last = self._last_product
        found = FoundGate(
            kind, values, self._recording.running, is_next=last is not None and _locate(last) == _locate(features)
        )
        if self._keeps_features:
            found.before, found.after = before, product.clone()
        self.found.append(found)
        self._last_product = product


def read_factor(gate: torch.Tensor, features: torch.Tensor) -> tuple[GateKind, torch.Tensor] | None:
    """The kind and the values of a gate that is multiplied with features; None for a factor that is none.

    Args:
        gate: a factor, which may be a view that repeats its values.
        features: the other one.

    Returns:
        `channel` and (N, C), or `spatial` and (N, H, W).
    """
    if gate.ndim != MAP_DIMENSIONS or features.ndim != MAP_DIMENSIONS:
        return None
    count, channels, height, width = features.shape
    # What `expand` repeats has no stride.
    own = [1 if stride == 0 else size for size, stride in zip(gate.shape, gate.stride(), strict=True)]
    if own[1:] == [channels, 1, 1] and height * width > 1:
        return GateKind.CHANNEL, gate[:, :, 0, 0].expand(count, channels).clone()
    if own[1:] == [1, height, width] and channels > 1 and height * width > 1:
        return GateKind.SPATIAL, gate[:, 0].expand(count, height, width).clone()
    return None


def read_output(output: object) -> tuple[GateKind, torch.Tensor] | None:
    """The kind and the values of a gate that a named module answered, by its shape; None for what has none of these."""
    if not isinstance(output, torch.Tensor):
        return None
    match output.shape:
        case (_, _) | (_, _, 1, 1):
            return GateKind.CHANNEL, output.detach().flatten(1).clone()
        case (count, height, width) | (count, 1, height, width):
            return GateKind.SPATIAL, output.detach().reshape(count, height, width).clone()
    return None


def group_gates(found: Sequence[FoundGate]) -> dict[str, BlockAttention]:
    """Put the gates that follow each other on the same features into one block, and name it by its path."""
    blocks: list[list[FoundGate]] = []
    for gate in found:
        if gate.is_next and blocks and gate.kind not in {known.kind for known in blocks[-1]}:
            blocks[-1].append(gate)
        else:
            blocks.append([gate])
    attentions: dict[str, BlockAttention] = {}
    for block in blocks:
        attentions[_name_block([gate.path for gate in block], attentions)] = _join(block)
    return attentions


def _name_block(paths: Sequence[str], taken: Mapping[str, object]) -> str:
    """The path that the gates have in common, in the characters that addresses have; numbered if it is taken."""
    parts = [path.split(".") for path in paths]
    common = takewhile(lambda names: len(set(names)) == 1, zip(*parts, strict=False))
    text = ".".join(names[0] for names in common) or WHOLE_NETWORK
    name = re.sub(r"[^A-Za-z0-9._-]", "_", text)
    numbered = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(free for free in numbered if free not in taken)


def _join(block: Sequence[FoundGate]) -> BlockAttention:
    by_kind = {gate.kind: gate.values for gate in block}
    first, last = block[0], block[-1]
    inside = None
    if first.before is not None and last.after is not None:
        inside = AttentionInside(first.before, last.after, (None, None), (None, None))
    return BlockAttention(by_kind.get(GateKind.CHANNEL), by_kind.get(GateKind.SPATIAL), inside=inside)


def _locate(tensor: torch.Tensor) -> int:
    """Where a tensor's values are in memory; the same for its views."""
    return tensor.untyped_storage().data_ptr()

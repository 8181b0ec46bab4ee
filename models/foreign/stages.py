"""Finding the stages of a network from one pass: the last maps of each resolution."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from models.foreign.recording import Recording
from models.names import Stage

POOLING = (
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.LPPool2d,
    nn.FractionalMaxPool2d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
    nn.Upsample,
)
"""Modules whose results are others' maps at another size."""


@dataclass(slots=True, eq=False)
class Call:
    """One call of a module.

    Attributes:
        path: the module's.
        around: the calls inside of which it ran, the outermost first.
        received, answered: the side of a square map that came in and that went out; None for anything else.
        answer: what it answered; kept, so that the same tensor can be recognised.
        sizes: of all maps that were answered inside of it, its own included.
    """

    path: str
    around: tuple["Call", ...]
    received: int | None
    answered: int | None = None
    answer: object = None
    sizes: set[int] = field(default_factory=set)

    @property
    def shrinks_once(self) -> bool:
        """Whether it receives a map and answers a smaller one with no third size between them."""
        if self.received is None or self.answered is None or self.answered >= self.received:
            return False
        return self.sizes == {self.received, self.answered}


class CallRecording(Recording):
    """Notes every call of one pass over a square picture."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._open: list[Call] = []

    def enter(self, path: str, received: object) -> None:
        """See `Recording.enter`."""
        super().enter(path, received)
        self._open.append(Call(path, tuple(self._open), measure_map(received)))

    def note(self, path: str, answer: object) -> None:
        """See `Recording.note`."""
        del path
        call = self._open.pop()
        call.answered, call.answer = measure_map(answer), answer
        if call.answered is not None:
            for around in (*call.around, call):
                around.sizes.add(call.answered)
        self.calls.append(call)


def measure_map(value: object) -> int | None:
    """The side of a square map of features, (N, C, H, H) with C > 1 and H > 1; None for anything else.

    A spatial gate has one channel, and what is not square has its channels elsewhere, as in a Swin transformer.
    """
    if not isinstance(value, torch.Tensor) or value.ndim != 4:
        return None
    _, channels, height, width = value.shape
    return height if height == width > 1 and channels > 1 else None


def find_stages(network: nn.Module, calls: Sequence[Call]) -> dict[str, Stage]:
    """Find the module that answers the last map of each of the last four sizes, as long as the maps shrink.

    Only modules that run once count, and neither pooling nor what is inside of a module that shrinks its map: the first
    convolution of a bottleneck that halves the map works on the larger one, but belongs to the next stage. In an
    encoder with a decoder, the stages are the encoder's.

    Args:
        network: the network.
        calls: of one pass over a square picture, in the order in which they ended.

    Returns:
        The stage of each path; the deepest is stage 4.

    Raises:
        ValueError: no module answers a map.
    """
    maps = _list_maps(network, calls)
    if not maps:
        raise ValueError(
            f"no module of {type(network).__name__} answers a map, (N, C, H, W) with more than one position; give "
            "stages=[...], the paths of modules that do (a vision transformer has none)"
        )
    deepest = min(size for size, _ in maps)
    end = max(position for position, (size, _) in enumerate(maps) if size == deepest)
    # Later ones of a size replace earlier ones.
    ends = dict(maps[: end + 1])
    sizes = sorted(ends, reverse=True)[-len(Stage) :]
    stages = list(Stage)[-len(sizes) :]
    return {ends[size]: stage for size, stage in zip(sizes, stages, strict=True)}


def _list_maps(network: nn.Module, calls: Sequence[Call]) -> list[tuple[int, str]]:
    """The side and the path of each map that may end a stage, in the order in which they were made."""
    counts = Counter(call.path for call in calls)
    modules = {call.path: network.get_submodule(call.path) for call in calls}
    pooled = {id(call.answer) for call in calls if isinstance(modules[call.path], POOLING)}

    def is_border(call: Call, side: int) -> bool:
        # A plain sequence of layers may hold a whole network, and has no block's meaning.
        return call.shrinks_once and call.received == side and type(modules[call.path]) is not nn.Sequential

    return [
        (call.answered, call.path)
        for call in calls
        if call.answered is not None
        and call.path
        and counts[call.path] == 1
        and id(call.answer) not in pooled
        and not any(is_border(around, call.answered) for around in call.around)
    ]

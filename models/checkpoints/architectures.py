"""Which architecture tensors belong to: every one is built without memory, and names and shapes are compared."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from torch.overrides import TorchFunctionMode

from models.checkpoints.checking import Misfit, compare_shapes
from models.checkpoints.diagnosis import CheckpointError
from models.insertion.building import build_any_network
from models.names import Attention
from models.networks.zoo import ARCHITECTURES, RESIDUAL_NETWORKS

LAST_LAYERS = ("fc.weight", "classifier.6.weight")
"""Of residual networks and MobileNet, of VGG."""

COUNTER = ".num_batches_tracked"
"""How many batches a BatchNorm has seen; torch before 0.4.1 did not save it."""


def count_classes(shapes: Mapping[str, torch.Size]) -> int:
    """Rows of the last layer.

    Raises:
        CheckpointError: for a file without one.
    """
    for name in LAST_LAYERS:
        if len(shapes.get(name, ())) == 2 and shapes[name][0] > 0:
            return shapes[name][0]
    raise CheckpointError(f"it has no last layer ({' or '.join(LAST_LAYERS)}); save the whole network's state_dict()")


def count_last_rows(shapes: Mapping[str, torch.Size]) -> int:
    """Rows of the last linear layer outside of attention: the classes of a network that the zoo does not name.

    Raises:
        CheckpointError: for a file without a linear layer.
    """
    rows = [shape[0] for name, shape in shapes.items() if len(shape) == 2 and ".cbam." not in name]
    if not rows:
        raise CheckpointError("it has no linear layer; save the whole network's state_dict()")
    return rows[-1]


def check_torchvision(architecture: str) -> None:
    """Refuse a name that torchvision has not, or whose network has no stages; raises `CheckpointError`."""
    try:
        build_shapes(architecture, Attention.NONE, 1)
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{architecture} was asked for: {error.args[0]}") from error


def find_architecture(
    shapes: Mapping[str, torch.Size],
    *,
    attention: Attention,
    class_count: int,
    origins: Mapping[str, str],
    expected: str | None = None,
) -> str:
    """The architecture that fits.

    Args:
        shapes: the file's tensors in our names.
        attention: what stands at the end of each block.
        class_count: rows of the last layer.
        origins: the file's own names by ours.
        expected: the architecture to compare with where none fits; None for the nearest.

    Raises:
        CheckpointError: where none fits, naming the nearest and what differs.
    """
    found = leave_out_counters(shapes)
    misfits: dict[str, Misfit] = {}
    candidates = RESIDUAL_NETWORKS if attention is Attention.BAM else ARCHITECTURES
    for architecture in candidates:
        weights = leave_out_counters(build_shapes(architecture, attention, class_count))
        misfits[architecture] = compare_shapes(weights, found, origins=origins)
        if not misfits[architecture]:
            return architecture
    nearest = expected or min(misfits, key=lambda architecture: len(misfits[architecture]))
    raise CheckpointError(
        f"no network here has these {len(found):,} weights; {'' if expected else 'the nearest is '}{nearest} with "
        f"attention {attention} differs in {len(misfits[nearest]):,}: {misfits[nearest]}"
    )


def leave_out_counters(shapes: Mapping[str, torch.Size]) -> dict[str, torch.Size]:
    """All but what an old file may lack."""
    return {name: shape for name, shape in shapes.items() if not name.endswith(COUNTER)}


class WithoutValues(TorchFunctionMode):
    """Leaves out the random values of a network that has no memory for them.

    On the meta device `normal_` imports torch's compiler, which takes 4 seconds.
    """

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        return args[0] if func is torch.Tensor.normal_ else func(*args, **(kwargs or {}))


@lru_cache(maxsize=64)
def build_shapes(architecture: str, attention: Attention, class_count: int) -> Mapping[str, torch.Size]:
    """Every tensor of a network by name, without a network in memory."""
    with torch.device("meta"), WithoutValues():
        network = build_any_network(architecture, attention=attention, class_count=class_count)
    return {name: tensor.shape for name, tensor in network.state_dict().items()}

"""Which architecture tensors belong to: every one is built without memory, and names and shapes are compared."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from models.checkpoints.checking import Misfit, compare_shapes
from models.checkpoints.diagnosis import CheckpointError
from models.insertion.building import build_any_network
from models.names import Attention
from models.networks.zoo import ARCHITECTURES, RESIDUAL_NETWORKS, TORCHVISION

LAST_LAYERS = ("fc.weight", "classifier.6.weight")
"""Of residual networks and MobileNet, of VGG."""

COUNTER = ".num_batches_tracked"
"""How many batches a BatchNorm has seen; torch before 0.4.1 did not save it."""


TORCHVISION_SIZES = {
    "alexnet": 16, "vgg11": 22, "vgg13": 26, "vgg16": 32, "vgg19": 38, "squeezenet1_0": 52, "squeezenet1_1": 52,
    "vgg11_bn": 54, "vgg13_bn": 66, "vgg16_bn": 84, "vgg19_bn": 102, "convnext_tiny": 182, "mobilenet_v3_small": 210,
    "mnasnet0_5": 262, "mnasnet0_75": 262, "mnasnet1_0": 262, "mnasnet1_3": 262, "mobilenet_v2": 262,
    "mobilenet_v3_large": 266, "regnet_x_800mf": 267, "wide_resnet50_2": 267, "resnext50_32x4d": 267,
    "shufflenet_v2_x0_5": 282, "shufflenet_v2_x1_0": 282, "shufflenet_v2_x1_5": 282, "shufflenet_v2_x2_0": 282,
    "regnet_y_800mf": 293, "regnet_x_1_6gf": 297, "googlenet": 305, "efficientnet_b0": 311, "regnet_y_400mf": 331,
    "convnext_base": 344, "convnext_large": 344, "convnext_small": 344, "regnet_y_8gf": 350, "regnet_x_16gf": 357,
    "regnet_x_400mf": 357, "regnet_y_16gf": 369, "regnet_x_32gf": 372, "regnet_x_8gf": 372, "regnet_x_3_2gf": 402,
    "regnet_y_32gf": 407, "regnet_y_3_2gf": 426, "efficientnet_b1": 439, "efficientnet_b2": 439, "inception_v3": 484,
    "efficientnet_b3": 496, "resnext101_32x8d": 522, "resnext101_64x4d": 522, "wide_resnet101_2": 522,
    "regnet_y_1_6gf": 540, "densenet121": 606, "efficientnet_b4": 610, "efficientnet_v2_s": 672, "efficientnet_b5": 738,
    "resnet152": 777, "densenet161": 806, "densenet169": 846, "efficientnet_b6": 852, "efficientnet_v2_m": 963,
    "densenet201": 1006, "efficientnet_b7": 1037, "efficientnet_v2_l": 1331,
}  # fmt: skip
"""torchvision's classifiers with convolutions, and the number of their tensors without counters: building all of them
takes half a minute, so only those of the right size are built and compared."""


def count_classes(shapes: Mapping[str, torch.Size]) -> int:
    """Rows of the last layer.

    Raises:
        CheckpointError: for a file without one.
    """
    for name in LAST_LAYERS:
        if len(shapes.get(name, ())) == 2 and shapes[name][0] > 0:
            return shapes[name][0]
    if inner := sorted({name.split(".")[1] for name in shapes if name.startswith("fc.") and name.count(".") > 1}):
        layers = " and ".join(f"fc.{part}" for part in inner)
        raise CheckpointError(f"its head is a network of its own ({layers}); save one with a single linear layer")
    raise CheckpointError(f"it has no last layer ({' or '.join(LAST_LAYERS)}); save the whole network's state_dict()")


def count_last_rows(shapes: Mapping[str, torch.Size]) -> int:
    """Rows of the last linear layer outside of attention: the classes of a network that the zoo does not name.

    Raises:
        CheckpointError: for a file without a linear layer.
    """
    rows = [shape[0] for name, shape in shapes.items() if len(shape) == 2 and ".cbam." not in name]
    # SqueezeNet's is a convolution of one position.
    rows = rows or [shape[0] for shape in shapes.values() if shape[2:] == (1, 1)]
    if not rows:
        raise CheckpointError("it has no linear layer; save the whole network's state_dict()")
    return rows[-1]


def find_torchvision(shapes: Mapping[str, torch.Size], *, origins: Mapping[str, str]) -> str | None:
    """The torchvision classifier that fits, without attention; None if there is none.

    Args:
        shapes: the file's tensors in our names.
        origins: the file's own names by ours.
    """
    found = leave_out_counters(shapes)
    for name, count in TORCHVISION_SIZES.items():
        if count == len(found):
            architecture = TORCHVISION + name
            try:
                built = build_shapes(architecture, Attention.NONE, count_last_rows(shapes))
            except ValueError as error:
                raise CheckpointError(f"it looks like {architecture}: {error}") from error
            weights = leave_out_counters(built)
            if not compare_shapes(weights, found, origins=origins):
                return architecture
    return None


def check_torchvision(architecture: str) -> None:
    """Refuse a name that torchvision has not, or whose network has no stages; raises `CheckpointError`."""
    try:
        build_shapes(architecture, Attention.NONE, 1)
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{architecture} was asked for: {error.args[0]}") from error


def find_architecture(  # noqa: PLR0913  # what the file and the user say of it
    shapes: Mapping[str, torch.Size],
    *,
    attention: Attention,
    class_count: int,
    origins: Mapping[str, str],
    expected: str | None = None,
    stated: str | None = None,
) -> str:
    """The architecture that fits.

    Args:
        shapes: the file's tensors in our names.
        attention: what stands at the end of each block.
        class_count: rows of the last layer.
        origins: the file's own names by ours.
        expected: the architecture to compare with where none fits; None for the nearest.
        stated: the architecture to try first, since building all of them takes seconds.

    Raises:
        CheckpointError: where none fits, naming the nearest and what differs.
    """
    found = leave_out_counters(shapes)
    misfits: dict[str, Misfit] = {}
    candidates = RESIDUAL_NETWORKS if attention is Attention.BAM else ARCHITECTURES
    for architecture in sorted(candidates, key=lambda name: name not in (expected, stated)):
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
        if func is torch.Tensor.normal_:
            return args[0]
        named = kwargs or {}
        # torch.nn.init asks about its own function, with the tensor by name, and not about `normal_` in it.
        if getattr(func, "__module__", None) == nn.init.__name__:
            return named["tensor"]
        return func(*args, **named)


@lru_cache(maxsize=64)
def build_shapes(architecture: str, attention: Attention, class_count: int) -> Mapping[str, torch.Size]:
    """Every tensor of a network by name, without a network in memory."""
    try:
        with torch.device("meta"), WithoutValues():
            network = build_any_network(architecture, attention=attention, class_count=class_count)
    except NotImplementedError:
        # RegNet computes its widths with tensors.
        network = build_any_network(architecture, attention=attention, class_count=class_count)
    return {name: tensor.shape for name, tensor in network.state_dict().items()}

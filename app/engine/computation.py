"""Forward and backward passes on a lineup's device, from arrays to arrays.

The input arrays may be shared and read-only, so torch gets copies. The results are read-only.
"""

from collections.abc import Sequence

import numpy as np
import torch

from app.engine.memory import allocate_kept
from app.engine.traces import GradientTarget, NetworkTrace
from app.errors import EngineFailed
from app.explain.attention_maps import read_attention_maps
from app.explain.cam import score_gradient
from app.explain.maps import FloatArray
from models.attention.interventions import Intervention
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage
from models.networks.trace import Trace


def move_pictures(lineup: Lineup, pictures: Sequence[FloatArray]) -> torch.Tensor:
    """Move pictures of one shape, (3, H, W), to the lineup's device as a batch, (N, 3, H, W)."""
    batch = torch.from_numpy(np.stack(pictures))  # (N, 3, H, W)
    if lineup.device.type == "cuda":
        batch = batch.pin_memory()
    return batch.to(lineup.device, non_blocking=True, memory_format=torch.channels_last)


def move_picture(lineup: Lineup, values: FloatArray) -> torch.Tensor:
    """Move one picture, (3, H, W), to the lineup's device as a batch, (1, 3, H, W)."""
    return torch.tensor(values, device=lineup.device)[None]


def trace_network(
    lineup: Lineup, name: NetworkName, batch: torch.Tensor, interventions: Sequence[Intervention] = ()
) -> list[NetworkTrace]:
    """Run one forward pass of one network.

    Args:
        lineup: the networks.
        name: the network's name.
        batch: normalised pictures on the lineup's device, (N, 3, H, W).
        interventions: changes to the network's gates.

    Returns:
        One trace per picture.

    Raises:
        EngineFailed: for logits that are not finite.
    """
    network = lineup.networks[name]
    with torch.no_grad():
        trace = network.trace(batch.to(network.dtype), interventions=interventions)
    # One transfer per tensor for the whole batch, and one wait for the device.
    trace = _to_cpu(trace)
    if not torch.isfinite(trace.logits).all():
        raise EngineFailed(f"the {name} network computed values that are not finite; check its weights")
    return [
        NetworkTrace(
            logits=_to_array(trace.logits[position]),
            features={stage: _to_array(features[position]) for stage, features in trace.features.items()},
            blocks=read_attention_maps(trace, position=position),
            temperature=lineup.card.find_temperature(name),
            activation=lineup.card.activation,
        )
        for position in range(len(batch))
    ]


def differentiate(  # noqa: PLR0913  # what the gradient depends on
    lineup: Lineup,
    name: NetworkName,
    features: FloatArray,
    target: GradientTarget,
    interventions: Sequence[Intervention] = (),
    *,
    values: FloatArray | None = None,
) -> FloatArray:
    """The gradient of a class's score with respect to one network's features.

    Args:
        lineup: the networks.
        name: the network's name.
        features: the output of the target's stage, (C, H, W).
        target: the class and the stage.
        interventions: the changes to the gates, the same as when the features were computed.
        values: the normalised picture, (3, H, W), for a lineup whose card says that it is needed.

    Returns:
        d score / d features, (C, H, W).
    """
    network = lineup.networks[name]
    batch = torch.tensor(features, device=lineup.device, dtype=network.dtype)[None]  # (1, C, H, W)
    classes = torch.tensor([target.class_index], device=lineup.device)
    pictures = None
    if lineup.card.needs_input and values is not None:
        pictures = move_picture(lineup, values).to(network.dtype)  # (1, 3, H, W)
    gradient = score_gradient(
        network,
        batch,
        stage=target.stage,
        class_indices=classes,
        interventions=interventions,
        batch=pictures,
        against=torch.tensor([target.against], device=lineup.device) if target.against else None,
    )
    return _to_array(gradient[0])


def classify_directions(
    lineup: Lineup, name: NetworkName, directions: FloatArray, shape: tuple[int, int], values: FloatArray | None
) -> FloatArray:
    """The logits of feature maps that are the same at each position.

    Args:
        lineup: the networks.
        name: the network's name.
        directions: one vector of the last stage's features for each map, (k, C).
        shape: the maps' height and width; a head that takes the mean over positions gives the same for all.
        values: the normalised picture, (3, H, W), for a lineup whose card says that it is needed.

    Returns:
        (k, K).
    """
    network = lineup.networks[name]
    pictures = None
    if lineup.card.needs_input and values is not None:
        pictures = move_picture(lineup, values).to(network.dtype).expand(len(directions), -1, -1, -1)  # (k, 3, H, W)
    vectors = torch.tensor(directions, device=lineup.device, dtype=network.dtype)
    features = vectors[:, :, None, None].expand(*vectors.shape, *shape).contiguous()  # (k, C, H, W)
    with torch.no_grad():
        return _to_array(network.resume(features, after=Stage.FOUR, batch=pictures))


def _to_cpu(trace: Trace) -> Trace:
    def move(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to("cpu", torch.float32, non_blocking=True)

    moved = Trace(
        logits=move(trace.logits),
        features={stage: move(features) for stage, features in trace.features.items()},
        attentions={name: gates.map(move) for name, gates in trace.attentions.items()},
    )
    if trace.logits.is_cuda:
        torch.cuda.current_stream(trace.logits.device).synchronize()
    return moved


def _to_array(tensor: torch.Tensor) -> FloatArray:
    # A copy, because one picture of a batch would keep the memory of all of them.
    array = allocate_kept(tensor.shape)
    torch.from_numpy(array).copy_(tensor.detach())
    array.flags.writeable = False
    return array

"""What a device computes: traces of pictures, gradients of scores, with gates changed or weights forgotten.

Only the engine's worker calls this; nothing here waits or knows of a queue. Arrays that come in may be others' and not
writable: torch gets copies.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from app.engine.work import (
    AlteredAnswer,
    AlteredWork,
    ForgottenAnswer,
    ForgottenWork,
    NetworkTrace,
    OpenedWork,
    PairGradient,
    PairTrace,
    PictureAnswer,
    PictureWork,
    Question,
)
from app.errors import EngineFailed
from app.explain.attention_maps import read_attention_maps, read_open_block
from app.explain.cam import score_gradient
from app.explain.maps import FloatArray, OpenBlock
from models.attention.interventions import Intervention
from models.lineups.pair import NetworkPair
from models.names import NetworkName
from models.networks.randomisation import randomise
from models.networks.trace import Trace


def compute_pictures(works: Sequence[PictureWork]) -> list[PictureAnswer]:
    """One forward pass of each network for pictures of one pair and one shape, and what is asked about each."""
    pair = works[0].pair
    batch = torch.from_numpy(np.stack([work.values for work in works]))  # (N, 3, H, W)
    if pair.device.type == "cuda":
        batch = batch.pin_memory()
    batch = batch.to(pair.device, non_blocking=True, memory_format=torch.channels_last)
    traced = {name: _trace_network(pair, name, batch) for name in NetworkName}
    pictures = [{name: traces[position] for name, traces in traced.items()} for position in range(len(works))]
    return [
        (traces, None if work.question is None else answer_question(pair, traces, work.question))
        for work, traces in zip(works, pictures, strict=True)
    ]


def answer_question(pair: NetworkPair, traces: PairTrace, question: Question) -> PairGradient:
    """Both networks' gradients on a picture that was traced before."""
    class_index = question.class_index
    if class_index is None:
        class_index = int(traces[NetworkName.BASELINE].logits.argmax())
    asked = Question(question.stage, class_index)
    gradients = {
        name: _differentiate(pair, name, trace.features[question.stage], asked) for name, trace in traces.items()
    }
    return PairGradient(class_index, gradients)


def alter(work: AlteredWork) -> AlteredAnswer:
    """The trace of the network with attention whose gates are changed, and the gradient where one is wanted."""
    name, pair = NetworkName.CBAM, work.pair
    batch = torch.tensor(work.values, device=pair.device)[None]  # (1, 3, H, W)
    (trace,) = _trace_network(pair, name, batch, work.interventions)
    if work.question is None or work.question.class_index is None:
        return trace, None
    features = trace.features[work.question.stage]
    return trace, _differentiate(pair, name, features, work.question, work.interventions)


def forget(work: ForgottenWork) -> ForgottenAnswer:
    """Both networks' features and gradients after part of their weights became random."""
    answers = {}
    batch = torch.tensor(work.values, device=work.pair.device)[None]  # (1, 3, H, W)
    for name, network in work.pair.networks.items():
        pair = replace(work.pair, networks={name: randomise(network, work.extent)})
        (trace,) = _trace_network(pair, name, batch)
        features = trace.features[work.question.stage]
        answers[name] = (features, _differentiate(pair, name, features, work.question))
    return answers


def open_block(work: OpenedWork) -> OpenBlock:
    """What the attention of one block saw and did, with the feature maps of its strongest and weakest channels."""
    network = work.pair.networks[NetworkName.CBAM]
    batch = torch.tensor(work.values, device=work.pair.device, dtype=network.dtype)[None]  # (1, 3, H, W)
    with torch.no_grad():
        trace = network.trace(batch, stages=(), interventions=work.interventions, opened=work.block)
    return read_open_block(work.block, trace.attentions[work.block])


def _trace_network(
    pair: NetworkPair, name: NetworkName, batch: torch.Tensor, interventions: Sequence[Intervention] = ()
) -> list[NetworkTrace]:
    """One forward pass; one trace a picture."""
    network = pair.networks[name]
    with torch.no_grad():
        trace = network.trace(batch.to(network.dtype), interventions=interventions)
    # One transfer a tensor for the whole batch, and one wait for the device.
    trace = _to_cpu(trace)
    if not torch.isfinite(trace.logits).all():
        raise EngineFailed(f"the {name} network answered with values that are not finite; check its weights")
    return [
        NetworkTrace(
            logits=_to_array(trace.logits[position]),
            features={stage: _to_array(features[position]) for stage, features in trace.features.items()},
            blocks=read_attention_maps(trace, position=position),
        )
        for position in range(len(batch))
    ]


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


def _differentiate(
    pair: NetworkPair,
    name: NetworkName,
    features: FloatArray,
    question: Question,
    interventions: Sequence[Intervention] = (),
) -> FloatArray:
    network = pair.networks[name]
    batch = torch.tensor(features, device=pair.device, dtype=network.dtype)[None]  # (1, C, H, W)
    classes = torch.tensor([question.class_index], device=pair.device)
    gradient = score_gradient(network, batch, stage=question.stage, class_indices=classes, interventions=interventions)
    return _to_array(gradient[0])


def _to_array(tensor: torch.Tensor) -> FloatArray:
    array: FloatArray = tensor.detach().float().cpu().contiguous().numpy()
    array.flags.writeable = False
    return array

"""The first look at a user's network: it has to run on an example picture, and its stages and gates are found there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from models.attention.gates import BlockAttention
from models.foreign.description import InputForm, Reading
from models.foreign.network import ForeignNetwork
from models.foreign.recording import record
from models.foreign.stages import CallRecording, find_stages
from models.names import Stage
from models.networks.staged import StagedNetwork

SEED = 20181008


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A network that has run once; `StagedNetwork`, because those that tell their stages themselves need no watching.

    Attributes:
        network: ready to be traced.
        class_count: K.
        stages: those that it has.
        blocks: the names of the blocks whose gates were found or named.
        is_fixed_size: whether it refuses a picture that is not square.
    """

    network: StagedNetwork
    class_count: int
    stages: tuple[Stage, ...]
    blocks: tuple[str, ...]
    is_fixed_size: bool


def examine(module: nn.Module, reading: Reading, form: InputForm) -> Examined:
    """Copy a network, run it on noise, and find its stages and its gates.

    Args:
        module: the user's network, on any device; it is not changed.
        reading: how it is run, and where its maps are.
        form: its input.

    Raises:
        ValueError: the network does not run, does not answer (N, K), or a named stage or gate is none; the message says
            what to give.
    """
    network = ForeignNetwork(module, reading, form)
    example = _make_example(network)
    recording = CallRecording()
    with torch.no_grad(), record(recording):
        scores = _run(network, example)
    network.stages = _name_stages(network.module, recording, reading.stages)
    with torch.no_grad():
        trace = network.trace(example)
    _check_stages(network, trace.features)
    _check_gates(network, trace.attentions)
    return Examined(
        network=network,
        class_count=scores.shape[1],
        stages=tuple(sorted(trace.features)),
        blocks=tuple(trace.attentions),
        is_fixed_size=not _accepts(network, example),
    )


def _make_example(network: ForeignNetwork) -> torch.Tensor:
    """Noise, (2, 3, H, H): two pictures, so that a network that mixes them is found out."""
    side = network.probe_side
    noise = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(SEED))
    parameter = next(network.parameters())
    return noise.to(device=parameter.device, dtype=parameter.dtype)


def _run(network: ForeignNetwork, example: torch.Tensor) -> torch.Tensor:
    kind, side = type(network.module).__name__, example.shape[-1]
    try:
        output = network.run(example)
        scores = output if network.reading.score is None else network.reading.score(output)
    except Exception as error:  # the user's code may raise anything
        raise ValueError(
            f"{kind} does not run on pictures of {network.form.channels} x {side} x {side} ({error}); give "
            "preprocessing= with its resolution and one mean per channel, or head= if it has several inputs"
        ) from error
    if isinstance(scores, torch.Tensor) and scores.ndim == 2 and scores.shape[0] == len(example):
        return scores
    got = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
    remedy = "give head=, which chooses one of several outputs, or score=, which makes one score per class"
    raise ValueError(f"{kind} answers {got} for two pictures, and (2, K) is needed: one score per class; {remedy}")


def _name_stages(module: nn.Module, recording: CallRecording, named: Sequence[str] | None) -> Mapping[str, Stage]:
    if named is None:
        return find_stages(module, recording.calls)
    if not 1 <= len(named) <= len(Stage) or len(set(named)) < len(named):
        raise ValueError(
            f"stages has {len(named)} paths; give one to four different ones, in the order in which they run"
        )
    paths = [call.path for call in recording.calls]
    for path in named:
        if (count := paths.count(path)) != 1:
            known = ", ".join([name for name, _ in module.named_children()][:20])
            raise ValueError(
                f"stages names {path!r}, which runs {count} times; name a module that runs once, such as one of {known}"
            )
    return dict(zip(named, list(Stage)[-len(named) :], strict=True))


def _check_stages(network: ForeignNetwork, features: Mapping[Stage, torch.Tensor]) -> None:
    for path, stage in network.stages.items():
        shape = tuple(features[stage].shape) if stage in features else None
        if shape is None or len(shape) != 4 or shape[2] * shape[3] == 1:
            got = "no tensor" if shape is None else str(shape)
            raise ValueError(
                f"stages names {path!r}, which answers {got}; a stage's output is (N, C, H, W) with more than one "
                "position"
            )


def _check_gates(network: ForeignNetwork, attentions: Mapping[str, BlockAttention]) -> None:
    """Check that every named path is a gate; found ones are."""
    named, modules = network.named_gates, dict(network.module.named_modules())
    for path, block in named.items():
        if path not in modules:
            raise ValueError(f"gates names {path!r} for {block!r}, and there is no such module")
    for block in set(named.values()):
        gates = attentions.get(block)
        values = [] if gates is None else [part for part in (gates.channel, gates.spatial) if part is not None]
        if not values:
            raise ValueError(
                f"gates: no module of {block!r} answers a gate, (N, C), (N, C, 1, 1), (N, H, W) or (N, 1, H, W); name "
                "the module that computes the sigmoid"
            )
        low, high = (min(float(part.min()) for part in values), max(float(part.max()) for part in values))
        if low < 0 or high > 1:
            raise ValueError(f"gates: the values of {block!r} are {low:.3g} to {high:.3g}; a gate's lie in 0..1")


def _accepts(network: ForeignNetwork, example: torch.Tensor) -> bool:
    """Whether a picture twice as wide as high is accepted, with the same number of scores."""
    wide = torch.cat([example, example], dim=3)  # (2, 3, H, 2H)
    try:
        with torch.no_grad():
            return network.answer(wide).shape == network.answer(example).shape
    except Exception:  # the user's code may raise anything, and that it does is the answer
        return False

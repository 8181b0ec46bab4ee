"""Work for the device, with one short class per kind, which defines how to compute and batch it.

The engine does not know the kinds, so a new kind needs only a new class here. Nothing here waits or uses a queue.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Self, TypeVar

import torch

from app.engine.computation import classify_directions, differentiate, move_picture, move_pictures, trace_network
from app.engine.traces import Evidence, GradientTarget, LineupGradient, LineupTrace, NetworkTrace, find_first_class
from app.errors import InvalidOption
from app.explain.attention_maps import read_open_block
from app.explain.maps import FloatArray, OpenBlock
from app.explain.scored import score_channels
from models.attention.interventions import Intervention
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage
from models.networks.randomisation import Randomisation, randomise

AnswerType = TypeVar("AnswerType")


@dataclass(frozen=True, slots=True, eq=False)
class Work(ABC, Generic[AnswerType]):
    """One piece of work, with all its inputs.

    Attributes:
        lineup: the networks.
    """

    lineup: Lineup

    @property
    def batch_key(self) -> Hashable | None:
        """Work of one class with equal keys can share a batch; None for work that cannot."""
        return None

    @abstractmethod
    def compute(self) -> AnswerType:
        """Compute the answer; only the engine's worker calls this."""

    @classmethod
    def compute_together(cls, batch: Sequence[Self]) -> Sequence[AnswerType]:
        """Compute the answers to a batch of one key, in its order."""
        return [work.compute() for work in batch]


class TracedPicture(NamedTuple):
    """The answer to `PictureWork`.

    Attributes:
        traces: each network's trace.
        gradient: the gradients of the class's score; empty if the work has no stage.
    """

    traces: LineupTrace
    gradient: LineupGradient


@dataclass(frozen=True, slots=True, eq=False)
class PictureWork(Work[TracedPicture]):
    """Trace a picture through every network and, in the same job, explain a class.

    Attributes:
        values: the normalised picture, (3, H, W).
        stage: the stage whose output is explained; None for the trace alone.
        class_index: the class, 0..K-1; None for the networks' top guess, see `find_first_class`.
    """

    values: FloatArray
    stage: Stage | None = None
    class_index: int | None = None

    @property
    def batch_key(self) -> Hashable:
        """Pictures of one lineup and one shape share a batch."""
        return (id(self.lineup), *self.values.shape)

    def compute(self) -> TracedPicture:
        """Compute the traces and the gradients."""
        return type(self).compute_together([self])[0]

    @classmethod
    def compute_together(cls, batch: Sequence[Self]) -> Sequence[TracedPicture]:
        """Run one forward pass per network for all pictures, then compute each picture's gradients."""
        lineup = batch[0].lineup
        pictures = move_pictures(lineup, [work.values for work in batch])
        traced = {name: trace_network(lineup, name, pictures) for name in lineup.names}
        return [
            work._explain({name: traces[position] for name, traces in traced.items()})
            for position, work in enumerate(batch)
        ]

    def _explain(self, traces: LineupTrace) -> TracedPicture:
        index = self.class_index
        if index is None:
            index = find_first_class(traces)
        if self.stage is None:
            return TracedPicture(traces, LineupGradient(index, {}))
        target = GradientTarget(self.stage, index)
        gradients = {
            name: differentiate(self.lineup, name, trace.features[target.stage], target, values=self.values)
            for name, trace in traces.items()
        }
        return TracedPicture(traces, LineupGradient(index, gradients))


@dataclass(frozen=True, slots=True, eq=False)
class GradientWork(Work[LineupGradient]):
    """Explain a class on an already traced picture.

    Attributes:
        features: by network, the output of the target's stage, (C, H, W).
        target: the class and the stage.
        values: the normalised picture, (3, H, W), where the lineup's card says that it is needed; else None.
    """

    features: Mapping[NetworkName, FloatArray]
    target: GradientTarget
    values: FloatArray | None = None

    def compute(self) -> LineupGradient:
        """Compute every network's gradient."""
        gradients = {
            name: differentiate(self.lineup, name, features, self.target, values=self.values)
            for name, features in self.features.items()
        }
        return LineupGradient(self.target.class_index, gradients)


@dataclass(frozen=True, slots=True, eq=False)
class ChangedTraceWork(Work[NetworkTrace]):
    """Trace a picture through one network, its gates changed.

    Attributes:
        network: which.
        values: the normalised picture, (3, H, W).
        interventions: the changes.
    """

    network: NetworkName
    values: FloatArray
    interventions: tuple[Intervention, ...]

    def compute(self) -> NetworkTrace:
        """Compute the trace, without its features, which take most of the memory."""
        return replace(self.trace(), features={})

    def trace(self) -> NetworkTrace:
        """Compute the whole trace."""
        batch = move_picture(self.lineup, self.values)  # (1, 3, H, W)
        (trace,) = trace_network(self.lineup, self.network, batch, self.interventions)
        return trace


@dataclass(frozen=True, slots=True, eq=False)
class ChangedMapWork(Work[tuple[NetworkTrace, Evidence]]):
    """Trace a picture through one network, its gates changed, and explain a class with it.

    Attributes:
        network: which.
        values: the normalised picture, (3, H, W).
        interventions: the changes.
        target: the class and the stage.
    """

    network: NetworkName
    values: FloatArray
    interventions: tuple[Intervention, ...]
    target: GradientTarget

    def compute(self) -> tuple[NetworkTrace, Evidence]:
        """Compute the trace, without its features, and the arrays for the heat map."""
        trace = ChangedTraceWork(self.lineup, self.network, self.values, self.interventions).trace()
        features = trace.features[self.target.stage]
        gradient = differentiate(
            self.lineup, self.network, features, self.target, self.interventions, values=self.values
        )
        return replace(trace, features={}), Evidence(features, gradient)


@dataclass(frozen=True, slots=True, eq=False)
class RandomisedWork(Work[Mapping[NetworkName, Evidence]]):
    """Explain a class with copies of the networks, part of whose weights are random.

    Attributes:
        values: the normalised picture, (3, H, W).
        target: the class and the stage.
        extent: the part of each network that is random.
    """

    values: FloatArray
    target: GradientTarget
    extent: Randomisation

    def compute(self) -> Mapping[NetworkName, Evidence]:
        """Compute each network's arrays for its heat map; only one copy exists at a time."""
        return {name: self._explain(name) for name in self.lineup.networks}

    def _explain(self, name: NetworkName) -> Evidence:
        copies = replace(self.lineup, networks={name: randomise(self.lineup.networks[name], self.extent)})
        (trace,) = trace_network(copies, name, move_picture(copies, self.values))
        features = trace.features[self.target.stage]
        return Evidence(features, differentiate(copies, name, features, self.target, values=self.values))


@dataclass(frozen=True, slots=True, eq=False)
class OpenedBlockWork(Work[OpenBlock]):
    """Look into one block of a network with gates.

    Attributes:
        network: which.
        values: the normalised picture, (3, H, W).
        block: the block's name, one of the network's.
        interventions: changes to the gates.
    """

    network: NetworkName
    values: FloatArray
    block: str
    interventions: tuple[Intervention, ...]

    def compute(self) -> OpenBlock:
        """Compute the inside of the block's attention, with feature maps of its strongest and weakest channels."""
        network = self.lineup.networks[self.network]
        batch = move_picture(self.lineup, self.values).to(network.dtype)  # (1, 3, H, W)
        with torch.no_grad():
            trace = network.trace(batch, stages=(), interventions=self.interventions, opened=self.block)
        attention = trace.attentions[self.block]
        if attention.inside is None:
            raise InvalidOption(
                f"block {self.block!r} cannot be opened: its gate is not multiplied with features itself, so that "
                "there is nothing before and after it; choose another block",
                option="block",
            )
        return read_open_block(self.block, attention)


@dataclass(frozen=True, slots=True, eq=False)
class ChannelsWork(Work[FloatArray]):
    """Score the picture under the masks of some channels, for Score-CAM.

    A map needs all channels of a stage. They come as several pieces of work, so that other requests are answered in
    between, and none is computed for a caller who has gone.

    Attributes:
        network: which.
        values: the normalised picture, (3, H, W).
        activations: the channels' activations, (M, h, w).
        class_index: the class, 0..K-1.
        interventions: changes to the gates, the same as when the activations were computed.
    """

    network: NetworkName
    values: FloatArray
    activations: FloatArray
    class_index: int
    interventions: tuple[Intervention, ...] = ()

    def compute(self) -> FloatArray:
        """Compute the class's logit for each channel, (M,)."""
        scores = score_channels(
            self.lineup.networks[self.network],
            move_picture(self.lineup, self.values),
            torch.tensor(self.activations, device=self.lineup.device),
            class_index=self.class_index,
            interventions=self.interventions,
        )
        values: FloatArray = scores.cpu().numpy()
        return values


@dataclass(frozen=True, slots=True, eq=False)
class ConceptsWork(Work[Mapping[NetworkName, FloatArray]]):
    """Classify each network's concepts.

    Attributes:
        directions: by network, the concepts as vectors of the last stage's features, (k, C).
        shape: height and width of the last stage's output.
        values: the normalised picture, (3, H, W), where the lineup's card says that it is needed; else None.
    """

    directions: Mapping[NetworkName, FloatArray]
    shape: tuple[int, int]
    values: FloatArray | None = None

    def compute(self) -> Mapping[NetworkName, FloatArray]:
        """Compute the logits of each network's concepts, (k, K)."""
        return {
            name: classify_directions(self.lineup, name, directions, self.shape, self.values)
            for name, directions in self.directions.items()
        }

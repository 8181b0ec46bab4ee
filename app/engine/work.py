"""Work for the device: one short class for each kind, which knows how it is computed and what it is batched with.

The engine knows no kinds: a new one is a new class here. Nothing here waits or knows of a queue.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Self, TypeVar

import torch

from app.engine.computation import differentiate, move_picture, move_pictures, trace_network
from app.engine.traces import Evidence, GradientTarget, LineupGradient, LineupTrace, NetworkTrace, find_first_class
from app.explain.attention_maps import read_open_block
from app.explain.maps import FloatArray, OpenBlock
from models.attention.interventions import Intervention
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage
from models.networks.randomisation import Randomisation, randomise

AnswerType = TypeVar("AnswerType")


@dataclass(frozen=True, slots=True, eq=False)
class Work(ABC, Generic[AnswerType]):
    """One thing to compute, with everything that it needs.

    Attributes:
        lineup: the networks.
    """

    lineup: Lineup

    @property
    def batch_key(self) -> Hashable | None:
        """Work of one class with equal keys shares a pass; None for work that is computed alone."""
        return None

    @abstractmethod
    def compute(self) -> AnswerType:
        """The answer; called by the engine's worker alone."""

    @classmethod
    def compute_together(cls, batch: Sequence[Self]) -> Sequence[AnswerType]:
        """The answers to a batch of one key, in its order."""
        return [work.compute() for work in batch]


class TracedPicture(NamedTuple):
    """The answer to `PictureWork`.

    Attributes:
        traces: what each network computed.
        gradient: of the class's score; without gradients where no stage was asked for.
    """

    traces: LineupTrace
    gradient: LineupGradient


@dataclass(frozen=True, slots=True, eq=False)
class PictureWork(Work[TracedPicture]):
    """Trace a picture through every network and, in the same place of the queue, explain a class.

    Attributes:
        values: the normalised picture, (3, H, W).
        stage: whose output is explained; None for the trace alone.
        class_index: the class, 0..K-1; None for the networks' top guess, see `find_first_class`.
    """

    values: FloatArray
    stage: Stage | None = None
    class_index: int | None = None

    @property
    def batch_key(self) -> Hashable:
        """One lineup and one shape."""
        return (id(self.lineup), *self.values.shape)

    def compute(self) -> TracedPicture:
        """The traces and the gradient."""
        return type(self).compute_together([self])[0]

    @classmethod
    def compute_together(cls, batch: Sequence[Self]) -> Sequence[TracedPicture]:
        """One forward pass of each network for all pictures, then each picture's own gradient."""
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
            name: differentiate(self.lineup, name, trace.features[target.stage], target)
            for name, trace in traces.items()
        }
        return TracedPicture(traces, LineupGradient(index, gradients))


@dataclass(frozen=True, slots=True, eq=False)
class GradientWork(Work[LineupGradient]):
    """Explain a class on a picture that was traced before.

    Attributes:
        features: by network, the output of the target's stage, (C, H, W).
        target: which gradient.
    """

    features: Mapping[NetworkName, FloatArray]
    target: GradientTarget

    def compute(self) -> LineupGradient:
        """Every network's gradient."""
        gradients = {
            name: differentiate(self.lineup, name, values, self.target) for name, values in self.features.items()
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
        """The trace without its features, which take most of the memory."""
        return replace(self.trace(), features={})

    def trace(self) -> NetworkTrace:
        """The whole trace."""
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
        target: which gradient.
    """

    network: NetworkName
    values: FloatArray
    interventions: tuple[Intervention, ...]
    target: GradientTarget

    def compute(self) -> tuple[NetworkTrace, Evidence]:
        """The trace without its features, and what the heat map is made from."""
        trace = ChangedTraceWork(self.lineup, self.network, self.values, self.interventions).trace()
        features = trace.features[self.target.stage]
        gradient = differentiate(self.lineup, self.network, features, self.target, self.interventions)
        return replace(trace, features={}), Evidence(features, gradient)


@dataclass(frozen=True, slots=True, eq=False)
class RandomisedWork(Work[Mapping[NetworkName, Evidence]]):
    """Explain a class with copies of the networks, part of whose weights are random.

    Attributes:
        values: the normalised picture, (3, H, W).
        target: which gradient.
        extent: how much of each network is random.
    """

    values: FloatArray
    target: GradientTarget
    extent: Randomisation

    def compute(self) -> Mapping[NetworkName, Evidence]:
        """Each network's evidence for its heat map; one copy exists at a time."""
        return {name: self._explain(name) for name in self.lineup.networks}

    def _explain(self, name: NetworkName) -> Evidence:
        copies = replace(self.lineup, networks={name: randomise(self.lineup.networks[name], self.extent)})
        (trace,) = trace_network(copies, name, move_picture(copies, self.values))
        features = trace.features[self.target.stage]
        return Evidence(features, differentiate(copies, name, features, self.target))


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
        """The inside of the block's attention, with feature maps of its strongest and weakest channels."""
        network = self.lineup.networks[self.network]
        batch = move_picture(self.lineup, self.values).to(network.dtype)  # (1, 3, H, W)
        with torch.no_grad():
            trace = network.trace(batch, stages=(), interventions=self.interventions, opened=self.block)
        return read_open_block(self.block, trace.attentions[self.block])

"""Questions about an analysis, with one short class per kind.

The fields of a question say whether two questions are equal. `make_work` makes the work that answers it; `read` turns
the result into the answer. `Lens.ask` looks for the answer in the cache, or computes and keeps it.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple, TypeVar

from app.analysis.analyses import Analysis
from app.engine.traces import Evidence, GradientTarget, LineupGradient, NetworkTrace
from app.engine.work import ChangedMapWork, ChangedTraceWork, GradientWork, OpenedBlockWork, RandomisedWork, Work
from app.explain.cam import compute_heat_map
from app.explain.maps import FloatArray, HeatMap, OpenBlock
from app.explain.methods import Method
from models.attention.interventions import Intervention
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage
from models.networks.randomisation import Randomisation

ResultType = TypeVar("ResultType")
AnswerType = TypeVar("AnswerType")

ReadInput = Callable[[Analysis], Awaitable[FloatArray]]
"""A function that decodes an analysis's picture again and returns the networks' input, (3, H, W)."""

HeatMaps = Mapping[NetworkName, HeatMap]


class Question(ABC, Generic[ResultType, AnswerType]):
    """A question about an analysis; equal ones have equal answers, so subclasses are frozen dataclasses.

    An answer must not refer to its analysis: the cache could then never drop either.

    Attributes:
        kept_answers: the number of answers to questions of this class that are kept per analysis.
        makes_maps: whether `read` takes long enough to run in a thread, as heat maps do.
    """

    kept_answers: ClassVar[int]
    makes_maps: ClassVar[bool] = True

    @abstractmethod
    async def make_work(self, lineup: Lineup, analysis: Analysis, read_input: ReadInput, /) -> Work[ResultType]:
        """Make the work for the engine."""

    @abstractmethod
    def read(self, analysis: Analysis, result: ResultType, /) -> AnswerType:
        """Make the answer from the work's result."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The class, method and stage of a heat map.

    Attributes:
        class_index: the class, 0..K-1.
        method: how features and gradient become a map.
        stage: the stage whose output is explained.
        against: the classes that Finer-CAM contrasts it with; none for other methods.
    """

    class_index: int
    method: Method
    stage: Stage
    against: tuple[int, ...] = ()

    @property
    def target(self) -> GradientTarget:
        """The gradient that the map is made from."""
        return GradientTarget(self.stage, self.class_index, self.against)

    def draw(self, evidence: Evidence) -> HeatMap:
        """One network's heat map."""
        return compute_heat_map(self.method, activation=evidence.features, gradient=evidence.gradient)


@dataclass(frozen=True, slots=True)
class LearnedMaps(Question[LineupGradient, HeatMaps]):
    """Where does each network look, as it was trained?"""

    kept_answers: ClassVar[int] = 64
    explanation: Explanation

    async def make_work(self, lineup: Lineup, analysis: Analysis, read_input: ReadInput, /) -> GradientWork:
        features = {name: trace.features[self.explanation.stage] for name, trace in analysis.traces.items()}
        values = await read_input(analysis) if lineup.card.needs_input else None
        return GradientWork(lineup, features, self.explanation.target, values)

    def read(self, analysis: Analysis, result: LineupGradient, /) -> HeatMaps:
        stage = self.explanation.stage
        return {
            name: self.explanation.draw(Evidence(trace.features[stage], result.gradients[name]))
            for name, trace in analysis.traces.items()
        }


@dataclass(frozen=True, slots=True)
class RandomisedMaps(Question[Mapping[NetworkName, Evidence], HeatMaps]):
    """Where does each network look when part of its weights is random?"""

    kept_answers: ClassVar[int] = 24
    explanation: Explanation
    extent: Randomisation

    async def make_work(self, lineup: Lineup, analysis: Analysis, read_input: ReadInput, /) -> RandomisedWork:
        return RandomisedWork(lineup, await read_input(analysis), self.explanation.target, self.extent)

    def read(self, _: Analysis, result: Mapping[NetworkName, Evidence], /) -> HeatMaps:
        return {name: self.explanation.draw(evidence) for name, evidence in result.items()}


@dataclass(frozen=True, slots=True)
class ChangedTrace(Question[NetworkTrace, NetworkTrace]):
    """How does a network answer when its gates are changed? Its features are not kept."""

    kept_answers: ClassVar[int] = 8
    makes_maps: ClassVar[bool] = False
    network: NetworkName
    interventions: tuple[Intervention, ...]

    async def make_work(self, lineup: Lineup, analysis: Analysis, read_input: ReadInput, /) -> ChangedTraceWork:
        return ChangedTraceWork(lineup, self.network, await read_input(analysis), self.interventions)

    def read(self, _: Analysis, result: NetworkTrace, /) -> NetworkTrace:
        return result


class ChangedNetwork(NamedTuple):
    """The answer of a network when its gates are changed, and its heat map."""

    trace: NetworkTrace
    heat_map: HeatMap


@dataclass(frozen=True, slots=True)
class ChangedMap(Question[tuple[NetworkTrace, Evidence], ChangedNetwork]):
    """Where does a network look when its gates are changed?"""

    kept_answers: ClassVar[int] = 24
    explanation: Explanation
    network: NetworkName
    interventions: tuple[Intervention, ...]

    async def make_work(self, lineup: Lineup, analysis: Analysis, read_input: ReadInput, /) -> ChangedMapWork:
        values = await read_input(analysis)
        return ChangedMapWork(lineup, self.network, values, self.interventions, self.explanation.target)

    def read(self, _: Analysis, result: tuple[NetworkTrace, Evidence], /) -> ChangedNetwork:
        trace, evidence = result
        return ChangedNetwork(trace, self.explanation.draw(evidence))


@dataclass(frozen=True, slots=True)
class OpenedBlock(Question[OpenBlock, OpenBlock]):
    """How do the gates of one block change its features?"""

    kept_answers: ClassVar[int] = 2
    makes_maps: ClassVar[bool] = False
    network: NetworkName
    block: str
    interventions: tuple[Intervention, ...]

    async def make_work(self, lineup: Lineup, analysis: Analysis, read_input: ReadInput, /) -> OpenedBlockWork:
        return OpenedBlockWork(lineup, self.network, await read_input(analysis), self.block, self.interventions)

    def read(self, _: Analysis, result: OpenBlock, /) -> OpenBlock:
        return result

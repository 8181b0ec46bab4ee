"""The comparison of the networks on one picture, which HTML, JSON, PNG and the command line render."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.analysis.analyses import Analysis
from app.analysis.classes import ChosenBy
from app.analysis.fit import PictureFit, judge_fit
from app.analysis.questions import Explanation
from app.engine.traces import average_probabilities, find_first_class
from app.explain.maps import FloatArray, HeatMap
from app.explain.methods import Method
from app.explain.metrics import HeatMapStatistics, MapComparison, compare_heat_maps, measure_heat_map
from models.attention.interventions import Intervention
from models.lineups.card import ClassLabel
from models.names import NetworkName, Stage


@dataclass(frozen=True, slots=True)
class Target:
    """The explained class, the same for all networks, and who chose it."""

    label: ClassLabel
    chosen_by: ChosenBy


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class and its softmax probability, 0..1."""

    label: ClassLabel
    probability: float


def rank_classes(probabilities: FloatArray, labels: Sequence[ClassLabel], *, count: int = 5) -> tuple[Prediction, ...]:
    """The `count` likeliest classes by probabilities, (K,), the likeliest first."""
    ranked = np.argsort(-probabilities, kind="stable")[:count]
    return tuple(Prediction(labels[index], float(probabilities[index])) for index in ranked)


@dataclass(frozen=True, slots=True)
class Difference:
    """One network's map minus another's."""

    of: NetworkName
    minus: NetworkName


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The networks' answers to one question about one picture.

    Attributes:
        analysis: the picture and its traces.
        labels: all classes, in index order.
        target: the explained class.
        method: the method that made the maps.
        stage: the stage whose output the maps explain.
        heat_maps: one map per network, (H, W), all of one shape.
        altered: the changes to gates, and the comparison without them; None for gates as learned.
        against: the classes that Finer-CAM contrasted the explained one with; none for other methods.
    """

    analysis: Analysis
    labels: tuple[ClassLabel, ...]
    target: Target
    method: Method
    stage: Stage
    heat_maps: Mapping[NetworkName, HeatMap]
    altered: "Altered | None" = None
    against: tuple[ClassLabel, ...] = ()

    @property
    def explanation(self) -> Explanation:
        """The class, method and stage of the maps."""
        against = tuple(label.index for label in self.against)
        return Explanation(self.target.label.index, self.method, self.stage, against)

    @property
    def shared_maximum(self) -> float:
        """The highest value of all maps, also of those that changed networks made with their learned gates."""
        return self.maximum_of(self.names)

    def maximum_of(self, names: Iterable[NetworkName]) -> float:
        """The highest value of these networks' maps, also of those that they made with their learned gates."""
        learned = {} if self.altered is None else self.altered.heat_maps
        return max(maps[name].maximum for maps in (self.heat_maps, learned) for name in names if name in maps)

    @property
    def names(self) -> tuple[NetworkName, ...]:
        """The networks' names in the lineup's order."""
        return self.analysis.card.names

    def find_map(self, name: NetworkName, *, as_learned: bool) -> HeatMap:
        """A network's map; with `as_learned` its map before its gates were changed, if they were."""
        maps = self.heat_maps if self.altered is None or not as_learned else self.altered.learned.heat_maps
        return maps[name]

    @property
    def mean_probabilities(self) -> FloatArray:
        """Each class's P, averaged over the networks, (K,), 0..1."""
        return average_probabilities(self.analysis.traces)

    @property
    def first_class(self) -> int:
        """The index of the class that the networks together find likeliest."""
        return find_first_class(self.analysis.traces)

    @property
    def learned(self) -> "Comparison":
        """The comparison without changes to gates; only its traces have features."""
        return self if self.altered is None else self.altered.learned

    @property
    def fit(self) -> PictureFit | None:
        """Whether any class fits the picture, by the networks as learned; None for a lineup without a threshold."""
        return judge_fit(self.learned.analysis.traces, self.learned.analysis.card.fit)

    def compare_maps(self, difference: Difference) -> MapComparison:
        """Numbers that compare two networks' maps."""
        first, second = self.heat_maps[difference.minus], self.heat_maps[difference.of]
        return compare_heat_maps(first, second, self.analysis.placement)

    def is_altered(self, name: NetworkName) -> bool:
        """Whether gates of this network were changed."""
        return self.altered is not None and name in self.altered.networks

    def statistics(self, name: NetworkName) -> HeatMapStatistics:
        """One map's numbers."""
        return measure_heat_map(self.heat_maps[name], self.analysis.placement)

    def target_probability(self, name: NetworkName) -> float:
        """P of the target class by one network, 0..1."""
        return float(self.analysis.traces[name].probabilities[self.target.label.index])

    def predictions(self, name: NetworkName, *, count: int = 5) -> tuple[Prediction, ...]:
        """The `count` likeliest classes of one network, the likeliest first."""
        return rank_classes(self.analysis.traces[name].probabilities, self.labels, count=count)


@dataclass(frozen=True, slots=True, eq=False)
class Altered:
    """Changed gates, and the comparison with learned gates.

    Attributes:
        interventions: the changes.
        learned: the comparison without them.
    """

    interventions: tuple[Intervention, ...]
    learned: Comparison

    @property
    def networks(self) -> frozenset[NetworkName]:
        """The networks whose gates were changed."""
        return frozenset(intervention.network for intervention in self.interventions)

    @property
    def heat_maps(self) -> dict[NetworkName, HeatMap]:
        """The maps of the changed networks with their gates as learned."""
        return {name: self.learned.heat_maps[name] for name in self.learned.names if name in self.networks}

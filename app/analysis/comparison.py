"""Both networks' answers about one picture: HTML, JSON, PNG and the command line render a `Comparison`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.analysis.analyses import Analysis
from app.analysis.classes import ChosenBy
from app.analysis.questions import Explanation
from app.explain.maps import FloatArray, HeatMap
from app.explain.methods import Method
from app.explain.metrics import HeatMapStatistics, MapComparison, compare_heat_maps, measure_heat_map
from models.attention.interventions import Intervention
from models.lineups.card import ClassLabel
from models.names import NetworkName, Stage


@dataclass(frozen=True, slots=True)
class Target:
    """The explained class, the same for both networks, and who chose it."""

    label: ClassLabel
    chosen_by: ChosenBy


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class and its softmax probability, 0..1."""

    label: ClassLabel
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Both networks' answers to one question about one picture.

    Attributes:
        analysis: the picture and its traces.
        labels: all classes.
        target: the class that is explained.
        method: how the maps were made.
        stage: whose output they explain.
        heat_maps: one map a network, (H, W), both of one shape.
        altered: what was done to the gates of the network with attention, and what it says without that; None where
            its gates are as it learned them.
    """

    analysis: Analysis
    labels: tuple[ClassLabel, ...]
    target: Target
    method: Method
    stage: Stage
    heat_maps: Mapping[NetworkName, HeatMap]
    altered: "Altered | None" = None

    @property
    def explanation(self) -> Explanation:
        """The class, method and stage of the maps."""
        return Explanation(self.target.label.index, self.method, self.stage)

    @property
    def shared_maximum(self) -> float:
        """The highest value of the two maps."""
        return max(heat_map.maximum for heat_map in self.heat_maps.values())

    @property
    def metrics(self) -> MapComparison:
        """The two maps compared."""
        baseline, cbam = (self.heat_maps[name] for name in NetworkName)
        return compare_heat_maps(baseline, cbam, self.analysis.placement)

    def statistics(self, name: NetworkName) -> HeatMapStatistics:
        """One map's numbers."""
        return measure_heat_map(self.heat_maps[name], self.analysis.placement)

    def target_probability(self, name: NetworkName) -> float:
        """P of the target class by one network, 0..1."""
        return float(softmax(self.analysis.traces[name].logits)[self.target.label.index])

    def predictions(self, name: NetworkName, *, count: int = 5) -> tuple[Prediction, ...]:
        """One network's likeliest classes, the likeliest first."""
        probabilities = softmax(self.analysis.traces[name].logits)
        ranked = np.argsort(-probabilities, kind="stable")[:count]
        return tuple(Prediction(self.labels[index], float(probabilities[index])) for index in ranked)


@dataclass(frozen=True, slots=True, eq=False)
class Altered:
    """Changed gates, and the comparison with the gates as they were learned.

    Attributes:
        interventions: what was changed.
        learned: the same question without it.
    """

    interventions: tuple[Intervention, ...]
    learned: Comparison


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities, (K,), of logits, (K,)."""
    shifted = np.exp(logits.astype(np.float64) - logits.max())
    probabilities: FloatArray = (shifted / shifted.sum()).astype(np.float32)
    return probabilities

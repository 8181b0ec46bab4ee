"""Concepts: the parts of a picture that each network treats alike, found without a class."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.analysis.analyses import Analysis
from app.analysis.comparison import Prediction, rank_classes
from app.analysis.options import ConceptOptions
from app.errors import InvalidOption
from app.explain.factorisation import Factors, factorise, match_places
from app.explain.maps import FloatArray, HeatMap
from models.lineups.card import ClassLabel
from models.names import NetworkName, Stage
from models.probabilities import find_probabilities

CONCEPT_CLASSES = 3
"""The likeliest classes that are named for each concept."""


@dataclass(frozen=True, slots=True, eq=False)
class Concept:
    """One part of a picture for one network.

    Attributes:
        place: how much of it is at each position, (H, W), in units of its own.
        share: its part of all of the network's concepts, 0..1.
        predictions: the likeliest classes of the concept alone, the likeliest first; empty but at stage 4.
    """

    place: HeatMap
    share: float
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Concepts:
    """Every network's concepts of one picture.

    Attributes:
        analysis: the picture.
        stage: the stage whose features were divided.
        networks: by network, in the lineup's order. The baseline's largest concept is first; those of the others are
            ordered so that each lies, as far as possible, where the baseline's of the same number does.
    """

    analysis: Analysis
    stage: Stage
    networks: Mapping[NetworkName, tuple[Concept, ...]]


def check_count(analysis: Analysis, options: ConceptOptions) -> None:
    """Refuse more concepts than a stage has channels or positions; raises `InvalidOption`."""
    most = min(
        min(len(features), features[0].size)
        for trace in analysis.traces.values()
        for features in [trace.features[options.stage]]
    )
    if options.count > most:
        raise InvalidOption(
            f"count is {options.count}, and stage {options.stage.value} of this picture can be divided into at most "
            f"{most} concepts; choose fewer, or another stage",
            option="count",
        )


def factorise_all(analysis: Analysis, options: ConceptOptions) -> dict[NetworkName, Factors]:
    """Divide every network's features, and number the parts alike."""
    found = {
        name: factorise(trace.features[options.stage], options.count).sort() for name, trace in analysis.traces.items()
    }
    first = found[analysis.card.baseline]
    return {
        name: factors if factors is first else factors.take(match_places(first.places, factors.places))
        for name, factors in found.items()
    }


def describe_concepts(
    analysis: Analysis,
    stage: Stage,
    factors: Mapping[NetworkName, Factors],
    logits: Mapping[NetworkName, FloatArray],
    labels: tuple[ClassLabel, ...],
) -> Concepts:
    """Join the parts with their likeliest classes.

    Args:
        analysis: the picture.
        stage: the stage.
        factors: each network's parts.
        logits: the logits of each network's parts, (k, K); empty but at stage 4.
        labels: the classes, in index order.
    """
    return Concepts(
        analysis,
        stage,
        {
            name: tuple(
                Concept(HeatMap(place), float(share), _rank(analysis, name, logits, number, labels))
                for number, (place, share) in enumerate(zip(found.places, found.shares, strict=True))
            )
            for name, found in factors.items()
        },
    )


def _rank(
    analysis: Analysis,
    name: NetworkName,
    logits: Mapping[NetworkName, FloatArray],
    number: int,
    labels: tuple[ClassLabel, ...],
) -> tuple[Prediction, ...]:
    if name not in logits:
        return ()
    trace = analysis.traces[name]
    probabilities = find_probabilities(logits[name][number], trace.temperature, trace.activation).astype(np.float32)
    return rank_classes(probabilities, labels, count=CONCEPT_CLASSES)

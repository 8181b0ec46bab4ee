"""The only orchestrator: picture, pair and question in, `Comparison` out.

HTML, JSON, PNG and the command line are renderings of a `Comparison`.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread
import numpy as np

from app.analysis.analyses import Alteration, Analysis, Picture
from app.analysis.classes import ChosenBy, find_class
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.timing import Timings
from app.engine.answerer import Answerer
from app.engine.work import PairGradient, PairTrace, Question
from app.errors import EngineFailed, InvalidOption, refuse_choice
from app.explain.cam import compute_heat_map
from app.explain.maps import FloatArray, HeatMap, OpenBlock
from app.explain.methods import Method
from app.explain.metrics import (
    HeatMapStatistics,
    MapComparison,
    compare_heat_maps,
    measure_heat_map,
)
from models.attention.interventions import Intervention, parse_interventions
from models.lineups.card import ClassLabel, PairCard
from models.lineups.pair import NetworkPair
from models.names import Geometry, NetworkName, Resolution, Stage
from models.networks.randomisation import Randomisation
from models.pictures.decoding import decode_reduced
from models.pictures.placement import Placement, place
from models.pictures.preparation import prepare_input

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

REDUCTION_MARGIN = 1.5
"""How many times the networks' resolution a picture is decoded at, at least: less would soften their input."""


@dataclass(frozen=True, slots=True)
class Target:
    """The class that both networks are asked about, and who chose it."""

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
    def shared_maximum(self) -> float:
        """The highest value of the two maps."""
        return max(heat_map.maximum for heat_map in self.heat_maps.values())

    @property
    def metrics(self) -> MapComparison:
        """What the two maps have in common."""
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


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPicture:
    """A decoded picture on its way to the networks.

    Attributes:
        source, placement, geometry, resolution: as in `Analysis`.
        values: the networks' input, (3, H, W).
    """

    source: Picture
    placement: Placement
    geometry: Geometry
    resolution: Resolution
    values: FloatArray

    def analyse(self, card: PairCard, traces: PairTrace) -> Analysis:
        """The analysis that the networks' traces complete."""
        return Analysis(card, self.source, self.placement, self.geometry, self.resolution, traces)


class Lens:
    """Answers questions about pictures with one pair.

    Args:
        engine: what computes, started.
        pair: the networks.
        max_pixels: width times height that may be decoded.
        threads: how many decode and draw at once; by default one a core, for this lens alone.
    """

    def __init__(
        self, engine: Answerer, pair: NetworkPair, *, max_pixels: int, threads: anyio.CapacityLimiter | None = None
    ) -> None:
        self.engine = engine
        self.pair = pair
        self._max_pixels = max_pixels
        # Decoding and drawing take a core and a picture's memory each.
        self._threads = threads or anyio.CapacityLimiter(os.cpu_count() or 1)

    async def analyse(self, data: bytes, geometry: GeometryOptions, timings: Timings) -> Analysis:
        """Decode a picture and trace it through both networks.

        Args:
            data: the uploaded bytes.
            geometry: how the picture becomes the input; the pair's own way where nothing is asked for.
            timings: what is added to.

        Raises:
            LensError: see `decode_picture` and `Answerer.trace`.
        """
        prepared = await self._prepare(data, geometry, timings)
        with timings.measure("networks"):
            traces = await self.engine.trace(self.pair, prepared.values)
        return prepared.analyse(self.pair.card, traces)

    async def compare(self, analysis: Analysis, options: TargetOptions, timings: Timings) -> Comparison:
        """Both networks' heat maps for one class, without another forward pass over the picture.

        Args:
            analysis: from `analyse`.
            options: class, method and stage.
            timings: what is added to.

        Raises:
            InvalidOption: for a class that the pair does not know.
            LensError: see `Answerer.differentiate`.
        """
        interventions = self.find_interventions(analysis, options.interventions)
        label, chosen_by = self.find_class(options.target)
        first = int(analysis.traces[NetworkName.BASELINE].logits.argmax())
        target = Target(label or self.pair.labels[first], chosen_by)
        if (target.label.index, options.method, options.stage) in analysis.heat_maps:
            learned = self._build(analysis, target, options)
        else:
            with timings.measure("networks"):
                question = Question(options.stage, target.label.index)
                gradient = await self.engine.differentiate(self.pair, analysis.traces, question)
            learned = await self._finish(analysis, target, gradient, options, timings)
        return await self._alter(learned, interventions, timings) if interventions else learned

    async def alter(self, analysis: Analysis, interventions: Sequence[str], timings: Timings) -> Analysis:
        """The analysis with the gates of the network with attention changed; itself for no intervention.

        Raises:
            InvalidOption: for an intervention that is none.
            LensError: see `Answerer.trace_altered`.
        """
        parsed = self.find_interventions(analysis, interventions)
        if not parsed:
            return analysis
        if parsed not in analysis.alterations:
            with timings.measure("networks"):
                values = await self.run(self._prepare_again, analysis)
                trace, _ = await self.engine.trace_altered(self.pair, values, parsed, None)
            analysis.alterations[parsed] = Alteration(replace(trace, features={}))
        return _exchange(analysis, analysis.alterations[parsed])

    async def open_block(
        self, analysis: Analysis, block: str, interventions: Sequence[str], timings: Timings
    ) -> OpenBlock:
        """What the attention of one block saw and did.

        Raises:
            InvalidOption: for a block that the network has not, and for an intervention that is none.
            LensError: see `Answerer.open_block`.
        """
        names = [known.name for known in analysis.traces[NetworkName.CBAM].blocks]
        if block not in names:
            raise refuse_choice("block", block, names)
        key = block, self.find_interventions(analysis, interventions)
        if key not in analysis.opened:
            with timings.measure("networks"):
                values = await self.run(self._prepare_again, analysis)
                analysis.opened[key] = await self.engine.open_block(self.pair, values, *key)
        return analysis.opened[key]

    async def forget(self, learned: Comparison, extent: Randomisation, timings: Timings) -> Comparison:
        """The same question to both networks after part of their weights became random.

        Args:
            learned: the question, from `compare`; with changed gates it is asked about the learned ones.
            extent: how much of each network is random.
            timings: what is added to.

        Raises:
            LensError: see `Answerer.trace_forgotten`.
        """
        analysis = learned.analysis
        key = (learned.target.label.index, learned.method, learned.stage), extent
        if key not in analysis.forgotten:
            question = Question(learned.stage, learned.target.label.index)
            with timings.measure("networks"):
                values = await self.run(self._prepare_again, analysis)
                answers = await self.engine.trace_forgotten(self.pair, values, question, extent)
            with timings.measure("maps"):
                analysis.forgotten[key] = await self.run(
                    lambda: {
                        name: compute_heat_map(learned.method, activation=features, gradient=gradient)
                        for name, (features, gradient) in answers.items()
                    }
                )
        return replace(learned, heat_maps=analysis.forgotten[key])

    def find_interventions(self, analysis: Analysis, texts: Sequence[str]) -> tuple[Intervention, ...]:
        """The interventions that texts name.

        Raises:
            InvalidOption: for a text that names none, and for blocks that the network has not.
        """
        blocks = [block.name for block in analysis.traces[NetworkName.CBAM].blocks]
        try:
            return parse_interventions(texts, blocks)
        except ValueError as error:
            raise InvalidOption(str(error), option="interventions") from error

    async def compare_picture(
        self, data: bytes, geometry: GeometryOptions, options: TargetOptions, timings: Timings
    ) -> Comparison:
        """`analyse` and `compare` with one place in the engine's queue.

        Args:
            data: the uploaded bytes.
            geometry: how the picture becomes the input; the pair's own way where nothing is asked for.
            options: class, method and stage.
            timings: what is added to.

        Raises:
            InvalidOption: for a class that the pair does not know; known before anything is computed.
            LensError: see `decode_picture` and `Answerer.trace_and_differentiate`.
        """
        label, chosen_by = self.find_class(options.target)
        if options.interventions:
            # Which blocks there are to change is known from the learned network's trace.
            return await self.compare(await self.analyse(data, geometry, timings), options, timings)
        prepared = await self._prepare(data, geometry, timings)
        with timings.measure("networks"):
            question = Question(options.stage, None if label is None else label.index)
            traces, gradient = await self.engine.trace_and_differentiate(self.pair, prepared.values, question)
        target = Target(self.pair.labels[gradient.class_index], chosen_by)
        return await self._finish(prepared.analyse(self.pair.card, traces), target, gradient, options, timings)

    def find_class(self, target: str) -> tuple[ClassLabel | None, ChosenBy]:
        """The class that a text means, by this pair's names; see `find_class`."""
        return find_class(self.pair.labels, target)

    async def run(self, work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Run decoding, drawing or encoding off the event loop; a caller that gives up does not wait for it."""
        return await anyio.to_thread.run_sync(
            partial(work, *args, **kwargs), limiter=self._threads, abandon_on_cancel=True
        )

    async def _prepare(self, data: bytes, options: GeometryOptions, timings: Timings) -> PreparedPicture:
        with timings.measure("decode"):
            return await self.run(self._decode, data, options)

    def _decode(self, data: bytes, options: GeometryOptions) -> PreparedPicture:
        preprocessing = self.pair.card.preprocessing
        geometry = options.geometry or preprocessing.geometry
        resolution = options.resolution or preprocessing.resolution
        enough = math.ceil(resolution * REDUCTION_MARGIN)
        decoded = decode_reduced(data, max_pixels=self._max_pixels, shorter_side=enough)
        placement = place(decoded.width, decoded.height, geometry=geometry, resolution=resolution)
        values = prepare_input(decoded.image, placement, preprocessing)
        return PreparedPicture(Picture(data, decoded), placement, geometry, resolution, values)

    async def _alter(
        self, learned: Comparison, interventions: tuple[Intervention, ...], timings: Timings
    ) -> Comparison:
        """The same question with changed gates."""
        analysis, stage = learned.analysis, learned.stage
        key = (learned.target.label.index, learned.method, stage)
        alteration = analysis.alterations.get(interventions)
        if alteration is None or key not in alteration.heat_maps:
            with timings.measure("networks"):
                values = await self.run(self._prepare_again, analysis)
                question = Question(stage, learned.target.label.index)
                trace, gradient = await self.engine.trace_altered(self.pair, values, interventions, question)
            if gradient is None:
                raise EngineFailed("the changed network gave no gradient; the server's log says why")
            with timings.measure("maps"):
                heat_map = await self.run(
                    compute_heat_map, learned.method, activation=trace.features[stage], gradient=gradient
                )
            # Features are what takes memory, and another question is one forward pass away.
            alteration = alteration or Alteration(replace(trace, features={}))
            alteration.heat_maps[key] = heat_map
            analysis.alterations[interventions] = alteration
        return replace(
            learned,
            analysis=_exchange(analysis, alteration),
            heat_maps={**learned.heat_maps, NetworkName.CBAM: alteration.heat_maps[key]},
            altered=Altered(interventions, learned),
        )

    def _prepare_again(self, analysis: Analysis) -> FloatArray:
        """The networks' input, (3, H, W), of a picture that was analysed before."""
        enough = math.ceil(analysis.resolution * REDUCTION_MARGIN)
        decoded = decode_reduced(analysis.source.data, max_pixels=self._max_pixels, shorter_side=enough)
        return prepare_input(decoded.image, analysis.placement, self.pair.card.preprocessing)

    async def _finish(
        self, analysis: Analysis, target: Target, gradient: PairGradient, options: TargetOptions, timings: Timings
    ) -> Comparison:
        with timings.measure("maps"):
            heat_maps = await self.run(_map, analysis, gradient, options)
        analysis.heat_maps[target.label.index, options.method, options.stage] = heat_maps
        return self._build(analysis, target, options)

    def _build(self, analysis: Analysis, target: Target, options: TargetOptions) -> Comparison:
        return Comparison(
            analysis=analysis,
            labels=self.pair.labels,
            target=target,
            method=options.method,
            stage=options.stage,
            heat_maps=analysis.heat_maps[target.label.index, options.method, options.stage],
        )


def _exchange(analysis: Analysis, alteration: Alteration) -> Analysis:
    """The same analysis, with what the changed network says in place of what the learned one does."""
    return replace(analysis, traces={**analysis.traces, NetworkName.CBAM: alteration.trace})


def _map(analysis: Analysis, gradient: PairGradient, options: TargetOptions) -> Mapping[NetworkName, HeatMap]:
    return {
        name: compute_heat_map(
            options.method, activation=trace.features[options.stage], gradient=gradient.gradients[name]
        )
        for name, trace in analysis.traces.items()
    }


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities, (K,), of logits, (K,)."""
    shifted = np.exp(logits.astype(np.float64) - logits.max())
    probabilities: FloatArray = (shifted / shifted.sum()).astype(np.float32)
    return probabilities

"""The only orchestrator: picture, pair and question in, `Comparison` out.

HTML, JSON, PNG and the command line are renderings of a `Comparison`.
"""

import difflib
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, ParamSpec, TypeVar

import anyio
import anyio.to_thread
import numpy as np

from app.analyses import Analysis, Picture
from app.engine import Engine, PairGradient, PairTrace, Question
from app.errors import InvalidOption
from app.explain.cam import compute_heat_map
from app.explain.image_input import decode_reduced, prepare_input
from app.explain.maps import FloatArray, HeatMap
from app.explain.methods import Method
from app.explain.metrics import (
    HeatMapStatistics,
    MapComparison,
    compare_heat_maps,
    describe_heat_map,
)
from app.explain.placement import Placement, place
from app.options import GeometryOptions, TargetOptions
from app.timing import Timings
from models.card import ClassLabel, PairCard
from models.names import Geometry, NetworkName, Resolution, Stage
from models.pair import NetworkPair

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

REDUCTION_MARGIN = 1.5
"""How many times the networks' resolution a picture is decoded at, at least: less would soften their input."""

ChosenBy = Literal["baseline", "index", "name"]


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
    """

    analysis: Analysis
    labels: tuple[ClassLabel, ...]
    target: Target
    method: Method
    stage: Stage
    heat_maps: Mapping[NetworkName, HeatMap]

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
        return describe_heat_map(self.heat_maps[name], self.analysis.placement)

    def target_probability(self, name: NetworkName) -> float:
        """P of the target class by one network, 0..1."""
        return float(softmax(self.analysis.traces[name].logits)[self.target.label.index])

    def predictions(self, name: NetworkName, *, count: int = 5) -> tuple[Prediction, ...]:
        """One network's likeliest classes, the likeliest first."""
        probabilities = softmax(self.analysis.traces[name].logits)
        ranked = np.argsort(-probabilities, kind="stable")[:count]
        return tuple(Prediction(self.labels[index], float(probabilities[index])) for index in ranked)


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
        self, engine: Engine, pair: NetworkPair, *, max_pixels: int, threads: anyio.CapacityLimiter | None = None
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
            LensError: see `decode_picture` and `Engine.trace`.
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
            LensError: see `Engine.differentiate`.
        """
        label, chosen_by = self.find_class(options.target)
        first = int(analysis.traces[NetworkName.BASELINE].logits.argmax())
        target = Target(label or self.pair.labels[first], chosen_by)
        if (target.label.index, options.method, options.stage) in analysis.heat_maps:
            return self._build(analysis, target, options)
        with timings.measure("networks"):
            question = Question(options.stage, target.label.index)
            gradient = await self.engine.differentiate(self.pair, analysis.traces, question)
        return await self._finish(analysis, target, gradient, options, timings)

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
            LensError: see `decode_picture` and `Engine.trace_and_differentiate`.
        """
        label, chosen_by = self.find_class(options.target)
        prepared = await self._prepare(data, geometry, timings)
        with timings.measure("networks"):
            question = Question(options.stage, None if label is None else label.index)
            traces, gradient = await self.engine.trace_and_differentiate(self.pair, prepared.values, question)
        target = Target(self.pair.labels[gradient.class_index], chosen_by)
        return await self._finish(prepared.analyse(self.pair.card, traces), target, gradient, options, timings)

    def find_class(self, target: str) -> tuple[ClassLabel | None, ChosenBy]:
        """The class that a text means: a name or identifier, an index, or none for an empty text.

        Raises:
            InvalidOption: for a class that the pair does not know; it names the nearest ones.
        """
        labels = self.pair.labels
        wanted = target.strip()
        if not wanted:
            return None, "baseline"
        for label in labels:
            if wanted.casefold() in (label.name.casefold(), label.id.casefold()):
                return label, "name"
        if wanted.isascii() and wanted.isdigit() and int(wanted) < len(labels):
            return labels[int(wanted)], "index"
        raise _unknown_class(wanted, labels)

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


def _unknown_class(wanted: str, labels: tuple[ClassLabel, ...]) -> InvalidOption:
    names = [label.name for label in labels]
    nearest = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(nearest)}?" if nearest else f"for example {names[0]} or {names[-1]}"
    return InvalidOption(
        f"target {wanted!r} is not one of the {len(names)} classes; give a name or an index from 0 to "
        f"{len(names) - 1}; {hint}",
        option="target",
        allowed=names,
    )

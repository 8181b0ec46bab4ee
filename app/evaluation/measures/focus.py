"""Comparison of the networks' maps and gates with each picture's object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch

from app.evaluation.measures.answers import RankedTruth
from app.evaluation.measures.curves import LARGEST_STEPS, Removable, fill_picture, measure_curves
from app.evaluation.measures.gates import GateSurvey
from app.evaluation.measures.localisation import Values, locate
from app.evaluation.measures.objects import ObjectSource
from app.evaluation.measures.pictures import LabelledPicture, PictureBatch
from app.evaluation.measures.seen import SeenObject
from app.evaluation.results.intervals import CONFIDENCE_LEVEL, RESAMPLES, SEED
from app.evaluation.results.metrics import Metric
from app.evaluation.results.options import Fill, FocusOptions
from app.evaluation.results.report import Focus, Protocol
from app.evaluation.results.rows import FocusRow, MapRow
from app.evaluation.results.summary import summarise_maps
from app.explain.attention_maps import read_attention_maps
from app.explain.cam import compute_heat_map, score_gradient
from app.explain.contrast import find_similar_classes
from app.explain.maps import BlockMaps, FloatArray, HeatMap
from app.explain.methods import Method
from app.explain.scored import count_together, score_channels, weigh_channels
from models.lineups.lineup import Lineup
from models.names import NetworkName
from models.networks.trace import Trace
from models.pictures.placement import Placement


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredBatch:
    """A batch with the networks' traces and answers.

    Attributes:
        batch: the pictures.
        traces: each network's trace, with the features of the explained stage.
        answers: each network's answers, one per picture.
    """

    batch: PictureBatch
    traces: Mapping[NetworkName, Trace]
    answers: Mapping[NetworkName, Sequence[RankedTruth]]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One picture of an answered batch.

    Attributes:
        answered: the batch.
        position: the picture's place in the batch.
        seen: the object.
        removable: the networks' input, under the picture's name, CLASS/NAME.
    """

    answered: AnsweredBatch
    position: int
    seen: SeenObject
    removable: Removable

    @property
    def placement(self) -> Placement:
        """Where the networks' input lies on the picture."""
        return self.answered.batch.placements[self.position]

    def read_gates(self, name: NetworkName) -> tuple[BlockMaps, ...]:
        """The gates of a network."""
        return read_attention_maps(self.answered.traces[name], position=self.position)


Gradients: TypeAlias = dict[tuple[NetworkName, bool], torch.Tensor]
"""By network, and by whether the class is contrasted with similar ones, (N, C, H, W)."""


class FocusSurvey:
    """Compares maps and gates with objects, batch by batch.

    Args:
        lineup: the networks.
        options: the methods, the stage and the pointing game's tolerance.
        objects: the source of the objects' places.
        data: the directory to which the pictures' names are relative.
    """

    def __init__(self, lineup: Lineup, options: FocusOptions, objects: ObjectSource, data: Path) -> None:
        self._rows: list[FocusRow] = []
        self._unseen: list[str] = []
        self._lineup = lineup
        self._options = options
        self._objects = objects
        self._data = data
        self._gates = {name: GateSurvey(options.tolerance_pixels) for name in lineup.card.gated}

    def add(self, answered: AnsweredBatch) -> None:
        """Measure one batch; pictures whose object the networks did not see are left out and listed."""
        gradients = self._differentiate_all(answered)
        for position, picture in enumerate(answered.batch.pictures):
            case = self._open(answered, position)
            if not case.seen.is_seen:
                self._unseen.append(case.removable.name)
                continue
            for name, gates in self._gates.items():
                gates.add(case.read_gates(name), case.seen, case.placement)
            for method in self._options.methods:
                maps = {name: self._draw(method, case, name, gradients) for name in self._lineup.names}
                self._rows.append(self._build_row(case, picture, method, maps))

    @property
    def rows(self) -> list[FocusRow]:
        """Every row, sorted by the picture's name, so that the bootstrap does not depend on the batches."""
        return sorted(self._rows, key=lambda row: row.file)

    def summarise(self) -> Focus:
        """Summarise all pictures."""
        return Focus(
            protocol=Protocol(
                objects=self._objects.kind,
                tolerance_pixels=self._options.tolerance_pixels,
                fill=self._options.fill if self._options.has_curves else None,
                largest_steps=LARGEST_STEPS,
                resamples=RESAMPLES,
                confidence_level=CONFIDENCE_LEVEL,
                seed=SEED,
            ),
            unseen=sorted(self._unseen),
            maps=summarise_maps(self.rows),
            gates={name: gates.summarise() for name, gates in self._gates.items()},
        )

    def _differentiate_all(self, answered: AnsweredBatch) -> Gradients:
        """Every network's gradients, as far as the methods need them."""
        found: Gradients = {}
        if set(self._options.methods) - {Method.FINERCAM, Method.SCORECAM}:
            found |= {(name, False): self._differentiate(name, answered) for name in self._lineup.names}
        if Method.FINERCAM in self._options.methods:
            against = self._find_contrasts(answered)
            found |= {(name, True): self._differentiate(name, answered, against) for name in self._lineup.names}
        return found

    def _find_contrasts(self, answered: AnsweredBatch) -> torch.Tensor:
        """The classes that each picture's true class is contrasted with, (N, M)."""
        logits = {name: trace.logits.float().cpu().numpy() for name, trace in answered.traces.items()}
        rows = [
            find_similar_classes({name: values[position] for name, values in logits.items()}, class_index)
            for position, class_index in enumerate(answered.batch.classes)
        ]
        return torch.tensor(rows, device=self._lineup.device)

    def _differentiate(
        self, name: NetworkName, answered: AnsweredBatch, against: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The gradients of the true classes' scores with respect to the stage's output, (N, C, H, W)."""
        stage = self._options.stage
        features = answered.traces[name].features[stage]
        classes = torch.tensor(answered.batch.classes, device=features.device)
        network = self._lineup.networks[name]
        pictures = None
        if self._lineup.card.needs_input:
            pictures = torch.from_numpy(answered.batch.values).to(features.device, network.dtype)
        return score_gradient(network, features, stage=stage, class_indices=classes, batch=pictures, against=against)

    def _open(self, answered: AnsweredBatch, position: int) -> Case:
        picture, placement = answered.batch.pictures[position], answered.batch.placements[position]
        mask = self._objects.read(picture, placement.picture_width, placement.picture_height)
        values = torch.from_numpy(answered.batch.values[position]).to(self._lineup.device)
        removable = Removable(
            name=_name(picture.path, self._data),
            values=values,
            # Without curves nothing is removed, and a blurred picture would be made for nothing.
            filling=fill_picture(values, self._options.fill if self._options.has_curves else Fill.MEAN),
            class_index=picture.class_index,
        )
        return Case(answered, position, SeenObject.cut(mask, placement), removable)

    def _draw(self, method: Method, case: Case, name: NetworkName, gradients: Gradients) -> HeatMap:
        features = case.answered.traces[name].features[self._options.stage][case.position]  # (C, H, W)
        if method is Method.SCORECAM:
            gradient = self._weigh(case, name, features)
        else:
            tensor = gradients[name, method is Method.FINERCAM][case.position]
            gradient = tensor.float().cpu().contiguous().numpy()
        activation = features.float().cpu().contiguous().numpy()
        return compute_heat_map(method, activation=activation, gradient=gradient)

    def _weigh(self, case: Case, name: NetworkName, features: torch.Tensor) -> FloatArray:
        """Score-CAM's weights of a network's channels, (C, 1, 1): a forward pass for each."""
        picture, network = case.removable.values[None], self._lineup.networks[name]  # (1, 3, H, W)
        scores = [
            score_channels(network, picture, part, class_index=case.removable.class_index)
            for part in torch.split(features.float(), count_together(*picture.shape[2:]))
        ]
        return weigh_channels(torch.cat(scores).cpu().numpy())

    def _build_row(
        self, case: Case, picture: LabelledPicture, method: Method, maps: Mapping[NetworkName, HeatMap]
    ) -> FocusRow:
        height, width = maps[self._lineup.card.baseline].shape
        return FocusRow(
            file=case.removable.name,
            class_name=self._lineup.labels[picture.class_index].name,
            method=method,
            stage=self._options.stage,
            height=height,
            width=width,
            object_share=case.seen.share,
            hidden_share=case.seen.hidden_share,
            has_centre=case.seen.has_centre,
            networks={name: self._measure(case, name, heat_map) for name, heat_map in maps.items()},
        )

    def _measure(self, case: Case, name: NetworkName, heat_map: HeatMap) -> MapRow:
        answer = case.answered.answers[name][case.position]
        values: Values = {Metric.PROBABILITY: answer.probability}
        values |= locate(heat_map, case.seen, case.placement, tolerance_pixels=self._options.tolerance_pixels)
        if self._options.has_curves:
            card = self._lineup.card
            values |= measure_curves(
                self._lineup.networks[name], case.removable, heat_map, card.find_temperature(name), card.activation
            )
        return MapRow(is_right=answer.is_right, is_silent=not heat_map.has_evidence, values=values)


def _name(path: Path, data: Path) -> str:
    """A picture's path below the directory; the whole path for one that a list names elsewhere."""
    return (path.relative_to(data) if path.is_relative_to(data) else path).as_posix()

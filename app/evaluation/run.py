"""A whole evaluation, from the options to the report."""

from dataclasses import dataclass

from rich.console import Console

from app.analysis.contrasts import check_contrast
from app.analysis.options import TargetOptions
from app.analysis.prepared import check_stage, choose_geometry, choose_resolution
from app.engine.loading import load_chosen_lineup, use_all_cores
from app.evaluation.measures.answers import RankedTruth, compare_answers, read_answers, summarise_answers, trace_batch
from app.evaluation.measures.focus import AnsweredBatch, FocusSurvey
from app.evaluation.measures.objects import BoxTable, MaskFolder, ObjectSource
from app.evaluation.measures.pictures import (
    LabelledPicture,
    PictureBatch,
    PictureReader,
    find_classes,
    list_pictures,
    read_listing,
)
from app.evaluation.results.options import EvaluationOptions, FocusOptions
from app.evaluation.results.report import Evaluation
from app.evaluation.results.rows import FocusRow
from app.settings import Settings
from models.lineups.lineup import Lineup
from models.names import NetworkName
from models.progress import make_progress

console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A report, and the rows of its focus; empty without focus."""

    evaluation: Evaluation
    rows: tuple[FocusRow, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """The pictures and objects of a measurement.

    Attributes:
        pictures: the pictures with their true classes.
        objects: the source of the objects' places; None without focus.
        unknown: the number of pictures of unknown classes.
    """

    pictures: list[LabelledPicture]
    objects: ObjectSource | None = None
    unknown: int = 0


def run_evaluation(settings: Settings, options: EvaluationOptions) -> Evaluation:
    """Do `measure`, and return the report alone."""
    return measure(settings, options).evaluation


def measure(settings: Settings, options: EvaluationOptions) -> Measurement:
    """Measure every network, with a progress bar on standard error.

    Args:
        settings: the lineup and the device.
        options: the pictures, and what to measure.

    Raises:
        InvalidOption: for a folder that is not a class of the lineup, no pictures at all, masks or boxes that do not
            fit the pictures, and a resolution, a geometry or a stage that the networks do not have.
        OSError: when a directory or a list cannot be read.
        LineupError: when the networks cannot be loaded.
    """
    lineup = load_chosen_lineup(settings)
    use_all_cores(settings)
    material = _find_material(lineup, options)
    if options.focus is not None:
        check_stage(lineup.card, options.focus.stage)
        for method in options.focus.methods:
            check_contrast(lineup.labels, TargetOptions(method=method))
    geometry = choose_geometry(lineup.card, options.geometry)
    resolution = choose_resolution(lineup.card, options.geometry)
    reader = PictureReader(lineup, geometry, resolution, settings.max_picture_pixels)
    survey = None
    if options.focus is not None and material.objects is not None:
        survey = FocusSurvey(lineup, options.focus, material.objects, options.data)
    answers: dict[NetworkName, list[RankedTruth]] = {name: [] for name in lineup.names}
    with make_progress() as progress:
        task = progress.add_task("evaluating", total=len(material.pictures))
        for batch in reader.read_batches(material.pictures, options.batch_size):
            answered = _answer(lineup, batch, options.focus)
            for name in lineup.names:
                answers[name] += answered.answers[name]
            if survey is not None:
                survey.add(answered)
            progress.update(task, completed=len(answers[lineup.card.baseline]) + len(reader.unreadable))
    for line in reader.unreadable:
        console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    evaluation = Evaluation(
        lineup=lineup.card.name,
        sha256={name: lineup.card.networks[name].sha256 for name in lineup.names},
        data=options.data.resolve().name,
        listing=None if options.listing is None else options.listing.name,
        geometry=geometry,
        resolution=resolution,
        pictures=len(material.pictures) - len(reader.unreadable),
        unreadable=sorted(reader.unreadable),
        unknown=material.unknown,
        networks={name: summarise_answers(values) for name, values in answers.items()},
        top1_differences=compare_answers(answers),
        focus=None if survey is None else survey.summarise(),
    )
    return Measurement(evaluation, () if survey is None else tuple(survey.rows))


def _find_material(lineup: Lineup, options: EvaluationOptions) -> Material:
    focus = options.focus
    if focus is not None and focus.boxes is not None:
        table = BoxTable.open(focus.boxes)
        names = read_listing(options.listing) if options.listing else sorted(table.classes)
        pictures = table.list_pictures(options.data, find_classes(lineup, focus.class_map), names)
        return Material(pictures, table, unknown=len(names) - len(pictures))
    if focus is not None and focus.masks is not None:
        pictures = list_pictures(lineup, options.data, options.listing, masks=focus.masks, class_map=focus.class_map)
        masks = MaskFolder(focus.masks)
        masks.check(pictures)
        return Material(pictures, masks)
    return Material(list_pictures(lineup, options.data, options.listing))


def _answer(lineup: Lineup, batch: PictureBatch, focus: FocusOptions | None) -> AnsweredBatch:
    stages = () if focus is None else (focus.stage,)
    traces = {name: trace_batch(lineup, name, batch, stages) for name in lineup.names}
    return AnsweredBatch(
        batch=batch,
        traces=traces,
        answers={
            name: read_answers(trace.logits, batch.classes, lineup.card.find_temperature(name), lineup.card.activation)
            for name, trace in traces.items()
        },
    )

"""The cards beside trained weights: model cards for people and a lineup's card for the program."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.lineups.card import Accuracy, LineupCard, NetworkCard
from models.names import Geometry, NetworkName, Precision, StridePlacement
from models.networks.titles import title_lineup, title_network
from models.pictures.preparation import Preprocessing
from models.training.data.classes import ClassList
from models.training.learning.lesson import Lesson
from models.training.learning.trainee import TraineeShape
from models.training.learning.validation import Score
from models.training.recipes.recipe import Recipe
from models.training.records.headers import Licence, MeasuredModel, format_header, list_tags
from models.training.records.toml_text import format_toml
from models.training.records.weights import WeightsFile
from models.training.running.origin import Origin

CURVE_ROWS = 12
"""The most epochs in a card's curve."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNetwork:
    """One network at the end of its training.

    Attributes:
        shape: the network.
        weights: its file of weights.
        scores: its accuracy on the validation pictures.
        curve: the log's rows.
        seconds: the time spent on its steps.
        parameters: the number of trainable values.
        multiply_adds: the multiply-adds for one picture at the recipe's resolution.
        precision: the precision of the stored convolutions and linear layers.
    """

    shape: TraineeShape
    weights: WeightsFile
    scores: Mapping[Geometry, Score]
    curve: list[dict[str, str]]
    seconds: float
    parameters: int
    multiply_adds: int
    precision: Precision


@dataclass(frozen=True, slots=True, eq=False)
class Circumstances:
    """Facts that the cards of one training share.

    Attributes:
        lesson: the lesson.
        classes: the classes.
        data: the origin of the pictures, in a sentence.
        unreadable: the number of skipped pictures.
        origin: where the training was run.
    """

    lesson: Lesson
    classes: ClassList
    data: str
    unreadable: int
    origin: Origin

    @property
    def recipe(self) -> Recipe:
        """How."""
        return self.lesson.recipe


def name_recipe(lesson: Lesson) -> str:
    """Name a recipe by its name, seed and checksum; equal for two networks that were trained alike."""
    values = lesson.recipe
    return f"{values.name}, seed {values.seed}, {lesson.digest[:12]}"


def list_accuracy(trained: TrainedNetwork, circumstances: Circumstances) -> tuple[Accuracy, ...]:
    """The accuracies in the form of a lineup's card."""
    validation = circumstances.lesson.validation
    if validation is None:
        return ()
    return tuple(
        Accuracy(
            dataset=validation.name,
            pictures=score.pictures,
            geometry=geometry,
            resolution=circumstances.recipe.resolution,
            top1=round(score.top1, 4),
            top5=round(score.top5, 4),
        )
        for geometry, score in trained.scores.items()
    )


def format_lineup_card(name: str, networks: Mapping[NetworkName, TrainedNetwork], circumstances: Circumstances) -> str:
    """The TOML file that `load_lineup` reads."""
    shapes = [trained.shape for trained in networks.values()]
    recipe = circumstances.recipe
    card = LineupCard(
        name=name,
        title=title_lineup([(shape.architecture, shape.attention) for shape in shapes], len(circumstances.classes)),
        architecture=shapes[0].architecture,
        stride_placement=StridePlacement.V1_5,
        trained=True,
        labels="labels.json",
        provenance=(
            f"All networks were trained {_tell_beginnings(circumstances)} with cbam-lens train --lineup by the recipe "
            f"{recipe.name}, with the same pictures in the same order, the same schedule and seed {recipe.seed}. "
            f"{circumstances.data}"
        ),
        preprocessing=Preprocessing(
            mean=circumstances.lesson.preprocessing.mean,
            standard_deviation=circumstances.lesson.preprocessing.standard_deviation,
            geometry=recipe.geometries[0],
            resolution=recipe.resolution,
            crop_share=recipe.crop_share,
        ),
        folder_aliases=dict(circumstances.classes.aliases),
        networks={
            member: NetworkCard(
                attention=trained.shape.attention,
                file=trained.weights.path.name,
                sha256=trained.weights.sha256,
                card=f"{trained.shape.stem}.md",
                multiply_adds=trained.multiply_adds,
                recipe=name_recipe(circumstances.lesson),
                accuracy=list_accuracy(trained, circumstances),
            )
            for member, trained in networks.items()
        },
    )
    return format_toml(card.model_dump(mode="json"))


def format_model_card(trained: TrainedNetwork, circumstances: Circumstances) -> str:
    """Format the Markdown file for people, with a header for the Hugging Face Hub.

    Nobody but the owner of the weights can state their terms, so the header says that these are unknown.
    """
    shape, recipe = trained.shape, circumstances.recipe
    title = title_network(shape.architecture, shape.attention)
    side = recipe.resolution.value
    stored = "convolutions and linear layers fp16, the rest fp32" if trained.precision is Precision.FP16 else "fp32"
    facts = {
        "file": f"`{trained.weights.path.name}`",
        "sha256": f"`{trained.weights.sha256}`",
        "parameters": f"{trained.parameters:,}",
        "multiply-adds": f"{trained.multiply_adds / 1e9:.3f} G at {side} x {side}",
        "values": stored,
        "classes": f"{shape.class_count:,}, in `labels.json`",
        "input": f"RGB, `{recipe.geometries[0].value}` at {side}, {_tell_normalisation(recipe)}",
        "recipe": f"{name_recipe(circumstances.lesson)}; all fields are below",
        "commit": circumstances.origin.commit or "not in git",
        "computed on": circumstances.origin.device,
        "time": f"{trained.seconds:,.0f} seconds of training, without decoding and validation",
        "libraries": circumstances.origin.versions,
    }
    sections = (
        f"# Model card: {title}, {shape.class_count:,} classes",
        _tabulate(["", ""], [[name, value] for name, value in facts.items()]),
        "## Accuracy",
        _tell_accuracy(trained, circumstances),
        "## Training",
        _tell_training(shape, circumstances),
        "## Curve",
        _tell_curve(trained),
        "## Recipe",
        f"```toml\n{format_toml(recipe.model_dump(mode='json'))}```",
        "## Limits",
        f"It must answer with one of its {shape.class_count:,} classes, even if none fits. The training pictures have "
        "their own terms.",
    )
    header = format_header(
        [MeasuredModel(title, list_accuracy(trained, circumstances))],
        licence=Licence(),
        tags=list_tags(shape.architecture, [shape.attention]),
    )
    return "\n\n".join((header.rstrip(), *sections)) + "\n"


def _tell_normalisation(recipe: Recipe) -> str:
    usual = Preprocessing()
    if (recipe.mean, recipe.standard_deviation) == (usual.mean, usual.standard_deviation):
        return "ImageNet's mean and deviation"
    mean, deviation = (
        ", ".join(f"{value:g}" for value in lineup) for lineup in (recipe.mean, recipe.standard_deviation)
    )
    return f"mean {mean} and deviation {deviation} of values in 0..1"


def _tell_accuracy(trained: TrainedNetwork, circumstances: Circumstances) -> str:
    rows = [
        [
            row.dataset,
            f"{row.pictures:,}",
            f"`{row.geometry.value}`",
            str(row.resolution.value),
            f"{100 * row.top1:.2f} %",
            f"{100 * row.top5:.2f} %",
        ]
        for row in list_accuracy(trained, circumstances)
    ]
    if not rows:
        return "Not measured: no validation pictures were given."
    table = _tabulate(["data", "pictures", "geometry", "size", "top-1", "top-5"], rows)
    return f"Measured in float32 at the end of the training, on pictures that it was not trained on.\n\n{table}"


def _tell_beginnings(circumstances: Circumstances) -> str:
    beginnings = circumstances.lesson.beginnings.values()
    if not beginnings:
        return "from scratch"
    return f"on from earlier weights of each ({', '.join(beginning.provenance for beginning in beginnings)})"


def _tell_beginning(shape: TraineeShape, circumstances: Circumstances) -> str:
    beginning = circumstances.lesson.beginnings.get(shape.attention)
    if beginning is None:
        return "From scratch"
    checksum = "" if beginning.digest is None else f", sha256 {beginning.digest}"
    classifier = "" if beginning.has_classifier else " with a fresh classifier"
    return f"On from earlier weights ({beginning.provenance}{checksum}){classifier}"


def _tell_training(shape: TraineeShape, circumstances: Circumstances) -> str:
    lesson, recipe = circumstances.lesson, circumstances.recipe
    sampler = lesson.sampler
    sentences = [
        f"{_tell_beginning(shape, circumstances)}, on {len(sampler.store):,} pictures. {circumstances.data}",
        f"{circumstances.unreadable:,} pictures could not be read and were skipped.",
        f"{sampler.total_steps:,} steps of {recipe.batch_size}: {recipe.epochs} epochs.",
    ]
    if lesson.soft_labels is not None:
        sentences.append(
            f"An auxiliary head (dropped here) learned another network's probabilities, known for "
            f"{lesson.soft_labels.known:,} of the pictures; sha256 of the file {lesson.soft_labels.digest}."
        )
    if lesson.teacher is not None:
        sentences.append(f"It also learned from a teacher: {lesson.teacher.provenance}.")
    return " ".join(sentences)


def _tell_curve(trained: TrainedNetwork) -> str:
    """Tabulate some of the log's rows at the ends of epochs, evenly spread, including the last."""
    ends = [row for row in trained.curve if float(row["epoch"]).is_integer()]
    last = len(ends) - 1
    places = sorted({round(share * last / (CURVE_ROWS - 1)) for share in range(CURVE_ROWS)})
    shown = [name for name in ends[0] if name not in ("height", "width", "pictures_per_second")]
    rows = [[_shorten(ends[place][name]) for name in shown] for place in places]
    return _tabulate([name.replace("_", " ") for name in shown], rows)


def _shorten(value: str) -> str:
    return f"{float(value):.4g}" if "." in value else value


def _tabulate(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

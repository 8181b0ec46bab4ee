"""What each template is given: one frozen dataclass per template, and nothing else."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from app.model_table import CountRow
from app.render.colour_scale import Scale
from app.samples import Sample
from app.schemas import AnalysisAnswer, GateAnswer, PairDescription
from models.card import Accuracy

Layout = Literal["wide", "regular", "tall"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a select box."""

    value: str
    title: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class PageImage:
    """An image with its alternative text, and its size in pixels so that nothing moves when it arrives."""

    address: str
    description: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The form that takes a picture, or one of the gallery.

    Attributes:
        samples: the gallery.
        pairs: what may look at the picture; none where one pair alone is served.
        geometries, resolutions: how the picture may become the networks' input, the pair's own selected.
        max_upload_bytes: the largest picture.
        error: what was wrong with the last picture, or None.
    """

    samples: tuple[Sample, ...]
    pairs: tuple[Choice, ...]
    geometries: tuple[Choice, ...]
    resolutions: tuple[Choice, ...]
    max_upload_bytes: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """What both networks reached under one condition; None for one that was not measured there."""

    condition: str
    accuracies: tuple[Accuracy | None, ...]


@dataclass(frozen=True, slots=True)
class PairView:
    """A loaded pair.

    Attributes:
        description: the pair, as REST gives it.
        titles: both networks' names above their columns.
        training: what it was trained for, one sentence.
        accuracy: one row a condition; none where nothing was measured.
    """

    description: PairDescription
    titles: tuple[str, ...]
    training: str
    accuracy: tuple[AccuracyRow, ...]


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One of a network's likeliest classes; its address explains that class."""

    class_name: str
    probability: float
    address: str
    is_target: bool


@dataclass(frozen=True, slots=True)
class NetworkView:
    """One network's panel and its likeliest classes.

    Attributes:
        name: `baseline` or `cbam`.
        title: its name for people.
        image: the heat map over the picture.
        probability: P of the explained class, 0..1.
        maximum: the heat map's own highest value; 0 where there is no positive evidence.
        ranking: the likeliest classes, the likeliest first.
    """

    name: str
    title: str
    image: PageImage
    probability: float
    maximum: float
    ranking: tuple[RankedClass, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number that compares the maps; `reason` says why there is none where `value` is None."""

    title: str
    value: str | None
    explanation: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate as an image and in numbers.

    Attributes:
        image: the gate.
        size: how many positions or channels it has, `40 × 40` or `128 ch.`.
        numbers: its extremes, mean and deviation.
        is_flat: whether it treats everything alike.
    """

    image: PageImage
    size: str
    numbers: GateAnswer
    is_flat: bool


@dataclass(frozen=True, slots=True)
class BlockView:
    """The gates of one block.

    Attributes:
        name: the block's name, `layer1.0`.
        title: its place in the network in words.
        spatial, channel: the gates; None for one that this attention has not.
    """

    name: str
    title: str
    spatial: GateView | None
    channel: GateView | None


@dataclass(frozen=True, slots=True)
class Download:
    """A file to take away."""

    title: str
    address: str
    file_name: str


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Something went wrong.

    Attributes:
        title: the kind of problem.
        detail: rule, value and remedy.
        status: the HTTP status.
    """

    template: ClassVar[str] = "error.html"
    title: str
    detail: str
    status: int


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The first page: choose a picture.

    Attributes:
        pairs: the loaded pairs.
        upload: the form, with the gallery.
    """

    template: ClassVar[str] = "upload.html"
    pairs: tuple[PairView, ...]
    upload: UploadForm


@dataclass(frozen=True, slots=True)
class AnalysisPage:
    """Picture, baseline, CBAM, difference and every gate.

    Attributes:
        pair: the pair that looked.
        attention: the attention's name for people.
        other_pairs: the other loaded pairs, for another look at the same picture.
        answer: the comparison, as REST gives it.
        target_reason: a sentence that says why this class is explained.
        doubt: a sentence where the networks are not sure, or None.
        picture: the upright picture.
        networks: baseline, then CBAM.
        difference: CBAM minus baseline.
        difference_limit: the value at the ends of the difference's colours.
        layout: how the panels are laid out, by the picture's shape.
        colormap, scale, opacity: as chosen.
        classes, methods, stages, scales, colormaps: what can be chosen.
        measures: the numbers that compare the two maps.
        blocks: every block's gates in the order in which the blocks run.
        downloads: files to take away.
        geometry_sentence: what part of the picture the networks saw.
        geometry_warnings: sentences when the geometry is not the pair's own.
        upload: the form for the next picture.
    """

    template: ClassVar[str] = "analysis.html"
    pair: PairView
    attention: str
    other_pairs: tuple[Choice, ...]
    answer: AnalysisAnswer
    target_reason: str
    doubt: str | None
    picture: PageImage
    networks: tuple[NetworkView, ...]
    difference: PageImage
    difference_limit: float
    layout: Layout
    colormap: str
    scale: Scale
    opacity: float
    classes: tuple[Choice, ...]
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    scales: tuple[Choice, ...]
    colormaps: tuple[Choice, ...]
    measures: tuple[Measure, ...]
    blocks: tuple[BlockView, ...]
    downloads: tuple[Download, ...]
    geometry_sentence: str
    geometry_warnings: tuple[str, ...]
    upload: UploadForm


@dataclass(frozen=True, slots=True)
class ModelsPage:
    """What attention costs, network by network.

    Attributes:
        rows: the table.
        remarks: why figures of the paper's are others.
    """

    template: ClassVar[str] = "models.html"
    rows: tuple[CountRow, ...]
    remarks: tuple[str, ...]

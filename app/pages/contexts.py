"""What each template is given: one frozen dataclass per template, and nothing else."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from app.api.schemas import AnalysisAnswer, GateAnswer, PairDescription
from app.output.network_table import CountRow
from app.pages.gallery import Sample
from app.render.colour_scale import Scale
from models.lineups.card import Accuracy

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
        sheet_pictures: how many may be sent at once.
    """

    samples: tuple[Sample, ...]
    pairs: tuple[Choice, ...]
    geometries: tuple[Choice, ...]
    resolutions: tuple[Choice, ...]
    max_upload_bytes: int
    error: str | None = None
    sheet_pictures: int = 1


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
    """One of a network's likeliest classes.

    Attributes:
        class_name: its name.
        probability: P, 0..1.
        address: the page that explains this class.
        versus_address: the page that shows this class beside the explained one; None for what is shown already.
        is_target: whether it is the explained class.
    """

    class_name: str
    probability: float
    address: str
    versus_address: str | None
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
        peak: where that value is, one line; None where there is no positive evidence.
        share_above_half: the share of all evidence where the map is at least half that value; None likewise.
        ranking: the likeliest classes, the likeliest first.
    """

    name: str
    title: str
    image: PageImage
    probability: float
    maximum: float
    peak: str | None
    share_above_half: float | None
    ranking: tuple[RankedClass, ...]


@dataclass(frozen=True, slots=True)
class MapRow:
    """Both networks' maps for one class, and their difference.

    Attributes:
        class_name: the class.
        networks: baseline, then CBAM.
        maximum: the upper end of the scale that the two share.
        difference: CBAM minus baseline.
        difference_limit: the value at the ends of the difference's colours.
        removal: the page without this row; None for the row that is always there.
    """

    class_name: str
    networks: tuple[NetworkView, ...]
    maximum: float
    difference: PageImage
    difference_limit: float
    removal: str | None


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
        address: of the page that opens it.
        spatial, channel: the gates; None for one that this attention has not.
    """

    name: str
    title: str
    address: str
    spatial: GateView | None
    channel: GateView | None


@dataclass(frozen=True, slots=True)
class Download:
    """A file to take away."""

    title: str
    address: str
    file_name: str


@dataclass(frozen=True, slots=True)
class GateSelect:
    """What can be done to one kind of gate of some blocks; `title` is for screen readers."""

    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class PlaygroundRow:
    """Some blocks whose gates can be changed: all, a stage's, or one block's."""

    title: str
    is_block: bool
    selects: tuple[GateSelect, ...]


@dataclass(frozen=True, slots=True)
class Playground:
    """The gates as a thing to play with.

    Attributes:
        rows: all blocks, the stages, the blocks.
        kept: the page's other options, by name.
        address: the page's path.
        is_changed: whether any gate is.
        sentence: what the changes did; empty where there are none.
    """

    rows: tuple[PlaygroundRow, ...]
    kept: tuple[tuple[str, str], ...]
    address: str
    is_changed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One channel of an opened block before and after the gates; `gate` is empty without a channel gate."""

    title: str
    gate: str
    before: PageImage
    after: PageImage


@dataclass(frozen=True, slots=True)
class BlockPage:
    """A block opened.

    Attributes:
        title: its place in the network in words.
        name: the block's name.
        attention: the attention's name for people.
        is_trained: whether the pair was.
        address: of the analysis.
        previous, following: address and title of the blocks beside it on the walk; None at its ends.
        spatial, channel: the gates; None for one that this attention has not.
        sentences: how far the gates are from flat, and which branch decides.
        strongest, weakest: channels by what the channel gate lets through.
    """

    template: ClassVar[str] = "block.html"
    title: str
    name: str
    attention: str
    is_trained: bool
    address: str
    previous: tuple[str, str] | None
    following: tuple[str, str] | None
    spatial: PageImage | None
    channel: PageImage | None
    sentences: tuple[str, ...]
    strongest: tuple[ChannelView, ...]
    weakest: tuple[ChannelView, ...]


@dataclass(frozen=True, slots=True)
class SanityView:
    """One step of the sanity check.

    Attributes:
        title: what is random.
        networks: by network its title, its map and what it has in common with the learned one.
    """

    title: str
    networks: tuple[tuple[str, PageImage, str], ...]


@dataclass(frozen=True, slots=True)
class SanityPage:
    """Whether the maps depend on what was learned.

    Attributes:
        target: the explained class.
        method: how the maps were made.
        stage: whose output they explain.
        address: of the analysis.
        steps: the learned networks, then more and more of them random.
    """

    template: ClassVar[str] = "sanity.html"
    target: str
    method: str
    stage: int
    address: str
    steps: tuple[SanityView, ...]


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form that takes the server's token.

    Attributes:
        next: the path that the reader was on the way to.
        error: what was wrong with the last token, or None.
    """

    template: ClassVar[str] = "sign_in.html"

    next: str
    error: str | None = None


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
        networks: baseline, then CBAM, for the explained class.
        rows: the explained class, and the second one where there is one.
        versus: the second class's name, or an empty text.
        maps: the address of the maps' values.
        units: what these values are measured in, in words.
        layout: how the panels are laid out, by the picture's shape.
        colormap, scale, opacity: as chosen.
        classes, methods, stages, scales, colormaps: what can be chosen.
        measures: the numbers that compare the two maps.
        blocks: every block's gates in the order in which the blocks run.
        playground: the gates as a thing to play with.
        sanity: where the sanity check of this question is.
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
    rows: tuple[MapRow, ...]
    versus: str
    maps: str
    units: str
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
    playground: Playground
    sanity: str
    downloads: tuple[Download, ...]
    geometry_sentence: str
    geometry_warnings: tuple[str, ...]
    upload: UploadForm


@dataclass(frozen=True, slots=True)
class CameraPage:
    """Both networks on the live camera.

    Attributes:
        connection: the address of the WebSocket that answers frames.
        is_on: whether this server takes live pictures.
        pairs: what may look; none where one pair alone is served.
        classes: names that the networks know, for the class's text field.
        methods, stages: what can be chosen.
    """

    template: ClassVar[str] = "camera.html"
    connection: str
    is_on: bool
    pairs: tuple[Choice, ...]
    classes: tuple[str, ...]
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]


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


@dataclass(frozen=True, slots=True)
class SheetAnswer:
    """What both networks say about one picture of a sheet.

    Attributes:
        address: the analysis.
        class_name: the explained class.
        images: title and image of the picture, both maps and their difference.
        numbers: P of the class by each network, overlap and correlation, by their titles.
    """

    address: str
    class_name: str
    images: tuple[tuple[str, PageImage], ...]
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SheetRowView:
    """One picture of a sheet; `problem` is why there is no answer."""

    name: str
    answer: SheetAnswer | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class SheetPage:
    """Several pictures, a row each.

    Attributes:
        summary: how many there are, and how many were taken.
        address: of this page, without its query.
        rows: the pictures in the order in which they were sent.
        target: the explained class as it was asked for; empty for each picture's own.
        methods, stages, scales, colormaps: what can be chosen.
        kept: the page's other options, by name.
        downloads: files to take away.
    """

    template: ClassVar[str] = "sheet.html"
    summary: str
    address: str
    rows: tuple[SheetRowView, ...]
    target: str
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    scales: tuple[Choice, ...]
    colormaps: tuple[Choice, ...]
    kept: tuple[tuple[str, str], ...]
    downloads: tuple[Download, ...]

"""The options that page, REST and command line share, with their ranges and defaults."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from app.analysis.sheets import MOST_ROWS
from app.explain.methods import METHOD_HELP, Method
from app.render.colour_scale import Colormap, DifferenceScale, Scale
from app.render.overlay import Render
from app.render.sheet_layout import FigureWidth, SheetLayout
from models.names import Geometry, Resolution, Stage


def _empty_to_none(value: object) -> object:
    """Read an empty text as None: a form sends it for an option that was not chosen."""
    return None if value == "" else value


class Options(BaseModel):
    """Frozen options, each with a default."""

    model_config = ConfigDict(frozen=True)


MOST_INTERVENTIONS = 200


def _split_interventions(values: Sequence[str]) -> tuple[str, ...]:
    """Split texts at commas and drop empty ones, which a form sends for gates that stay as they are."""
    parts = tuple(part.strip() for value in values for part in value.split(",") if part.strip())
    if len(parts) > MOST_INTERVENTIONS:
        raise ValueError(f"has {len(parts)} changes; the limit is {MOST_INTERVENTIONS}; send fewer")
    return parts


Interventions = Annotated[
    Sequence[Annotated[str, Field(max_length=10_000)]],
    # A JSON body may have one text.
    BeforeValidator(lambda values: [values] if isinstance(values, str) else values),
    AfterValidator(_split_interventions),
    Field(
        max_length=MOST_INTERVENTIONS,
        description="Changes to the learned gates, as [NETWORK:]SCOPE:GATE:CHANGE; separate "
        "several by commas, or repeat the option. NETWORK is needed where several networks have gates. "
        "SCOPE is `all`, a stage (`stage4`) or a block (`layer3.1`); GATE `spatial`, `channel`, `row`, "
        "`column` or `joint`; CHANGE `neutral` (its own mean), `invert` (all but channel gates) or `drop-max`. The "
        "network was not retrained for them.",
        examples=[["all:spatial:neutral"], ["cbam:stage4:spatial:invert", "cbam:layer3.1:channel:drop-max"]],
    ),
]


class TargetOptions(Options):
    """The class, method and stage to explain."""

    target: str = Field(
        default="",
        max_length=200,
        description="Class to explain, by index or by name; empty for the class that the networks' mean "
        "probability ranks first. All networks explain the same class.",
        examples=["dalmatian", "30", ""],
    )
    method: Method = Field(default=Method.GRADCAM, description=METHOD_HELP)
    against: str = Field(
        default="",
        max_length=200,
        description="Only for `finercam`: the class, by index or by name, that the explained one is contrasted with; "
        "by default the three whose scores are nearest, which for the top guess are the next-likeliest ones.",
    )
    stage: Stage = Field(default=Stage.FOUR, description="The stage whose output is explained: 1 is fine, 4 is deep.")
    interventions: Interventions = ()


class GeometryOptions(Options):
    """How the picture becomes the networks' input."""

    geometry: Annotated[Geometry | None, BeforeValidator(_empty_to_none)] = Field(
        default=None, description="`whole` picture or `center_crop`; the lineup's own by default."
    )
    resolution: Annotated[Resolution | None, BeforeValidator(_empty_to_none)] = Field(
        default=None, description="Shorter side of the networks' input in pixels; the lineup's own by default."
    )


class PictureOptions(GeometryOptions):
    """Which lineup looks at the picture, and how it becomes their input."""

    lineup: str | None = Field(
        default=None,
        max_length=64,
        description="The lineup, by name, as `GET /lineups` lists them; the first by default.",
    )


class ColourOptions(Options):
    """How values become colours."""

    scale: Scale = Field(
        default=Scale.SHARED,
        description="`shared`: one maximum for all networks, so that they can be compared; `own`: one maximum per map.",
    )
    colormap: Colormap = Field(
        default=Colormap.VIRIDIS, description="The colour map, by matplotlib's name; the paper uses `jet`."
    )
    opacity: float = Field(default=0.5, ge=0, le=1, description="Opacity of the colours over the picture.")
    threshold: float = Field(
        default=0,
        ge=0,
        le=1,
        description="A line around where a heat map reaches this share of its scale's upper end; 0 draws none.",
    )


class MapOptions(TargetOptions, ColourOptions):
    """One network's heat map."""

    render: Render = Field(
        default=Render.OVERLAY,
        description="`overlay`: over the picture; `heatmap`: colours alone; `gray`: 256 steps of grey; "
        "`values`: these steps at the map's own size, without interpolation.",
    )


class ChannelOrder(StrEnum):
    """The order of a gate's channels."""

    INDEX = "index"
    """By the network's own channel numbers."""
    STRENGTH = "strength"
    """The channel with the largest gate comes first."""


class AttentionOptions(Options):
    """One gate of one block."""

    interventions: Interventions = ()
    order: ChannelOrder = Field(
        default=ChannelOrder.INDEX,
        description="The order of a channel gate's values: by channel number, or the strongest first.",
    )

    render: Render | None = Field(
        default=None,
        description="`overlay` (the default for a spatial gate), `heatmap` (the default for a channel gate), `gray` or "
        "`values` (one pixel per position or channel).",
    )
    colormap: Colormap = Field(
        default=Colormap.VIRIDIS, description="The colour map, on an absolute scale from 0 to 1."
    )
    opacity: float = Field(default=0.5, ge=0, le=1, description="Opacity of the colours over the picture.")


class Moment(StrEnum):
    """A feature map's place: before or after the gates."""

    BEFORE = "before"
    AFTER = "after"


class FeatureOptions(Options):
    """One channel's feature map in a block."""

    interventions: Interventions = ()
    render: Render = Field(default=Render.HEATMAP, description="As for a heat map.")
    opacity: float = Field(default=0.5, ge=0, le=1, description="Opacity of the colours over the picture.")


FEWEST_CONCEPTS, MOST_CONCEPTS = 2, 8


class ConceptOptions(Options):
    """The factorisation of a stage's features."""

    count: int = Field(
        default=5,
        ge=FEWEST_CONCEPTS,
        le=MOST_CONCEPTS,
        description="The number of concepts into which each network's features are divided.",
    )
    stage: Stage = Field(
        default=Stage.FOUR,
        description="The stage whose features are divided; only those of stage 4 can be classified.",
    )
    opacity: float = Field(default=0.7, ge=0, le=1, description="Opacity of the colours over the picture.")


class DifferenceScaleOptions(Options):
    """The ends of a difference's colours."""

    difference_scale: DifferenceScale = Field(
        default=DifferenceScale.OWN,
        description="Ends of the difference's colours, symmetric about 0: `own`: its own largest values, without "
        "outliers; `shared`: the upper end of the maps' scale.",
    )


class DifferenceNetworksOptions(Options):
    """The two networks of a difference; see `choose_difference`."""

    of: str = Field(default="", max_length=32, description="The network to subtract from; the last one by default.")
    minus: str = Field(default="", max_length=32, description="The network to subtract; the baseline by default.")


class DifferenceOptions(MapOptions, DifferenceScaleOptions, DifferenceNetworksOptions):
    """One network's heat map minus another's."""


class NetworksOptions(TargetOptions, ColourOptions):
    """Several networks' heat maps beside each other."""

    networks: str = Field(
        default="",
        max_length=200,
        description="The networks to show, by name and in this order, separated by commas; all by default.",
        examples=["baseline,cbam"],
    )


class PanelOptions(NetworksOptions, DifferenceScaleOptions, DifferenceNetworksOptions):
    """Several networks' heat maps, and the difference of two of them."""


class FigureOptions(PanelOptions):
    """The paper's figure, with more of what the page shows if it is asked for."""

    difference: bool = Field(default=False, description="Add the difference of two networks' maps, on its own scale.")
    versus: str = Field(
        default="", max_length=200, description="A second class, by index or by name, as a second row; none by default."
    )


class ArchiveOptions(PanelOptions):
    """All files about a picture."""


class SheetSort(StrEnum):
    """The order of a sheet's rows."""

    UPLOAD = "upload"
    """As they were uploaded."""
    OVERLAP = "overlap"
    """The maps that agree least come first."""
    OVERLAP_HIGH = "overlap-high"
    """The maps that agree most come first."""
    CHANGE = "change"
    """The largest change of P comes first."""
    GUESS = "guess"
    """The pictures for which the networks' first guesses differ come first."""
    HAND = "hand"
    """As somebody moved them: those of `order` come first."""


class SheetFilter(StrEnum):
    """Which rows of a sheet are shown."""

    ALL = "all"
    DISAGREE = "disagree"
    """Those for which the networks' first guesses differ."""


def _split_texts(values: object) -> object:
    """Split texts at commas and drop empty ones."""
    texts = [values] if isinstance(values, str) else values
    if not isinstance(texts, list | tuple):
        return texts
    return tuple(part.strip() for text in texts for part in str(text).split(",") if part.strip())


RowNumber = Annotated[int, Field(ge=1, le=MOST_ROWS)]
RowTarget = Annotated[str, Field(max_length=210)]
RowNumbers = Annotated[Sequence[RowNumber], BeforeValidator(_split_texts), Field(max_length=MOST_ROWS)]


class SheetOptions(ArchiveOptions):
    """Several pictures on one sheet."""

    layout: SheetLayout = Field(
        default=SheetLayout.ROWS,
        description="`rows`: a row per picture, with a difference; `columns`: a column per picture and a row per "
        "network, as in the paper.",
    )
    width: FigureWidth = Field(
        default=FigureWidth.NATURAL,
        description="Of a figure of columns: `column`, 3.25 inches, or `page`, 6.875 inches, as in a paper.",
    )
    sort: SheetSort = Field(default=SheetSort.UPLOAD, description="The order of the rows.")
    only: SheetFilter = Field(
        default=SheetFilter.ALL, description="`disagree`: only pictures for which the networks' first guesses differ."
    )
    order: RowNumbers = Field(
        default=(), description="With `sort=hand` the rows that come first, by their numbers; the others follow."
    )
    rows: RowNumbers = Field(default=(), description="The rows to show, by their numbers; all by default.")
    without: RowNumbers = Field(default=(), description="The rows to leave out, by their numbers.")
    row_target: Annotated[Sequence[RowTarget], BeforeValidator(_split_texts), Field(max_length=MOST_ROWS)] = Field(
        default=(), description="Classes of single rows, each as ROW:CLASS; the other rows explain `target`."
    )


class View(StrEnum):
    """The ways of showing the maps on a page."""

    SIDE = "side"
    """All panels side by side."""
    SWIPE = "swipe"
    """Two maps under a handle; a browser without JavaScript shows them side by side."""
    DIFFERENCE = "difference"
    """The picture and the difference."""


class Tab(StrEnum):
    """The parts of a comparison's page below the maps."""

    GUESSES = "guesses"
    ATTENTION = "attention"
    NUMBERS = "numbers"
    SANITY = "sanity"
    NETWORKS = "networks"


class PageOptions(ArchiveOptions):
    """Options of a comparison's page: a second class, the difference's two networks, the view and the opened tab."""

    view: View = View.SIDE
    tab: Tab = Tab.GUESSES

    versus: str = Field(default="", max_length=200)

    @field_validator("against")
    @classmethod
    def _leave_contrast(cls, against: str, given: ValidationInfo) -> str:
        # The select box changes the method and leaves the rest of the address as it is.
        return against if given.data.get("method") is Method.FINERCAM else ""

    sheet: str = Field(default="", max_length=4000, pattern=r"^([\w-]{1,64}(\?[\w=&:,.%+~*-]*)?(#row-\d+)?)?$")
    """The sheet from which the page was opened: its id, its options and the row."""


class SheetPageOptions(SheetOptions):
    """Options of a sheet's page: also a class that was just given to one row, and a row that was just moved."""

    change_row: int | None = Field(default=None, ge=1, le=MOST_ROWS)
    change_target: str = Field(default="", max_length=200)
    move_up: int | None = Field(default=None, ge=1, le=MOST_ROWS)
    move_down: int | None = Field(default=None, ge=1, le=MOST_ROWS)

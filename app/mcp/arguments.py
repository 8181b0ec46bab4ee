"""The tools' arguments: the options that page, REST and command line have, beside a picture's path."""

from pydantic import ConfigDict, Field

from app.analysis.options import (
    AttentionOptions,
    ConceptOptions,
    DifferenceOptions,
    FigureOptions,
    GeometryOptions,
    MapOptions,
    Options,
    TargetOptions,
)
from models.names import GateKind

SIDE_PIXELS = 768
FIGURE_SIDE_PIXELS = 1536
"""The longer side of an image and of a figure unless another one is chosen: some clients refuse answers of more than
1 MB, and models with eyes see no more than about 1,500 pixels."""


class Arguments(Options):
    """Arguments of a tool; a name that it does not know is an error, and a number stands for its text."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class LineupArguments(Arguments):
    """The search for classes."""

    classes: str = Field(
        default="", max_length=200, description="List the classes whose names contain this text; none by default."
    )


class PictureArguments(Arguments, GeometryOptions):
    """The picture."""

    picture: str = Field(
        min_length=1,
        max_length=4096,
        description="Path of a picture file on this machine, best an absolute one: JPEG, PNG, WebP, BMP, GIF, TIFF, "
        "AVIF or HEIC. Addresses are not read.",
    )


class ImageArguments(PictureArguments):
    """The size of an image."""

    max_side: int = Field(default=SIDE_PIXELS, ge=32, le=4096, description="The image's longer side in pixels.")


class CompareArguments(TargetOptions, PictureArguments):
    """The numbers of a comparison."""

    gates: bool = Field(default=False, description="Add every block's gates in numbers; long for deep networks.")


class HeatMapArguments(MapOptions, ImageArguments):
    """One network's heat map."""

    network: str = Field(default="", max_length=32, description="The network, by name; the last one by default.")


class DifferenceArguments(DifferenceOptions, ImageArguments):
    """One network's heat map minus another's."""


class FigureArguments(FigureOptions, ImageArguments):
    """The picture and every network side by side."""

    max_side: int = Field(
        default=FIGURE_SIDE_PIXELS, ge=32, le=4096, description="The figure's longer side in pixels, at most."
    )


class ConceptsArguments(ConceptOptions, PictureArguments):
    """One network's concepts."""

    max_side: int = Field(default=SIDE_PIXELS, ge=32, le=2048, description="The image's longer side in pixels.")
    network: str = Field(default="", max_length=32, description="The network, by name; the last one by default.")


class GateArguments(AttentionOptions, ImageArguments):
    """One gate of one block."""

    network: str = Field(
        default="", max_length=32, description="A network with gates, by name; the last such network by default."
    )
    block: str = Field(default="", max_length=100, description="The block, by name; the network's last by default.")
    kind: GateKind | None = Field(default=None, description="Which gate; the block's main one by default.")

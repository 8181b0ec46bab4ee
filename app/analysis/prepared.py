"""A decoded picture on its way to the networks."""

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from app.analysis.analyses import PREVIEW_SIDE_PIXELS, Analysis, Picture
from app.analysis.options import GeometryOptions
from app.decoding.parts import DECODER, DecodedParts, DecodingRequest, Input
from app.engine.traces import LineupTrace
from app.errors import refuse_choice
from app.explain.maps import FloatArray
from models.lineups.card import LineupCard
from models.names import Geometry, Resolution, Stage
from models.pictures.placement import Placement, place
from models.pictures.preparation import normalise

REDUCTION_MARGIN = 1.5
"""A picture is decoded at no less than this many times the networks' resolution: less would blur their input."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPicture:
    """A picture that the networks have not seen yet.

    Attributes:
        card: the card of the lineup that it is prepared for.
        source, placement, geometry, resolution: as in `Analysis`.
        values: the networks' input, (3, H, W).
    """

    card: LineupCard
    source: Picture
    placement: Placement
    geometry: Geometry
    resolution: Resolution
    values: FloatArray

    def complete(self, traces: LineupTrace) -> Analysis:
        """The analysis, once the networks have traced the picture."""
        return Analysis(self.card, self.source, self.placement, self.geometry, self.resolution, traces)


def prepare_picture(data: bytes, card: LineupCard, options: GeometryOptions, *, max_pixels: int) -> PreparedPicture:
    """Decode an upload and make the networks' input from it.

    Args:
        data: the uploaded bytes.
        card: the lineup's card; its geometry and resolution are the defaults.
        options: how the picture becomes the input.
        max_pixels: the largest width times height that may be decoded.

    Raises:
        InvalidOption: for a resolution at which these networks have no maps, and a geometry that they do not accept.
        LensError: see `Decoder`.
    """
    geometry = choose_geometry(card, options)
    resolution = choose_resolution(card, options)
    wanted = Input(geometry, resolution, card.preprocessing.crop_share)
    decoded, seen = _decode(data, wanted, max_pixels)
    placement = place(decoded.width, decoded.height, **asdict(wanted))
    values = normalise(seen, card.preprocessing)
    source = Picture(data, decoded, max_pixels=max_pixels)
    return PreparedPicture(card, source, placement, geometry, resolution, values)


def _decode(data: bytes, wanted: Input, max_pixels: int) -> tuple[DecodedParts, NDArray[np.uint8]]:
    """The decoded picture, and the pixels of the networks' input, (H, W, 3)."""
    enough = math.ceil(wanted.resolution / wanted.crop_share * REDUCTION_MARGIN)
    request = DecodingRequest(max_pixels, shorter_side=enough, longer_side=PREVIEW_SIDE_PIXELS, input=wanted)
    decoded = DECODER.get()(data, request)
    assert decoded.seen is not None  # noqa: S101  # it was wanted
    return decoded, decoded.seen


def check_stage(card: LineupCard, stage: Stage) -> None:
    """Refuse a stage that the networks lack; raises `InvalidOption`."""
    if stage not in card.stages:
        raise refuse_choice("stage", str(stage.value), [str(known.value) for known in card.stages])


def choose_geometry(card: LineupCard, options: GeometryOptions) -> Geometry:
    """The part of the picture that the networks see: the options' choice, else the lineup's own.

    Raises:
        InvalidOption: for a geometry that these networks do not accept.
    """
    geometry = options.geometry or card.preprocessing.geometry
    if geometry not in card.geometries:
        raise refuse_choice("geometry", geometry.value, [known.value for known in card.geometries])
    return geometry


def choose_resolution(card: LineupCard, options: GeometryOptions) -> Resolution:
    """The input's shorter side: the options' choice, else the lineup's own.

    Raises:
        InvalidOption: for a resolution at which these networks have no maps.
    """
    resolution = options.resolution or card.preprocessing.resolution
    if resolution not in card.resolutions:
        raise refuse_choice("resolution", str(resolution.value), [str(known.value) for known in card.resolutions])
    return resolution


def prepare_again(analysis: Analysis, *, max_pixels: int) -> FloatArray:
    """Make the networks' input, (3, H, W), again from an analysed picture.

    Args:
        analysis: the picture's analysis.
        max_pixels: the largest width times height that may be decoded.
    """
    wanted = Input(analysis.geometry, analysis.resolution, analysis.card.preprocessing.crop_share)
    _, seen = _decode(analysis.source.data, wanted, max_pixels)
    return normalise(seen, analysis.card.preprocessing)

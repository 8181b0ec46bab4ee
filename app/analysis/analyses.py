"""An analysis: one picture traced through every network of a lineup."""

import math
import secrets
from dataclasses import dataclass, field

from PIL import Image

from app.engine.traces import LineupTrace
from models.lineups.card import LineupCard
from models.names import Geometry, Resolution
from models.pictures.decoding import DecodedPicture, decode_picture, decode_reduced
from models.pictures.fitting import find_ratio, shrink
from models.pictures.placement import Placement

PREVIEW_SIDE_PIXELS = 1024
"""The longer side of the copy that is kept decoded, for drawing on the page."""


class Picture:
    """An uploaded picture: its bytes, and a decoded copy for the screen once it is asked for.

    Args:
        data: the uploaded bytes.
        decoded: what was decoded for the networks.
    """

    def __init__(self, data: bytes, decoded: DecodedPicture) -> None:
        self.width, self.height = decoded.width, decoded.height
        self.data = data
        # A copy that was reduced for the networks is too small to be shown.
        self._preview = None if decoded.is_reduced else shrink(decoded.image, PREVIEW_SIDE_PIXELS)

    def __getstate__(self) -> dict[str, object]:
        # On its way to another process, which makes the copy for the screen again when it is asked for.
        return {**self.__dict__, "_preview": None}

    @property
    def size_bytes(self) -> int:
        """About the memory it takes, with its copy for the screen."""
        ratio = find_ratio(self.width, self.height, longer=PREVIEW_SIDE_PIXELS)
        return len(self.data) + int(3 * self.width * self.height * ratio**2)

    def draw(self, *, max_side: int | None) -> Image.Image:
        """Upright RGB, its longer side at most `max_side` pixels; its own size for None."""
        if max(self.width, self.height) <= PREVIEW_SIDE_PIXELS or (max_side or math.inf) <= PREVIEW_SIDE_PIXELS:
            picture = self._draw_preview()
        else:
            picture = decode_picture(self.data, max_pixels=self.width * self.height)
        return picture if max_side is None else shrink(picture, max_side)

    def _draw_preview(self) -> Image.Image:
        # Two threads may decode it at once; both get the same picture.
        if self._preview is None:
            ratio = find_ratio(self.width, self.height, longer=PREVIEW_SIDE_PIXELS)
            enough = math.ceil(min(self.width, self.height) * ratio)
            decoded = decode_reduced(self.data, max_pixels=self.width * self.height, shorter_side=enough)
            self._preview = shrink(decoded.image, PREVIEW_SIDE_PIXELS)
        return self._preview


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Analysis:
    """One picture and everything that one forward pass of each network said about it.

    Attributes:
        card: of the lineup that traced it.
        source: the picture.
        placement: where the networks' input lies on the picture.
        geometry: how it was made.
        resolution: its shorter side in pixels.
        traces: by network, what it computed.
        id: unguessable.
    """

    card: LineupCard
    source: Picture
    placement: Placement
    geometry: Geometry
    resolution: Resolution
    traces: LineupTrace
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def size_bytes(self) -> int:
        """About the memory it takes: upload, its copy for the screen, and traces."""
        return self.source.size_bytes + sum(trace.size_bytes for trace in self.traces.values())

    def picture(self, *, max_side: int | None) -> Image.Image:
        """The upright RGB picture, its longer side at most `max_side` pixels; its own size for None."""
        return self.source.draw(max_side=max_side)

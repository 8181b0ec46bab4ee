"""An analysis: one picture traced through every network of a lineup."""

import math
import secrets
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from PIL import Image

from app.decoding.parts import DECODER, DecodedParts, DecodingRequest
from app.engine.traces import LineupTrace
from models.lineups.card import LineupCard
from models.names import Geometry, Resolution
from models.pictures.fitting import find_ratio, fit_screen
from models.pictures.placement import Placement

PREVIEW_SIDE_PIXELS = 1024
"""The longer side of the copy that is kept decoded, for drawing on the page."""

SCREEN_BYTES_PER_PIXEL = 4
"""Pillow gives RGB pixels four bytes each."""


class SharedPicture:
    """A decoded picture, shared by all who draw it at the same time and forgotten when the last of them is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: weakref.ReferenceType[Image.Image] | None = None

    def get(self, decode: Callable[[], Image.Image]) -> Image.Image:
        """The picture that somebody still draws, or a new one; whoever comes meanwhile waits for that one."""
        with self._lock:
            picture = None if self._alive is None else self._alive()
            if picture is None:
                picture = decode()
                self._alive = weakref.ref(picture)
            return picture


class Picture:
    """An uploaded picture: its bytes, and a decoded copy for the screen, made on first use.

    Args:
        data: the uploaded bytes.
        decoded: the picture as it was decoded for the networks, its longer side at most `PREVIEW_SIDE_PIXELS`.
        max_pixels: the limit within which it was decoded.

    Attributes:
        width, height: the upright picture's size in pixels.
        values: the file's values that became black and white, where it has more than 8 bits; None otherwise.
        pages: the number of pages in its file, of which it is the first.
        data: the uploaded bytes.
    """

    def __init__(self, data: bytes, decoded: DecodedParts, *, max_pixels: int) -> None:
        self.width, self.height = decoded.width, decoded.height
        self.values, self.pages = decoded.values, decoded.pages
        self._max_pixels = max_pixels
        self.data = data
        # A picture that was decoded at a reduced size for the networks is too small for the screen.
        self._preview = decoded.picture
        self._full = SharedPicture()

    def __getstate__(self) -> dict[str, object]:
        # Decoded copies stay here: another process makes its own when it needs one.
        return {name: value for name, value in self.__dict__.items() if name not in {"_preview", "_full"}}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__ |= state
        self._preview, self._full = None, SharedPicture()

    @property
    def size_bytes(self) -> int:
        """The approximate memory of the upload and its copy for the screen."""
        ratio = find_ratio(self.width, self.height, longer=PREVIEW_SIDE_PIXELS)
        return len(self.data) + int(SCREEN_BYTES_PER_PIXEL * self.width * self.height * ratio**2)

    def draw(self, *, max_side: int | None) -> Image.Image:
        """The upright RGB picture, fitted into `max_side` pixels, enlarged if it is tiny; at full size for None."""
        if max(self.width, self.height) <= PREVIEW_SIDE_PIXELS or (max_side or math.inf) <= PREVIEW_SIDE_PIXELS:
            picture = self._draw_preview()
        elif max_side is None:
            # The panels of one picture are asked for at once, and decoding 12 MP takes as long as drawing them.
            picture = self._full.get(partial(self._decode, DecodingRequest(self._max_pixels)))
        else:
            picture = self._decode(DecodingRequest(self._max_pixels, longer_side=max_side))
        return picture if max_side is None else fit_screen(picture, max_side)

    def _draw_preview(self) -> Image.Image:
        # Two threads may decode it at once; both get the same picture.
        if self._preview is None:
            ratio = find_ratio(self.width, self.height, longer=PREVIEW_SIDE_PIXELS)
            enough = math.ceil(min(self.width, self.height) * ratio)
            request = DecodingRequest(self._max_pixels, shorter_side=enough, longer_side=PREVIEW_SIDE_PIXELS)
            self._preview = self._decode(request)
        return self._preview

    def _decode(self, request: DecodingRequest) -> Image.Image:
        picture = DECODER.get()(self.data, request).picture
        assert picture is not None  # noqa: S101  # left out beside an input alone
        return picture


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Analysis:
    """One picture and the trace of one forward pass of each network.

    Attributes:
        card: the card of the lineup that traced it.
        source: the picture.
        placement: where the networks' input lies on the picture.
        geometry: which part of the picture the input shows.
        resolution: the input's shorter side in pixels.
        traces: each network's trace, by its name.
        name: the picture's name for people, see `clean_name`; empty for one that came without.
        made_at: when the networks saw the picture, in seconds since 1970.
        id: an unguessable name.
    """

    card: LineupCard
    source: Picture
    placement: Placement
    geometry: Geometry
    resolution: Resolution
    traces: LineupTrace
    name: str = ""
    made_at: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def size_bytes(self) -> int:
        """The approximate memory of the upload, its copy for the screen, and the traces."""
        return self.source.size_bytes + sum(trace.size_bytes for trace in self.traces.values())

    def picture(self, *, max_side: int | None) -> Image.Image:
        """The upright RGB picture, its longer side at most `max_side` pixels; at full size for None."""
        return self.source.draw(max_side=max_side)

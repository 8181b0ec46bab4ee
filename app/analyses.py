"""An analysis, one picture traced through both networks, and the cache that keeps it for later questions."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from cachetools import LRUCache, TTLCache
from PIL import Image

from app.engine import PairTrace
from app.errors import AnalysisGone
from app.explain.image_input import decode_picture
from app.explain.maps import FloatArray, HeatMap
from app.explain.methods import Method
from app.explain.placement import Placement
from models.names import Geometry, NetworkName, Resolution, Stage

PREVIEW_SIDE_PIXELS = 1024
"""The longer side of the copy that is kept decoded, for drawing on the page."""

HEAT_MAPS_PER_ANALYSIS = 64

HeatMapKey = tuple[int, Method, Stage]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """One picture and everything that one forward pass of each network said about it.

    Attributes:
        id: unguessable.
        data: the uploaded bytes, from which the full picture is decoded again when it is needed.
        preview: upright RGB, its longer side at most `PREVIEW_SIDE_PIXELS`.
        placement: where the networks' input lies on the picture.
        geometry: how it was made.
        resolution: its shorter side in pixels.
        traces: what each network left behind.
        heat_maps: pairs of maps that were asked for before, by class, method and stage.
    """

    data: bytes
    preview: Image.Image
    placement: Placement
    geometry: Geometry
    resolution: Resolution
    traces: PairTrace
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    heat_maps: LRUCache[HeatMapKey, Mapping[NetworkName, HeatMap]] = field(
        default_factory=lambda: LRUCache(HEAT_MAPS_PER_ANALYSIS)
    )

    @property
    def logits(self) -> Mapping[NetworkName, FloatArray]:
        """Each network's logits, (K,)."""
        return {name: trace.logits for name, trace in self.traces.items()}

    @property
    def size_bytes(self) -> int:
        """About the memory it takes: upload, preview and traces."""
        traces = sum(trace.size_bytes for trace in self.traces.values())
        return len(self.data) + 3 * self.preview.width * self.preview.height + traces

    def picture(self, *, max_side: int | None) -> Image.Image:
        """The upright RGB picture, its longer side at most `max_side` pixels; its own size for None."""
        if max_side is None:
            size = self.placement.picture_width * self.placement.picture_height
            if size == self.preview.width * self.preview.height:
                return self.preview
            return decode_picture(self.data, max_pixels=size)
        picture = self.preview if max_side <= PREVIEW_SIDE_PIXELS else self.picture(max_side=None)
        return shrink(picture, max_side)


def shrink(picture: Image.Image, max_side: int) -> Image.Image:
    """The picture with its longer side at most `max_side` pixels, or itself where it fits."""
    ratio = max_side / max(picture.size)
    if ratio >= 1:
        return picture
    size = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


class AnalysisStore:
    """Analyses by id, bounded in bytes and in time; the least recently used leaves first.

    Args:
        max_bytes: memory for all of them.
        seconds: how long one is kept after it was made.
    """

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        self._analyses: TTLCache[str, Analysis] = TTLCache(
            max_bytes, seconds, getsizeof=lambda analysis: analysis.size_bytes
        )
        self._lock = threading.Lock()

    def add(self, analysis: Analysis) -> None:
        """Keep an analysis; one that is larger than the whole store is not kept, and is soon asked for in vain."""
        with self._lock:
            if analysis.size_bytes <= self._analyses.maxsize:
                self._analyses[analysis.id] = analysis

    def get(self, analysis_id: str) -> Analysis:
        """The analysis; raises `AnalysisGone`."""
        with self._lock:
            analysis = self._analyses.get(analysis_id)
        if analysis is None:
            raise AnalysisGone(_GONE)
        return analysis

    def remove(self, analysis_id: str) -> None:
        """Forget the analysis; raises `AnalysisGone`."""
        with self._lock:
            if self._analyses.pop(analysis_id, None) is None:
                raise AnalysisGone(_GONE)


_GONE = "no analysis has this id, or it has left the cache; send the picture again"

"""An analysis, one picture traced through both networks, and the cache that keeps it for later questions."""

import math
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from cachetools import LRUCache, TTLCache
from PIL import Image

from app.engine.work import NetworkTrace, PairTrace
from app.errors import AnalysisGone
from app.explain.maps import HeatMap, OpenBlock
from app.explain.methods import Method
from models.attention.interventions import Intervention
from models.lineups.card import PairCard
from models.names import Geometry, NetworkName, Resolution, Stage
from models.networks.randomisation import Randomisation
from models.pictures.decoding import DecodedPicture, decode_picture, decode_reduced
from models.pictures.fitting import find_ratio, shrink
from models.pictures.placement import Placement

PREVIEW_SIDE_PIXELS = 1024
"""The longer side of the copy that is kept decoded, for drawing on the page."""

HEAT_MAPS_PER_ANALYSIS = 64

HeatMapKey = tuple[int, Method, Stage]

ALTERATIONS_PER_ANALYSIS = 8
FORGOTTEN_PER_ANALYSIS = 24
OPENED_PER_ANALYSIS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Alteration:
    """What the network with attention says of a picture when its gates are changed.

    Attributes:
        trace: its logits and the changed gates; its features are not kept.
        heat_maps: those that were asked for before.
    """

    trace: NetworkTrace
    heat_maps: LRUCache[HeatMapKey, HeatMap] = field(default_factory=lambda: LRUCache(HEAT_MAPS_PER_ANALYSIS))


class Picture:
    """An uploaded picture: its bytes, and a decoded copy for the screen as soon as one is wanted.

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
        # On its way to another process; there the copy for the screen is made again as soon as it is wanted.
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


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """One picture and everything that one forward pass of each network said about it.

    Attributes:
        card: of the pair that traced it.
        id: unguessable.
        source: the picture.
        placement: where the networks' input lies on the picture.
        geometry: how it was made.
        resolution: its shorter side in pixels.
        traces: what each network left behind.
        heat_maps: pairs of maps that were asked for before, by class, method and stage.
        alterations: what was asked for before with changed gates.
        opened: blocks that were looked into, by name and changed gates.
        forgotten: pairs of maps that were asked for before of networks with random weights.
    """

    card: PairCard
    source: Picture
    placement: Placement
    geometry: Geometry
    resolution: Resolution
    traces: PairTrace
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    heat_maps: LRUCache[HeatMapKey, Mapping[NetworkName, HeatMap]] = field(
        default_factory=lambda: LRUCache(HEAT_MAPS_PER_ANALYSIS)
    )
    alterations: LRUCache[tuple[Intervention, ...], Alteration] = field(
        default_factory=lambda: LRUCache(ALTERATIONS_PER_ANALYSIS)
    )
    opened: LRUCache[tuple[str, tuple[Intervention, ...]], OpenBlock] = field(
        default_factory=lambda: LRUCache(OPENED_PER_ANALYSIS)
    )
    forgotten: LRUCache[tuple[HeatMapKey, Randomisation], Mapping[NetworkName, HeatMap]] = field(
        default_factory=lambda: LRUCache(FORGOTTEN_PER_ANALYSIS)
    )

    @property
    def size_bytes(self) -> int:
        """About the memory it takes: upload, its copy for the screen, and traces."""
        return self.source.size_bytes + sum(trace.size_bytes for trace in self.traces.values())

    def picture(self, *, max_side: int | None) -> Image.Image:
        """The upright RGB picture, its longer side at most `max_side` pixels; its own size for None."""
        return self.source.draw(max_side=max_side)


class Kept(Protocol):
    """What a store keeps: an analysis, or one on its way."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def size_bytes(self) -> int:
        """About the memory it takes."""


KeptType = TypeVar("KeptType", bound=Kept)


class Store(Generic[KeptType]):
    """Analyses by id, bounded in bytes and in time; the least recently used leaves first.

    Args:
        max_bytes: memory for all of them.
        seconds: how long one is kept after it was made.

    Attributes:
        hits, misses: how often one was asked for that was there, and that was not.
    """

    def __init__(self, *, max_bytes: int, seconds: float) -> None:
        self.hits = self.misses = 0
        self._analyses: TTLCache[str, KeptType] = TTLCache(
            max_bytes, seconds, getsizeof=lambda analysis: analysis.size_bytes
        )
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._analyses)

    @property
    def size_bytes(self) -> float:
        """About the memory of all that are kept."""
        with self._lock:
            self._analyses.expire()
            return float(self._analyses.currsize)

    def add(self, analysis: KeptType) -> None:
        """Keep an analysis; one that is larger than the whole store is not kept, and is soon asked for in vain."""
        with self._lock:
            if analysis.size_bytes <= self._analyses.maxsize:
                self._analyses[analysis.id] = analysis

    def get(self, analysis_id: str) -> KeptType:
        """The analysis; raises `AnalysisGone`."""
        with self._lock:
            analysis = self._analyses.get(analysis_id)
            self.hits += analysis is not None
            self.misses += analysis is None
        if analysis is None:
            raise AnalysisGone(GONE)
        return analysis

    def remove(self, analysis_id: str) -> None:
        """Forget the analysis; raises `AnalysisGone`."""
        with self._lock:
            if self._analyses.pop(analysis_id, None) is None:
                raise AnalysisGone(GONE)


class AnalysisStore(Store[Analysis]):
    """A store of whole analyses."""


GONE = "no analysis has this id, or it has left the cache; send the picture again"

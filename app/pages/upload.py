"""The first page, and the form that takes a picture there and on the page of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.api.schemas import build_pair_description
from app.pages.choices import Choice, list_geometries, list_pairs, list_resolutions
from app.pages.gallery import SAMPLES, Sample
from app.pages.pair import PairView, build_pair_view
from app.settings import Settings
from models.lineups.pair import NetworkPair


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
class UploadPage:
    """The first page: choose a picture.

    Attributes:
        pairs: the loaded pairs.
        upload: the form, with the gallery.
    """

    template: ClassVar[str] = "upload.html"
    pairs: tuple[PairView, ...]
    upload: UploadForm


def build_upload_page(pairs: Sequence[NetworkPair], settings: Settings, *, error: str | None = None) -> UploadPage:
    """The first page.

    Args:
        pairs: what is served; the first one is selected.
        settings: their limits are told.
        error: what was wrong with what was sent, or None.
    """
    return UploadPage(
        pairs=tuple(build_pair_view(build_pair_description(pair)) for pair in pairs),
        upload=build_upload_form(pairs, settings, selected=pairs[0].card.name, error=error),
    )


def build_upload_form(
    pairs: Sequence[NetworkPair], settings: Settings, *, selected: str, error: str | None = None
) -> UploadForm:
    """The form, with the pair of that name selected; see `build_upload_page`."""
    cards = [pair.card for pair in pairs]
    # With several to choose from, what is a pair's own is known only when it was chosen.
    own = cards[0].preprocessing if len(cards) == 1 else None
    return UploadForm(
        samples=SAMPLES,
        pairs=list_pairs(cards, selected=selected),
        geometries=list_geometries(own.geometry if own else None),
        resolutions=list_resolutions(own.resolution if own else None),
        max_upload_bytes=settings.max_upload_bytes,
        error=error,
        sheet_pictures=settings.sheet_pictures,
    )

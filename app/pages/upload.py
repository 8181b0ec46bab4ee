"""The first page, and the form that takes a picture there and on the page of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.api.schemas import build_lineup_description
from app.pages.choices import Choice, list_geometries, list_lineups, list_resolutions
from app.pages.gallery import SAMPLES, Sample
from app.pages.lineup import LineupView, build_lineup_view
from app.settings import Settings
from models.lineups.lineup import Lineup


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The form that takes a picture, or one of the gallery.

    Attributes:
        samples: the gallery.
        lineups: what may look at the picture; none where one lineup alone is served.
        geometries, resolutions: how the picture may become the networks' input, the lineup's own selected.
        max_upload_bytes: the largest picture.
        error: what was wrong with the last picture, or None.
        sheet_pictures: how many may be sent at once.
    """

    samples: tuple[Sample, ...]
    lineups: tuple[Choice, ...]
    geometries: tuple[Choice, ...]
    resolutions: tuple[Choice, ...]
    max_upload_bytes: int
    error: str | None = None
    sheet_pictures: int = 1


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The first page: choose a picture.

    Attributes:
        lineups: the loaded lineups.
        upload: the form, with the gallery.
    """

    template: ClassVar[str] = "upload.html"
    lineups: tuple[LineupView, ...]
    upload: UploadForm


def build_upload_page(lineups: Sequence[Lineup], settings: Settings, *, error: str | None = None) -> UploadPage:
    """The first page.

    Args:
        lineups: what is served; the first one is selected.
        settings: their limits are told.
        error: what was wrong with what was sent, or None.
    """
    return UploadPage(
        lineups=tuple(build_lineup_view(build_lineup_description(lineup)) for lineup in lineups),
        upload=build_upload_form(lineups, settings, selected=lineups[0].card.name, error=error),
    )


def build_upload_form(
    lineups: Sequence[Lineup], settings: Settings, *, selected: str, error: str | None = None
) -> UploadForm:
    """The form, with the lineup of that name selected; see `build_upload_page`."""
    cards = [lineup.card for lineup in lineups]
    # With several to choose from, what is a lineup's own is known only when it was chosen.
    own = cards[0].preprocessing if len(cards) == 1 else None
    return UploadForm(
        samples=SAMPLES,
        lineups=list_lineups(cards, selected=selected),
        geometries=list_geometries(own.geometry if own else None),
        resolutions=list_resolutions(own.resolution if own else None),
        max_upload_bytes=settings.max_upload_bytes,
        error=error,
        sheet_pictures=settings.sheet_pictures,
    )

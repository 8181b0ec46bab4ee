"""The first page, and the upload form, which is also on the page of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.api.lineups import build_lineup_description
from app.pages.choices import Choice, list_geometries, list_lineups, list_resolutions
from app.pages.gallery import SAMPLES, Sample
from app.pages.lineup import LineupView, build_lineup_view
from app.settings import Settings
from models.lineups.lineup import Lineup


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The form for an uploaded picture or one of the gallery.

    Attributes:
        samples: the gallery.
        lineups: the choices of lineups; empty if only one is served.
        geometries, resolutions: the choices of the networks' input, with the lineup's default selected.
        max_upload_bytes: the size limit of a picture.
        error: the error of the last picture, or None.
        sheet_pictures: the limit of pictures at once.
        kept_seconds: how long the server keeps a picture.
        writes_to_disk: whether it keeps pictures on disk, too.
    """

    samples: tuple[Sample, ...]
    lineups: tuple[Choice, ...]
    geometries: tuple[Choice, ...]
    resolutions: tuple[Choice, ...]
    max_upload_bytes: int
    error: str | None = None
    sheet_pictures: int = 1
    kept_seconds: float = 3600
    writes_to_disk: bool = False


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The first page, for choosing a picture.

    Attributes:
        lineups: the loaded lineups.
        upload: the form, with the gallery.
    """

    template: ClassVar[str] = "upload.html"
    lineups: tuple[LineupView, ...]
    upload: UploadForm


def build_upload_page(lineups: Sequence[Lineup], settings: Settings, *, error: str | None = None) -> UploadPage:
    """Build the first page.

    Args:
        lineups: the served lineups; the first one is selected.
        settings: the server's settings, for the limits.
        error: the error of the last upload, or None.
    """
    return UploadPage(
        lineups=tuple(build_lineup_view(build_lineup_description(lineup)) for lineup in lineups),
        upload=build_upload_form(lineups, settings, selected=lineups[0].card.name, error=error),
    )


def build_upload_form(
    lineups: Sequence[Lineup], settings: Settings, *, selected: str, error: str | None = None
) -> UploadForm:
    """Build the form, with the lineup of that name selected; see `build_upload_page`."""
    cards = [lineup.card for lineup in lineups]
    # With several lineups, the default is known only when one is chosen.
    own = cards[0] if len(cards) == 1 else None
    return UploadForm(
        samples=SAMPLES,
        lineups=list_lineups(cards, selected=selected),
        geometries=list_geometries(own),
        resolutions=list_resolutions(own),
        max_upload_bytes=settings.max_upload_bytes,
        error=error,
        sheet_pictures=settings.sheet_pictures,
        kept_seconds=settings.kept_seconds,
        writes_to_disk=settings.store is not None,
    )

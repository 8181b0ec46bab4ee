"""The page of the measurements, and its pictures."""

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from app.api.lineups import build_lineup_description
from app.pages.evidence.commands import pair_options
from app.pages.evidence.page import build_evidence_page
from app.pages.evidence.pictures import read_picture
from app.pages.evidence.trials import find_folders
from app.pages.templating import render_page
from app.render.thumbnails import encode_thumbnail
from app.routes.dependencies import LensesDependency, SettingsDependency

router = APIRouter(include_in_schema=False)


@router.get("/evidence")
def show_evidence(request: Request, lenses: LensesDependency, settings: SettingsDependency) -> Response:
    """The measurements of the paper's claim."""
    described = [build_lineup_description(lens.lineup) for lens in lenses]
    options = pair_options(lenses.names, settings.lineups, settings.labels)
    page = build_evidence_page(
        described,
        options=options,
        folders=find_folders(lenses.names, settings.lineups),
        picture_folders=settings.evidence_pictures,
    )
    return render_page(request, page)


@router.get("/evidence/pictures/{address:path}")
async def show_evidence_picture(address: str, lenses: LensesDependency, settings: SettingsDependency) -> Response:
    """The thumbnail of a measured picture."""
    thumbnail = await lenses.default.run(_draw_thumbnail, address, settings.evidence_pictures)
    return Response(thumbnail, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


@lru_cache(maxsize=256)
def _draw_thumbnail(address: str, folders: tuple[Path, ...]) -> bytes:
    """The thumbnail as JPEG, which is drawn once; raises `InvalidOption`."""
    return encode_thumbnail(read_picture(address, folders))

"""`/api/v1/lineups` and the colour maps."""

from typing import Literal

from fastapi import APIRouter, Response

from app.api import links
from app.api.lineups import build_lineup_description
from app.api.schemas import LineupDescription
from app.render.colour_scale import Colormap, render_colour_bar
from app.render.png import encode_png
from app.routes.answers import PNG, document_file, document_problems
from app.routes.dependencies import LensesDependency
from app.routes.intake.uploads import ApiRoute

router = APIRouter(tags=["lineups"], route_class=ApiRoute)


@router.get(links.LINEUPS, summary="The loaded lineups")
def list_lineups(lenses: LensesDependency) -> list[LineupDescription]:
    """Architecture, parameters, multiply-adds, class names, provenance and measured accuracy of each loaded lineup."""
    return [build_lineup_description(lens.lineup) for lens in lenses]


@router.get(
    links.COLOUR_MAP,
    summary="A colour map from left to right",
    response_class=Response,
    responses=document_file("256 x 1 pixels.", PNG) | document_problems(422),
)
def read_colour_map(colormap: Colormap | Literal["RdBu_r"]) -> Response:
    """The 256 colours of a heat map's scale, or of the difference's (`RdBu_r`)."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(encode_png(render_colour_bar(str(colormap))), media_type=PNG, headers=headers)

"""The links of a page: an analysis's addresses, images and downloads."""

from dataclasses import dataclass
from urllib.parse import urlencode

from app.api.links import AnalysisLinks
from app.api.schemas import GeometryAnswer
from models.pictures.fitting import screen_size

PANEL_SIDE_PIXELS = 640
"""The longer side of a picture or a map on a page."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The paths of one analysis: its page, its REST answers, its picture, its maps' values and its page about CBAM.

    `sheet` is the sheet from which its page was opened; empty if there was none.
    """

    page: str
    answer: AnalysisLinks
    picture: str
    maps: str
    primer: str
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class PageImage:
    """An image with its alternative text, and its size in pixels, so that the layout does not shift when it loads."""

    address: str
    description: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Download:
    """A file to download; `pictures` is the number of pictures of an archive that is long in coming, else 0."""

    title: str
    address: str
    file_name: str
    pictures: int = 0


def add_query(path: str, asked: dict[str, str], **changes: str) -> str:
    """Add a query to a path, which may already have one."""
    query = urlencode(asked | changes)
    if not query:
        return path
    return f"{path}{'&' if '?' in path else '?'}{query}"


def fit_picture(geometry: GeometryAnswer, longest: int) -> tuple[int, int]:
    """The size of an answer's picture; see `screen_size`."""
    return screen_size(geometry.picture_width, geometry.picture_height, longest)

"""The choices of the pages' select boxes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from app.explain.methods import Method
from models.lineups.card import LARGE_RESOLUTIONS, LineupCard
from models.names import Geometry, Stage

AnyName = TypeVar("AnyName", bound=Enum)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a select box."""

    value: str
    title: str
    is_selected: bool


METHOD_TITLES = {
    Method.GRADCAM: "Grad-CAM",
    Method.GRADCAM_PLUS_PLUS: "Grad-CAM++",
    Method.XGRADCAM: "XGrad-CAM",
    Method.HIRESCAM: "HiResCAM",
    Method.LAYERCAM: "LayerCAM",
    Method.EIGENCAM: "Eigen-CAM",
    Method.EIGENGRADCAM: "Eigen-Grad-CAM",
    Method.GRADCAM_ELEMENTWISE: "Grad-CAM element-wise",
    Method.FINERCAM: "Finer-CAM (why not others)",
    Method.SCORECAM: "Score-CAM (slow)",
}

STAGE_TITLES = {Stage.ONE: "1 (finest)", Stage.TWO: "2", Stage.THREE: "3", Stage.FOUR: "4 (deepest)"}

EACH_ITS_OWN = Choice("", "The lineup’s default", is_selected=True)

GEOMETRY_TITLES = {Geometry.CENTER_CROP: "centre crop", Geometry.WHOLE: "whole picture"}


def list_choices(titles: Mapping[AnyName, str], selected: AnyName) -> tuple[Choice, ...]:
    """List every name with its title."""
    return tuple(Choice(str(name.value), title, name is selected) for name, title in titles.items())


def list_lineups(lineups: Sequence[LineupCard], *, selected: str) -> tuple[Choice, ...]:
    """List the lineups by title, marking random weights; empty for a single lineup, as there is no choice."""
    if len(lineups) == 1:
        return ()
    return tuple(Choice(card.name, _title_lineup(card), card.name == selected) for card in lineups)


def _title_lineup(card: LineupCard) -> str:
    """A lineup's title with its networks, unless the title names them itself."""
    titles = [card.title_network(name) for name in card.names]
    is_named = all(title in card.title for title in titles[1:])
    networks = "" if is_named else f": {', '.join(titles)}"
    return card.title + networks + ("" if card.trained else " (untrained)")


def list_geometries(card: LineupCard | None) -> tuple[Choice, ...]:
    """List a lineup's geometries, with its default selected; for None, `The lineup’s default` comes first."""
    if card is None:
        named = {name.value: title.capitalize() for name, title in GEOMETRY_TITLES.items()}
        return (EACH_ITS_OWN, *(Choice(value, title, is_selected=False) for value, title in named.items()))
    own = card.preprocessing.geometry
    titles = {
        geometry: GEOMETRY_TITLES[geometry].capitalize() + (" (this lineup’s default)" if geometry is own else "")
        for geometry in GEOMETRY_TITLES
        if geometry in card.geometries
    }
    return list_choices(titles, own)


def list_resolutions(card: LineupCard | None) -> tuple[Choice, ...]:
    """List a lineup's resolutions, with its default selected; for None, `The lineup’s default` comes first."""
    if card is None:
        sides = [str(side.value) for side in LARGE_RESOLUTIONS]
        return (EACH_ITS_OWN, *(Choice(side, f"{side} pixels", is_selected=False) for side in sides))
    own = card.preprocessing.resolution
    titles = {
        resolution: f"{resolution.value} pixels" + (" (this lineup’s default)" if resolution is own else "")
        for resolution in card.resolutions
    }
    return list_choices(titles, own)

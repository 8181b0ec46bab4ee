"""The page of the live camera."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.analysis.options import ColourOptions, TargetOptions
from app.explain.methods import LIVE_METHODS
from app.pages.choices import METHOD_TITLES, Choice, list_choices, list_lineups
from models.lineups.lineup import Lineup
from models.names import Stage


@dataclass(frozen=True, slots=True)
class CameraPage:
    """The networks on the live camera.

    Attributes:
        connection: the address of the WebSocket that answers frames.
        is_on: whether this server accepts live pictures.
        lineups: the choices of lineups; empty if only one is served.
        classes: the class names for the text field.
        methods, stages: the select boxes' choices.
        colormap: the colour map of the maps.
    """

    template: ClassVar[str] = "camera.html"
    connection: str
    is_on: bool
    lineups: tuple[Choice, ...]
    classes: tuple[str, ...]
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    colormap: str


def build_camera_page(lineups: Sequence[Lineup], *, connection: str, is_on: bool) -> CameraPage:
    """Build the page, with the default choices.

    Args:
        lineups: the served lineups.
        connection: the address of the WebSocket.
        is_on: whether this server accepts live pictures.
    """
    usual = TargetOptions()
    live = {method: title for method, title in METHOD_TITLES.items() if method in LIVE_METHODS}
    names = {label.name for lineup in lineups for label in lineup.labels}
    return CameraPage(
        connection=connection,
        is_on=is_on,
        lineups=list_lineups([lineup.card for lineup in lineups], selected=lineups[0].card.name),
        classes=tuple(sorted(names, key=str.casefold)),
        methods=list_choices(live, usual.method),
        stages=list_choices({stage: str(stage.value) for stage in Stage}, usual.stage),
        colormap=ColourOptions().colormap.value,
    )

"""The page of the live camera."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.analysis.options import TargetOptions
from app.pages.choices import METHOD_TITLES, Choice, list_choices, list_pairs
from models.lineups.pair import NetworkPair
from models.names import Stage


@dataclass(frozen=True, slots=True)
class CameraPage:
    """Both networks on the live camera.

    Attributes:
        connection: the address of the WebSocket that answers frames.
        is_on: whether this server takes live pictures.
        pairs: what may look; none where one pair alone is served.
        classes: names that the networks know, for the class's text field.
        methods, stages: what can be chosen.
    """

    template: ClassVar[str] = "camera.html"
    connection: str
    is_on: bool
    pairs: tuple[Choice, ...]
    classes: tuple[str, ...]
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]


def build_camera_page(pairs: Sequence[NetworkPair], *, connection: str, is_on: bool) -> CameraPage:
    """The page with what can be chosen, as it is by default.

    Args:
        pairs: what is served.
        connection: the address of the WebSocket.
        is_on: whether this server takes live pictures.
    """
    usual = TargetOptions()
    names = {label.name for pair in pairs for label in pair.labels}
    return CameraPage(
        connection=connection,
        is_on=is_on,
        pairs=list_pairs([pair.card for pair in pairs], selected=pairs[0].card.name),
        classes=tuple(sorted(names, key=str.casefold)),
        methods=list_choices(METHOD_TITLES, usual.method),
        stages=list_choices({stage: str(stage.value) for stage in Stage}, usual.stage),
    )

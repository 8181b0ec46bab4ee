"""One picture of a contact sheet."""

from dataclasses import dataclass

from app.render.figure import Panel


@dataclass(frozen=True, slots=True)
class ContactPicture:
    """One picture of the sheet.

    Attributes:
        name: the picture's number and name.
        class_name: the explained class; empty for a picture without panels.
        panels: the picture and its maps; empty for a picture with a problem.
        problem: the reason why there are no panels.
    """

    name: str
    class_name: str = ""
    panels: tuple[Panel, ...] = ()
    problem: str = ""

    @property
    def aspect(self) -> float:
        """The picture's height over its width; 1 without panels."""
        if not self.panels:
            return 1.0
        picture = self.panels[0].picture
        return picture.height / picture.width

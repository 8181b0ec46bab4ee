"""What is fixed about a study when it is created, its stopping rule included."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.numbers import format_share

ClassSource = Literal["folders", "guess", "sheet", "mixed"]
"""Who names the pictures' classes: their folders, the networks together, or the study's holder on a sheet; `mixed` is
the holder for some pictures and the networks for the others."""


class StudiedNetwork(BaseModel):
    """One of the two networks: its name in the lineup, and its title for people."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str


class StudyPlan(BaseModel):
    """Everything that votes depend on; it cannot be changed later.

    Attributes:
        title: the study's name for its holder.
        lineup: the lineup's name.
        networks: the two networks.
        method, stage: how the maps were made.
        threshold: the share of its maximum above which a map's region is shown; 0 for whole maps.
        class_source: who named the pictures' classes.
        only_both_right: whether pictures were left out that not both networks name rightly.
        left_out: the number of pictures that were left out, by the reason.
        pictures_each: how many pictures each person is asked about, beside the catch questions.
        people: the number of people after which the study ends; None for no such limit.
        until: the time at which it ends, in seconds since 1970; None for no such limit.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    lineup: str
    networks: tuple[StudiedNetwork, StudiedNetwork]
    method: str
    stage: int
    threshold: float = Field(ge=0, lt=1)
    class_source: ClassSource
    only_both_right: bool = False
    left_out: dict[str, int] = Field(default_factory=dict)
    pictures_each: int = Field(ge=1)
    people: int | None = Field(default=None, ge=1)
    until: int | None = None

    @property
    def stopping_rule(self) -> str:
        """The rule as a sentence."""
        limits = []
        if self.people is not None:
            who = "one person has" if self.people == 1 else f"{self.people:,} people have"
            limits.append(f"when {who} answered all of their questions")
        if self.until is not None:
            limits.append(f"on {format_time(self.until)}")
        if not limits:
            return "None: it ends when its holder ends it."
        first = " or ".join(limits)
        return f"The study ends {first}{', whichever comes first' if len(limits) == 2 else ''}."

    @property
    def shown(self) -> str:
        """What people see of each map, as a sentence."""
        if self.threshold == 0:
            return "Each side shows one network’s whole map over the picture, on the map’s own scale."
        share = format_share(self.threshold, 0)
        return f"Each side shows the picture where one network’s map is above {share} of its maximum."


def format_time(seconds: float) -> str:
    """A time in words: 27 November 2026, 14:30 UTC."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"

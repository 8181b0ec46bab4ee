"""The form of a new study as a person fills it in, and what is wrong with it, beside each field."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_TITLE_CHARACTERS = 100

MOST_PICTURES_EACH = 200

MOST_CATCHES = 5

MOST_MINUTES = 43_200
"""Thirty days: as long as a person's cookie."""

DEFAULTS = {
    "title": "Blind study",
    "threshold": "60",
    "pictures_each": "10",
    "catches": "1",
    "people": "100",
    "minutes": "",
}
"""What stands in each field of text at first."""

FIELDS = (*DEFAULTS, "first", "second", "only_both_right", "ticket")


@dataclass(frozen=True, slots=True)
class StudyWishes:
    """What a person asks of a new study.

    Attributes:
        title: the study's name for its holder.
        networks: the two networks' names.
        threshold: see `StudyPlan`.
        only_both_right: whether to leave out pictures that not both networks name rightly.
        pictures_each: how many pictures each person sees.
        catches: the number of catch questions of each kind.
        people: the number of people after which it ends; None for no such limit.
        minutes: the time after which it ends; None for no such limit.
    """

    title: str
    networks: tuple[str, str]
    threshold: float
    only_both_right: bool
    pictures_each: int
    catches: int
    people: int | None
    minutes: int | None


class StudyForm:
    """A form that was filled in.

    Args:
        values: the text of each field, by its name; a field that is missing is empty.
        networks: the lineup's networks.
        max_people: the limit of people per study.

    Attributes:
        problems: what is wrong, by the field's name.
    """

    def __init__(self, values: Mapping[str, str], *, networks: tuple[str, ...], max_people: int) -> None:
        self._values = values
        self._networks = networks
        self._max_people = max_people
        self.problems: dict[str, str] = {}

    def read(self) -> StudyWishes | None:
        """What the person asks; None if anything is wrong, which `problems` then says."""
        wishes = StudyWishes(
            title=self._read_title(),
            networks=(self._read_network("first"), self._read_network("second")),
            threshold=(self._read_number("threshold", 0, 99) or 0) / 100,
            only_both_right=bool(self._values.get("only_both_right")),
            pictures_each=self._read_number("pictures_each", 1, MOST_PICTURES_EACH) or 1,
            catches=self._read_number("catches", 0, MOST_CATCHES) or 0,
            people=self._read_number("people", 1, self._max_people, is_optional=True),
            minutes=self._read_number("minutes", 1, MOST_MINUTES, is_optional=True),
        )
        if wishes.networks[0] == wishes.networks[1]:
            self.problems.setdefault("second", "Both sides would show one network. Choose another one.")
        if wishes.people is None and wishes.minutes is None:
            self.problems.setdefault("people", "A study needs a stopping rule. Give a number of people, or a time.")
        return None if self.problems else wishes

    def _read_title(self) -> str:
        # Line breaks and other control characters have no place in a heading.
        title = " ".join("".join(sign if sign.isprintable() else " " for sign in self._read_text("title")).split())
        if not title or len(title) > MOST_TITLE_CHARACTERS:
            self.problems["title"] = (
                f"The name has {len(title)} characters. Give it 1 to {MOST_TITLE_CHARACTERS} of them."
            )
        return title

    def _read_network(self, field: str) -> str:
        name = self._read_text(field)
        if name not in self._networks:
            self.problems[field] = f"“{name[:40]}” is none of the networks. Choose one of {', '.join(self._networks)}."
        return name

    def _read_number(self, field: str, lowest: int, highest: int, *, is_optional: bool = False) -> int | None:
        text = self._read_text(field)
        if not text and is_optional:
            return None
        # `isdigit` also knows digits that `int` does not.
        if not (text.isascii() and text.isdigit() and len(text) < 10 and lowest <= int(text) <= highest):
            empty = ", or nothing" if is_optional else ""
            self.problems[field] = (
                f"“{text[:40]}” does not fit here. Give a whole number from {lowest:,} to {highest:,}{empty}."
            )
            return None
        return int(text)

    def _read_text(self, field: str) -> str:
        return self._values.get(field, "").strip()

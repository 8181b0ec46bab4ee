"""The few fixed words of a study: kinds of questions, answers, and ways to end."""

from enum import StrEnum


class QuestionKind(StrEnum):
    """What the two sides of a question are."""

    PAIR = "pair"
    """Both networks' maps of one picture."""
    SAME = "same"
    """The same map twice: a catch question. Preferring a side fails it."""
    TURNED = "turned"
    """A map, and the same map turned by 180 degrees: a catch question. Preferring the turned one fails it."""


class Choice(StrEnum):
    """A person's answer to a question."""

    A = "a"
    B = "b"
    EQUAL = "equal"
    CANNOT_TELL = "cannot-tell"


class Ending(StrEnum):
    """What ended a study."""

    PEOPLE = "people"
    """As many people as the stopping rule wants have answered everything."""
    TIME = "time"
    """The stopping rule's time is over."""
    HAND = "hand"
    """Its holder ended it, before the stopping rule did."""

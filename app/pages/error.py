"""The page that says what went wrong."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Something went wrong.

    Attributes:
        title: the kind of problem.
        detail: rule, value and remedy.
        status: the HTTP status.
    """

    template: ClassVar[str] = "error.html"
    title: str
    detail: str
    status: int

"""The error page."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """An error, as a page.

    Attributes:
        title: the kind of problem.
        detail: the rule, the value and the remedy.
        status: the HTTP status.
    """

    template: ClassVar[str] = "error.html"
    title: str
    detail: str
    status: int

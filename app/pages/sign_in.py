"""The page that takes the server's token."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form that takes the server's token.

    Attributes:
        next: the path that the reader was on the way to.
        error: what was wrong with the last token, or None.
    """

    template: ClassVar[str] = "sign_in.html"
    next: str
    error: str | None = None

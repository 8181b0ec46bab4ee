"""The page for signing in with the server's token."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form for the server's token.

    Attributes:
        next: the path to open after signing in.
        error: the error of the last token, or None.
    """

    template: ClassVar[str] = "sign_in.html"
    next: str
    error: str | None = None

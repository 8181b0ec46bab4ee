"""Every error that a user can cause or meet, and the one table that turns them into HTTP answers.

The errors know no HTTP. Each message states the rule, the value and the remedy. Those that `models` raises can be
imported from here too.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from models.errors import LensError
from models.pictures.errors import InvalidPicture, PictureTooLarge, UnsupportedFormat

__all__ = [
    "HTTP_STATUS",
    "AnalysisGone",
    "CameraOff",
    "DeadlinePassed",
    "EngineFailed",
    "ForeignOrigin",
    "InvalidOption",
    "InvalidPicture",
    "LensError",
    "NotSignedIn",
    "PictureTooLarge",
    "QueueFull",
    "SheetGone",
    "TooManyPictures",
    "TooManyRequests",
    "TryLater",
    "UnknownHost",
    "UnsupportedFormat",
]


class InvalidOption(LensError):
    """An option's value is not one of the allowed ones.

    Args:
        message: rule, value and remedy.
        option: the option's name.
        allowed: every allowed value, where they can be listed.
    """

    title = "An option is not valid"

    def __init__(self, message: str, *, option: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.option = option
        self.allowed = tuple(allowed)

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors go from one process to another; what pickle does by itself knows no keywords.
        return partial(type(self), option=self.option, allowed=self.allowed), self.args


def refuse_choice(option: str, value: str, allowed: Sequence[str]) -> "InvalidOption":
    """The error for a name that is none of the allowed ones.

    Args:
        option: what was to be chosen, and the option's name.
        value: the name that was given.
        allowed: every allowed name.
    """
    sentence = f"{option} {value!r} is not one of {', '.join(allowed)}; choose one of these"
    return InvalidOption(sentence, option=option, allowed=allowed)


class AnalysisGone(LensError):
    """No analysis has this id, or it has left the cache."""

    title = "The analysis is not there"


class SheetGone(LensError):
    """No sheet has this id, or it has left the cache."""

    title = "The sheet is not there"


class TooManyPictures(LensError):
    """More pictures at once than a sheet takes."""

    title = "Too many pictures"


class TryLater(LensError):
    """A request that is refused now and may succeed later.

    Args:
        message: rule, value and remedy.
        retry_after_seconds: after how long another try is likely to be taken.
    """

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), retry_after_seconds=self.retry_after_seconds), self.args


class QueueFull(TryLater):
    """More work is waiting than the queue takes."""

    title = "The server is busy"


class TooManyRequests(TryLater):
    """One client asks more often than it may."""

    title = "Too many requests"


class UnknownHost(LensError):
    """The server is asked for under a name that is not its own."""

    title = "The host is not known"


class ForeignOrigin(LensError):
    """A page of somebody else's asks."""

    title = "The request comes from another site"


class NotSignedIn(LensError):
    """The server needs a token, and none came or a wrong one."""

    title = "Authentication required"


class CameraOff(LensError):
    """The server takes no live pictures."""

    title = "The camera is switched off"


class DeadlinePassed(LensError):
    """The answer was not ready in time."""

    title = "The answer took too long"


class EngineFailed(LensError):
    """The computation itself went wrong."""

    title = "The computation failed"


HTTP_STATUS: dict[type[LensError], int] = {
    InvalidPicture: 400,
    UnknownHost: 400,
    NotSignedIn: 401,
    CameraOff: 403,
    ForeignOrigin: 403,
    AnalysisGone: 404,
    SheetGone: 404,
    PictureTooLarge: 413,
    TooManyPictures: 413,
    UnsupportedFormat: 415,
    InvalidOption: 422,
    TooManyRequests: 429,
    EngineFailed: 500,
    QueueFull: 503,
    DeadlinePassed: 504,
}
"""The one table from error to HTTP status."""

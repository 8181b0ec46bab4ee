"""Every error that a user can cause or see, and the table of their HTTP statuses.

The error classes do not depend on HTTP. Each message states the rule, the value and the remedy. The errors of `models`
can be imported from here too.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from models.errors import LensError
from models.pictures.errors import InvalidPicture, PictureTooLarge, UnsupportedFormat

__all__ = [
    "HTTP_STATUS",
    "AnalysisGone",
    "BodyTooLarge",
    "CameraOff",
    "DeadlinePassed",
    "EngineFailed",
    "ForeignOrigin",
    "InvalidOption",
    "InvalidPicture",
    "LensError",
    "ModelUnknown",
    "NotSignedIn",
    "PictureTooLarge",
    "QueueFull",
    "ResultsHidden",
    "SheetGone",
    "StudiesOff",
    "StudiesUnavailable",
    "StudyEnded",
    "StudyGone",
    "TooManyPictures",
    "TooManyRequests",
    "TooManyStudies",
    "TryLater",
    "UnknownHost",
    "UnsupportedFormat",
]


class InvalidOption(LensError):
    """An option's value is not one of the allowed ones.

    Args:
        message: the rule, the value and the remedy.
        option: the option's name.
        allowed: every allowed value, if they can be listed.
    """

    title = "An option is not valid"

    def __init__(self, message: str, *, option: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.option = option
        self.allowed = tuple(allowed)

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors go from one process to another; pickle's default would lose the keyword arguments.
        return partial(type(self), option=self.option, allowed=self.allowed), self.args


def refuse_choice(option: str, value: str, allowed: Sequence[str]) -> "InvalidOption":
    """The error for a value that is not one of the allowed ones.

    Args:
        option: the option's name.
        value: the given value.
        allowed: every allowed value.
    """
    sentence = f"{option} {value!r} is not one of {', '.join(allowed)}; choose one of these"
    return InvalidOption(sentence, option=option, allowed=allowed)


class AnalysisGone(LensError):
    """No analysis has this id, or it has left the cache."""

    title = "The analysis does not exist"


class SheetGone(LensError):
    """No sheet has this id, or it has left the cache."""

    title = "The sheet does not exist"


class StudyGone(LensError):
    """No study has this link, or it was deleted."""

    title = "The study does not exist"


class StudyEnded(LensError):
    """The study accepts no votes: it has ended, or has not begun."""

    title = "The study is not open"


class TooManyStudies(LensError):
    """The server keeps as many studies as its page may create."""

    title = "Too many studies"


class ResultsHidden(LensError):
    """A study's results are not for this visitor, or not yet."""

    title = "The results are hidden"


class StudiesOff(LensError):
    """This server has no packages for studies."""

    title = "Studies are switched off"


class ModelUnknown(LensError):
    """No lineup has the name that KServe's protocol calls a model's."""

    title = "The model does not exist"


class BodyTooLarge(LensError):
    """A body without pictures is longer than any that a person or a program needs to send."""

    title = "The body is too large"


class TooManyPictures(LensError):
    """More pictures than a sheet may have."""

    title = "Too many pictures"


class TryLater(LensError):
    """A request that is refused now and may succeed later.

    Args:
        message: the rule, the value and the remedy.
        retry_after_seconds: the time after which another try is likely to succeed.
    """

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), retry_after_seconds=self.retry_after_seconds), self.args


class QueueFull(TryLater):
    """The queue of waiting work is full."""

    title = "The server is busy"


class TooManyRequests(TryLater):
    """One client sends more requests than its rate allows."""

    title = "Too many requests"


class StudiesUnavailable(TryLater):
    """The studies' database does not answer."""

    title = "The studies are not available"


class UnknownHost(LensError):
    """The request's host is not one of the server's names."""

    title = "The host is unknown"


class ForeignOrigin(LensError):
    """The request comes from a page of another site."""

    title = "The request comes from another site"


class NotSignedIn(LensError):
    """The server needs a token, and the request has none or a wrong one."""

    title = "Authentication required"


class CameraOff(LensError):
    """The server accepts no live pictures."""

    title = "The camera is switched off"


class DeadlinePassed(LensError):
    """The answer was not ready in time."""

    title = "The answer took too long"


class EngineFailed(LensError):
    """The computation failed."""

    title = "The computation failed"


HTTP_STATUS: dict[type[LensError], int] = {
    InvalidPicture: 400,
    UnknownHost: 400,
    NotSignedIn: 401,
    CameraOff: 403,
    ForeignOrigin: 403,
    ResultsHidden: 403,
    AnalysisGone: 404,
    ModelUnknown: 404,
    SheetGone: 404,
    StudyGone: 404,
    StudiesOff: 404,
    StudyEnded: 409,
    TooManyStudies: 409,
    BodyTooLarge: 413,
    PictureTooLarge: 413,
    TooManyPictures: 413,
    UnsupportedFormat: 415,
    InvalidOption: 422,
    TooManyRequests: 429,
    EngineFailed: 500,
    QueueFull: 503,
    StudiesUnavailable: 503,
    DeadlinePassed: 504,
}
"""The HTTP status of each error."""

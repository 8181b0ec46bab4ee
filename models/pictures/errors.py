"""Errors of pictures that cannot be used. Each message states the rule, the value and the remedy."""

from models.errors import LensError


class PictureError(LensError):
    """A picture cannot be used."""

    title = "The picture cannot be used"


class InvalidPicture(PictureError):
    """The bytes are not a picture, or the picture is damaged."""

    title = "Not a readable picture"


class PictureTooLarge(PictureError):
    """The upload has too many bytes, or the picture too many pixels."""

    title = "The picture is too large"


class UnsupportedFormat(PictureError):
    """The picture's format is not accepted."""

    title = "The picture's format is not supported"

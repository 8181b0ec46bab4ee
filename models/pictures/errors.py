"""Why a picture cannot be used. Each message states the rule, the value and the remedy."""

from models.errors import LensError


class PictureError(LensError):
    """A picture cannot be used."""

    title = "The picture cannot be used"


class InvalidPicture(PictureError):
    """The bytes are no picture, or a damaged one."""

    title = "Not a readable picture"


class PictureTooLarge(PictureError):
    """The upload has too many bytes, or the picture too many pixels."""

    title = "The picture is too large"


class UnsupportedFormat(PictureError):
    """A picture in a format that is not accepted."""

    title = "The picture's format is not supported"

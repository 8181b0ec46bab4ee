"""The accepted formats, and errors for other files."""

from PIL import Image

from models.pictures.errors import InvalidPicture, UnsupportedFormat

ALLOWED_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
"""Pillow's names of the formats. Its JPEG reader also reads MPO, a JPEG of phones with a second picture inside."""

FORMAT_SENTENCE = "send JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF"

OTHER_SIGNATURES = {b"<svg": "SVG", b"\xff\x0a": "JPEG XL", b"\x00\x00\x00\x0cJXL ": "JPEG XL", b"8BPS": "PSD"}
"""First bytes of picture formats that Pillow does not know."""


def explain_unidentified(data: bytes) -> InvalidPicture | UnsupportedFormat:
    """The error for unidentified bytes: another format, a damaged header, or no picture at all."""
    kind = _sniff(data)
    if kind is None:
        return InvalidPicture(f"{len(data):,} bytes that are not a picture; {FORMAT_SENTENCE}")
    if kind in ALLOWED_FORMATS:
        return InvalidPicture(f"a {kind} file with a damaged or truncated header; send it again")
    return UnsupportedFormat(f"a {kind} file; {FORMAT_SENTENCE}")


def _sniff(data: bytes) -> str | None:
    # Padded, because some of Pillow's checks read past the end of a short header.
    prefix = data[:16].ljust(16, b"\x00")
    Image.init()
    for kind, (_, accepts) in Image.OPEN.items():
        if accepts is not None and accepts(prefix) is True:
            return kind
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        return "HEIC"
    head = data[:1024].lstrip().lower()
    if head.startswith(b"<?xml") and b"<svg" in head:
        return "SVG"
    return next((kind for start, kind in OTHER_SIGNATURES.items() if head.startswith(start.lower())), None)

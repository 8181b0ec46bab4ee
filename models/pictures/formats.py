"""The formats that are accepted, and what else some bytes may be."""

from PIL import Image

from models.pictures.errors import InvalidPicture, UnsupportedFormat

ALLOWED_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
"""Pillow's names; its JPEG reader also takes MPO, a JPEG with a second picture inside that phones write."""

FORMAT_SENTENCE = "send JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF"

OTHER_SIGNATURES = {b"<svg": "SVG", b"\xff\x0a": "JPEG XL", b"\x00\x00\x00\x0cJXL ": "JPEG XL", b"8BPS": "PSD"}
"""Pictures that Pillow does not know by their first bytes."""


def explain_unidentified(data: bytes) -> InvalidPicture | UnsupportedFormat:
    """Tell a picture in another format from what is no picture or is broken in its header."""
    kind = _sniff(data)
    if kind is None:
        return InvalidPicture(f"{len(data):,} bytes that are not a picture; {FORMAT_SENTENCE}")
    if kind in ALLOWED_FORMATS:
        return InvalidPicture(f"a {kind} file whose header is damaged or cut off; send it again")
    return UnsupportedFormat(f"a {kind} file; {FORMAT_SENTENCE}")


def _sniff(data: bytes) -> str | None:
    # Padded: some of Pillow's checks read past the end of a shorter one.
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

"""The accepted formats, how they are recognised, and errors for other files."""

from collections.abc import Callable
from enum import StrEnum

from PIL import Image

from models.pictures.errors import InvalidPicture, UnsupportedFormat


class PictureFormat(StrEnum):
    """A format that is read."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    BMP = "BMP"
    GIF = "GIF"
    TIFF = "TIFF"
    AVIF = "AVIF"
    HEIC = "HEIC"


FORMAT_SUFFIXES = {
    PictureFormat.JPEG: (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    PictureFormat.PNG: (".png", ".apng"),
    PictureFormat.WEBP: (".webp",),
    PictureFormat.BMP: (".bmp", ".dib"),
    PictureFormat.GIF: (".gif",),
    PictureFormat.TIFF: (".tif", ".tiff", ".btf", ".tf8"),
    PictureFormat.AVIF: (".avif", ".avifs"),
    PictureFormat.HEIC: (".heic", ".heif", ".hif"),
}
"""The suffixes by which a folder's pictures are found; a file's format is told by its bytes alone."""

PICTURE_SUFFIXES = frozenset(suffix for suffixes in FORMAT_SUFFIXES.values() for suffix in suffixes)

FORMAT_LIST = "JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"

FORMAT_SENTENCE = f"send {FORMAT_LIST}"

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})

_RAW = "raw camera"

_OTHER_SIGNATURES = {
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\xff\x4f\xff\x51": "JPEG2000",
    b"\x00\x00\x00\x0cjP  ": "JPEG2000",
    b"8BPS": "PSD",
    b"%PDF-": "PDF",
    b"gimp xcf": "XCF",
    b"%!PS": "PostScript",
    b"v/1\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"SIMPLE  =": "FITS",
    b"\x89HDF": "HDF5",
    b"\x93NUMPY": "NumPy",
    b"IIRO": _RAW,
    b"IIRS": _RAW,
    b"MMOR": _RAW,
    b"IIU\x00": _RAW,
    b"FUJIFILM": _RAW,
    b"\x00MRM": _RAW,
    b"FOVb": _RAW,
}
"""First bytes of picture formats that are not read."""

VIDEO = "video"

_TGA_END = b"TRUEVISION-XFILE.\0"
"""TGA has no first bytes of its own; by those that it has, Pillow takes it for a cursor."""

_SVG_STARTS = (b"<svg", b"<?xml", b"<!--", b"<!doctype svg")

_SPELLED_WITH_VOWEL = frozenset({"SVG", "XCF", "XBM", "XPM", "SGI", "FLI", "FPX", "MPEG", "MSP", "MCIDAS", "HDF5"})
"""Abbreviations that begin with a consonant's letter and a vowel's sound."""


def find_format(data: bytes) -> PictureFormat:
    """The format that a file's first bytes tell.

    Raises:
        InvalidPicture: the bytes are no picture of any known format.
        UnsupportedFormat: the format is known and not read.
    """
    found = next((kind for kind, is_it in _CHECKS.items() if is_it(data)), None)
    if found is not None:
        return found
    kind = _find_other(data)
    if kind is None:
        raise InvalidPicture(f"{len(data):,} bytes that are not a picture; {FORMAT_SENTENCE}")
    raise refuse_kind(kind)


def refuse_kind(kind: str) -> UnsupportedFormat:
    """The error for a file of a kind that is not read, for example `SVG`."""
    if kind == VIDEO:
        return UnsupportedFormat(f"a video; send one of its frames, as {FORMAT_LIST}")
    return UnsupportedFormat(f"{with_article(kind)} file; {FORMAT_SENTENCE}: save it as PNG, for example")


def with_article(kind: str) -> str:
    """A kind with its article: `an SVG`, `a TIFF`."""
    has_vowel = kind[0].upper() in "AEIO" or kind.split(maxsplit=1)[0].upper() in _SPELLED_WITH_VOWEL
    return f"{'an' if has_vowel else 'a'} {kind}"


def _find_brands(data: bytes) -> frozenset[bytes]:
    """The brands of an ISO base media file (ISO/IEC 14496-12, 4.3): the major one and the compatible ones."""
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), len(data), 1024)
    return frozenset({data[8:12], *(data[start : start + 4] for start in range(16, end - 3, 4))})


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _is_tiff(data: bytes) -> bool:
    # Canon's CR2 is a TIFF file with a mark of its own.
    return data[:4] in {b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"} and data[8:10] != b"CR"


def _is_avif(data: bytes) -> bool:
    return bool(_find_brands(data) & _AVIF_BRANDS)


def _is_heic(data: bytes) -> bool:
    return bool(_find_brands(data) & _HEIC_BRANDS)


_CHECKS: dict[PictureFormat, Callable[[bytes], bool]] = {
    PictureFormat.JPEG: lambda data: data[:3] == b"\xff\xd8\xff",
    PictureFormat.PNG: lambda data: data[:8] == b"\x89PNG\r\n\x1a\n",
    PictureFormat.WEBP: _is_webp,
    PictureFormat.BMP: lambda data: data[:2] == b"BM",
    PictureFormat.GIF: lambda data: data[:6] in {b"GIF87a", b"GIF89a"},
    PictureFormat.TIFF: _is_tiff,
    PictureFormat.AVIF: _is_avif,  # before HEIC: both may have the brand mif1
    PictureFormat.HEIC: _is_heic,
}


def _is_svg(data: bytes) -> bool:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(_SVG_STARTS) and b"<svg" in head


_OTHER_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "SVG": _is_svg,
    "DICOM": lambda data: data[128:132] == b"DICM",
    _RAW: lambda data: data[8:10] == b"CR" or data[8:12] == b"crx ",
    "TGA": lambda data: data.endswith(_TGA_END),
    # Of the other brands, most are videos'.
    VIDEO: lambda data: data[4:8] == b"ftyp",
}
"""Formats that are not read and that no first bytes tell, in the order in which they are tried."""


def _find_other(data: bytes) -> str | None:
    """The name of a format that is not read, None for no picture at all."""
    by_start = (kind for start, kind in _OTHER_SIGNATURES.items() if data.startswith(start))
    by_check = (kind for kind, is_it in _OTHER_CHECKS.items() if is_it(data))
    return next(by_start, None) or next(by_check, None) or _ask_pillow(data)


def _ask_pillow(data: bytes) -> str | None:
    # Padded, because some of Pillow's checks read past the end of a short header.
    prefix = data[:16].ljust(16, b"\x00")
    Image.init()
    for kind, (_, accepts) in Image.OPEN.items():
        if kind not in {"DIB", "AVIF", "TIFF"} and accepts is not None and accepts(prefix) is True:
            return kind
    return None

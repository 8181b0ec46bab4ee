"""Hostile and unusual pictures, all made here, each with its expected status."""

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageCms

from tests.conftest import encode, make_picture

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF")

SIZE = (96, 64)

GOOD, NO_PICTURE, TOO_LARGE, OTHER_FORMAT = 200, 400, 413, 415

ARITHMETIC_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7"
    "gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8"
    "fHx8fHx8fHz/yQARCAAQABQDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwCwRvZE46yMsScAJMlmF6ehgjsr0AWO"
    "lraBjlrvVh/zq50JTppg7TGHPIYVRpcv1wlQ3UQcxA2I4AFJ2ZeLp1flid4joZymCv5gHrn1sqtPHMmduHWWL+1P1v/Z"
)
"""20 x 16, by `jpegtran -arithmetic`: Pillow reads arithmetic coding and does not write it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One upload.

    Attributes:
        name: its description.
        data: its bytes.
        status: of the answer.
        file_name, media_type: as the client gives them.
    """

    name: str
    data: bytes
    status: int
    file_name: str = "picture"
    media_type: str = "application/octet-stream"


def list_samples() -> Iterator[Sample]:
    """All uploads."""
    yield from list_truncated()
    yield from list_misnamed()
    yield from list_extreme()
    yield from list_modes()
    yield from list_oriented()
    yield from list_several_frames()
    yield from list_bombs()
    yield from list_others()


def make_file(form: str) -> bytes:
    """A good picture in the given format."""
    return encode(make_picture(*SIZE), form)


def list_truncated() -> Iterator[Sample]:
    """Pictures cut off near the beginning, in the middle and near the end of the file."""
    for form in FORMATS:
        data = make_file(form)
        yield Sample(f"{form}, whole", data, GOOD)
        for tenth in (1, 5, 9):
            yield Sample(f"{form}, {tenth} tenths", data[: len(data) * tenth // 10], NO_PICTURE)


def list_misnamed() -> Iterator[Sample]:
    """Wrong names and media types; only the content counts."""
    png = make_file("PNG")
    yield Sample("PNG called JPEG", png, GOOD, "picture.jpg", "image/jpeg")
    yield Sample("PNG called HTML", png, GOOD, "picture.html", "text/html")
    yield Sample("text called PNG", b"I am a picture", NO_PICTURE, "picture.png", "image/png")
    # Longer than the limit of a part's headers.
    yield Sample("a name of 10 KB", png, NO_PICTURE, "a" * 10_240 + ".png")
    for name, file_name in {
        "a name of 1 KB": "a" * 1024 + ".png",
        "a name with folders": "../../etc/passwd",
        "a name with other folders": "C:\\Windows\\system32\\picture.png",
        "a name with control characters": "a\x01b\x1f\x7f.png",
        "a name that turns": "\u202egnp.exe",
        "no name at all": "",
    }.items():
        yield Sample(name, png, GOOD if file_name else 422, file_name)


def list_extreme() -> Iterator[Sample]:
    """Tiny and very long pictures."""
    yield Sample("0 bytes", b"", NO_PICTURE)
    yield Sample("1 byte", b"\x89", NO_PICTURE)
    for size in ((1, 1), (1, 20_000), (20_000, 1), (2, 2), (20_000, 16)):
        yield Sample(f"{size[0]} x {size[1]}", encode(Image.new("RGB", size, "teal")), GOOD)


def list_modes() -> Iterator[Sample]:
    """Pictures with every kind of pixel."""
    picture = make_picture(*SIZE)
    gray = picture.convert("L")
    ramp = np.linspace(0, 1, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE[1], SIZE[0])
    alpha = Image.merge("LA", (gray, gray))
    yield Sample("CMYK JPEG", encode(picture.convert("CMYK"), "JPEG"), GOOD)
    yield Sample("gray JPEG", encode(gray, "JPEG"), GOOD)
    yield Sample("progressive JPEG", encode(picture, "JPEG", progressive=True), GOOD)
    yield Sample("palette PNG", encode(picture.quantize(16)), GOOD)
    yield Sample("palette PNG with a transparent colour", encode(picture.quantize(16), transparency=3), GOOD)
    yield Sample("16-bit gray PNG", encode(Image.fromarray((ramp * 65535).astype(np.uint16))), GOOD)
    yield Sample("gray and alpha PNG", encode(alpha), GOOD)
    yield Sample("RGBA PNG", encode(picture.convert("RGBA")), GOOD)
    yield Sample("1-bit PNG", encode(picture.convert("1")), GOOD)
    yield Sample("1-bit TIFF", encode(picture.convert("1"), "TIFF", compression="group4"), GOOD)
    yield Sample("32-bit float TIFF", encode(Image.fromarray(ramp), "TIFF"), GOOD)
    yield Sample("float TIFF of not-a-number", encode(Image.fromarray(np.full_like(ramp, np.nan)), "TIFF"), GOOD)
    yield Sample("float TIFF of infinity", encode(Image.fromarray(np.where(ramp > 0.5, np.inf, ramp)), "TIFF"), GOOD)
    yield Sample("32-bit whole numbers TIFF", encode(Image.fromarray((ramp * 1e6).astype(np.int32)), "TIFF"), GOOD)
    yield Sample("LZW TIFF", encode(picture, "TIFF", compression="tiff_lzw"), GOOD)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    yield Sample("JPEG with a profile", encode(picture, "JPEG", icc_profile=profile), GOOD)
    yield Sample("PNG with a broken profile", encode(picture, "PNG", icc_profile=b"no profile"), GOOD)
    yield Sample("arithmetic JPEG", ARITHMETIC_JPEG, GOOD)
    # Other data is noise or an error to the reader of arithmetic coding, but not a crash.
    baseline = encode(picture, "JPEG")
    yield Sample("JPEG that says arithmetic", baseline.replace(b"\xff\xc0", b"\xff\xc9", 1), 0)


def list_oriented() -> Iterator[Sample]:
    """All eight EXIF orientations, one that does not exist, and invalid EXIF."""
    for orientation in (*range(1, 9), 42):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        yield Sample(f"orientation {orientation}", encode(make_picture(*SIZE), "JPEG", exif=exif), GOOD)
    yield Sample("broken EXIF", encode(make_picture(*SIZE), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"), GOOD)


def list_several_frames() -> Iterator[Sample]:
    """Animations, whose first frame counts, and a JPEG with another one inside."""
    frames = [make_picture(*SIZE, seed=seed) for seed in range(3)]
    for form in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        several = encode(frames[0], form, save_all=True, append_images=frames[1:])
        yield Sample(f"{form} of three frames", several, GOOD)
    yield Sample("MPO", encode(frames[0], "MPO", save_all=True, append_images=frames[1:]), GOOD)


def list_bombs() -> Iterator[Sample]:
    """Small files that decode to large pictures; their headers are refused."""
    yield Sample("PNG bomb", make_png_bomb(30_000, 30_000), TOO_LARGE)
    yield Sample("PNG bomb beyond what Pillow opens", make_png_bomb(2**31 - 1, 2**31 - 1), TOO_LARGE)
    yield Sample("GIF bomb", make_gif_bomb(65_535, 65_535), TOO_LARGE)
    yield Sample("TIFF bomb", make_tiff_bomb(60_000, 60_000), TOO_LARGE)
    yield Sample("WebP bomb", make_webp_bomb(16_383, 16_383), TOO_LARGE)
    yield Sample("PNG with a text that unpacks to 200 MB", make_text_bomb(), GOOD)


def list_others() -> Iterator[Sample]:
    """Files that are a picture and something else, and files that are not a picture."""
    picture = make_file("PNG")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.html", "<script>alert(1)</script>")
    script = b"<script>alert(1)</script>"
    yield Sample("PNG and ZIP", picture + archive.getvalue(), GOOD)
    yield Sample("GIF and script", make_file("GIF") + script, GOOD)
    yield Sample("JPEG with a script as its comment", encode(make_picture(*SIZE), "JPEG", comment=script), GOOD)
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield Sample("SVG", svg, OTHER_FORMAT, "picture.svg", "image/svg+xml")
    yield Sample("SVG with an entity", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + svg, NO_PICTURE)
    yield Sample("PDF", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n", NO_PICTURE)
    yield Sample("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", OTHER_FORMAT)
    yield Sample("HTML", b"<!doctype html><img src=x onerror=alert(1)>", NO_PICTURE)
    yield Sample("ZIP", archive.getvalue(), NO_PICTURE)
    yield Sample("ICO", encode(make_picture(32, 32), "ICO"), OTHER_FORMAT)
    yield Sample("TGA", encode(make_picture(*SIZE), "TGA"), OTHER_FORMAT)
    yield Sample("random bytes", np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8).tobytes(), NO_PICTURE)


def make_png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def make_png_bomb(width: int, height: int) -> bytes:
    """A gray PNG of many pixels, all black."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        make_png_chunk(kind, content) for kind, content in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )


def make_text_bomb() -> bytes:
    """A small PNG with a compressed text of 200 MB beside it."""
    text = make_png_chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(200_000_000), 9))
    picture = make_file("PNG")
    return picture[:33] + text + picture[33:]


def make_gif_bomb(width: int, height: int) -> bytes:
    """A GIF whose screen and frame are as large as the format allows."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0)
    return screen + frame + b"\x02\x02\x4c\x01\x00;"


def make_tiff_bomb(width: int, height: int) -> bytes:
    """A deflated TIFF in one strip."""
    strip = zlib.compress(bytes(10_000_000), 9)
    fields = [
        (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 8), (262, 3, 1), (273, 4, 8), (277, 3, 1),
        (278, 4, height), (279, 4, len(strip)),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in fields)
    directory = struct.pack("<H", len(fields)) + entries + struct.pack("<I", 0)
    return b"II*\x00" + struct.pack("<I", 8 + len(strip)) + strip + directory


def make_webp_bomb(width: int, height: int) -> bytes:
    """A lossless WebP with a size in its header and data of one colour."""
    bits = (width - 1) | ((height - 1) << 14)
    content = b"\x2f" + struct.pack("<I", bits) + bytes(64)
    chunk = b"VP8L" + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk

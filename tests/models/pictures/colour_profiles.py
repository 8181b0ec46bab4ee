"""ICC profiles, made here: of wide-gamut screens, of grey and of inks."""

import struct
from collections.abc import Sequence

import numpy as np

Chromaticities = Sequence[tuple[float, float]]

DISPLAY_P3: Chromaticities = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB: Chromaticities = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
SRGB: Chromaticities = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))

D50 = np.array([0.9642, 1.0, 0.8249])
D65 = np.array([0.95047, 1.0, 1.08883])

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""From XYZ to the responses in which a white point is adapted (ICC.1:2022, annex E)."""


def make_rgb_profile(primaries: Chromaticities, gamma: float) -> bytes:
    """A profile of a screen with white D65: three primaries and one curve."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    matrix = columns * np.linalg.solve(columns, D65)
    adaptation = np.linalg.solve(BRADFORD, np.diag((BRADFORD @ D50) / (BRADFORD @ D65)) @ BRADFORD)
    adapted = adaptation @ matrix
    curve = _make_curve(gamma)
    tags = {b"wtpt": _make_xyz(D50)}
    for place, name in enumerate((b"r", b"g", b"b")):
        tags[name + b"XYZ"] = _make_xyz(adapted[:, place])
        tags[name + b"TRC"] = curve
    return _assemble(b"mntr", b"RGB ", b"XYZ ", tags)


def make_grey_profile(gamma: float) -> bytes:
    """A profile of grey with one curve."""
    return _assemble(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": _make_xyz(D50), b"kTRC": _make_curve(gamma)})


def make_ink_profile() -> bytes:
    """A profile of a dull printer: a table from four inks to L*a*b*."""
    steps = 5
    cyan, magenta, yellow, black = np.meshgrid(*[np.linspace(0, 1, steps)] * 4, indexing="ij")
    light = 95 - 35 * cyan - 45 * magenta - 8 * yellow
    lab = np.stack(
        (
            light * (1 - 0.9 * black) + 4,
            (-35 * cyan + 70 * magenta - 5 * yellow) * (1 - black),
            (-45 * cyan - 5 * magenta + 85 * yellow) * (1 - black),
        ),
        axis=-1,
    ).reshape(-1, 3)
    encoded = np.column_stack((lab[:, 0] * 255 / 100, lab[:, 1] + 128, lab[:, 2] + 128)).round().clip(0, 255)
    identity = bytes(range(256))
    table = b"mft1" + bytes(4) + struct.pack(">BBBx", 4, 3, steps)
    table += struct.pack(">9i", *(65536 * value for value in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table += identity * 4 + encoded.astype(np.uint8).tobytes() + identity * 3
    # Browsers prefer the perceptual table; the colorimetric one is wrong here.
    wrong = table[: -3 * 256] + bytes(3 * 256)
    return _assemble(b"prtr", b"CMYK", b"Lab ", {b"wtpt": _make_xyz(D50), b"A2B0": table, b"A2B1": wrong})


def _make_xyz(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _make_curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def _assemble(device: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of version 2.4 from its tags (ICC.1:2001-04, clause 6)."""
    texts = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(4 + 4 + 2 + 1 + 67),
        b"cprt": b"text" + bytes(4) + b"none\0",
    }
    table, body = b"", b""
    start = 128 + 4 + 12 * (len(tags) + 2)
    for name, content in {**texts, **tags}.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    white = struct.pack(">3i", *(round(value * 65536) for value in D50.tolist()))
    head = struct.pack(">I4xI", start + len(body), 0x02400000) + device + space + connection
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + white + bytes(4) + bytes(44)
    return head + struct.pack(">I", len(tags) + 2) + table + body

"""All files about one or more pictures in a ZIP file, which is written while it is sent."""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import IO, cast

from app.analysis.analyses import PREVIEW_SIDE_PIXELS
from app.analysis.compared_sheets import ComparedRow
from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference
from app.analysis.options import ArchiveOptions, AttentionOptions, FigureOptions, MapOptions, SheetOptions
from app.analysis.sheets import make_slug
from app.api.analyses import build_analysis_answer
from app.output import figures, heat_maps
from app.output.gates import encode_attention
from app.output.sheet import draw_sheet
from app.render.contact_sheet import SHEET_FORMATS
from app.render.figure import FigureFormat
from app.render.overlay import Render
from app.version import VERSION


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of each picture an archive has.

    Attributes:
        map_pixels, gate_pixels: the longer side of a drawn map and of a drawn gate: at full size, those of twenty
            photographs would take gigabytes.
        figures: the formats of the figure.
    """

    map_pixels: int
    gate_pixels: int
    figures: tuple[FigureFormat, ...]


OF_ONE_PICTURE = Extent(PREVIEW_SIDE_PIXELS, PREVIEW_SIDE_PIXELS, tuple(FigureFormat))

OF_A_SHEET = Extent(640, 256, (FigureFormat.PNG,))
"""Half of a sheet's time went into each figure's SVG and PDF, and most of its bytes into gates of at most 56 x 56
positions, drawn at 1024 pixels; at 256 they take half of the bytes that they take at 384."""

COMPRESSED = (".png", ".npz", ".pdf")
"""The endings of files that another compression makes no smaller."""

LIBRARIES = ("torch", "numpy", "pillow", "matplotlib")


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive: its path, and the function that makes its bytes."""

    path: str
    make: Callable[[], bytes]


def pack(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield the ZIP file's bytes, one member at a time; the same members give the same bytes."""
    sink = _Sink()
    # The type stub asks for a seekable file, but a ZIP file that is only written needs none.
    file = cast("IO[bytes]", sink)
    # Every member is deflated, even a compressed one: some readers cannot find the end of a stored, streamed member.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            # ZipInfo's default date, in 1980, keeps the bytes the same.
            information = zipfile.ZipInfo(member.path)
            information.compress_type = zipfile.ZIP_DEFLATED
            information.external_attr = 0o644 << 16
            is_compressed = member.path.endswith(COMPRESSED)
            archive.writestr(information, member.make(), compresslevel=0 if is_compressed else 6)
            yield sink.take()
    yield sink.take()


def list_analysis_members(comparisons: Sequence[Comparison], options: ArchiveOptions) -> list[Member]:
    """List all files about one picture.

    Args:
        comparisons: the comparison for the explained class and, if chosen, for a second one, which has a folder.
        options: the drawing, and the difference's networks and scale.
    """
    first, *others = comparisons
    lines = ["CBAM Lens", "", *_list_settings(options), *_list_facts(first)]
    members = _list_files(first, options, OF_ONE_PICTURE, folder="")
    for second in others:
        lines.append(f"second class, in {SECOND_FOLDER}: {second.target.label.index}, {second.target.label.name}")
        members += _list_class_files(second, options, OF_ONE_PICTURE, folder=SECOND_FOLDER)
    text = "\n".join([*lines, "", *_describe_files(options, OF_ONE_PICTURE)])
    return [_write_text(f"{text}\n"), *members]


def list_sheet_members(rows: Sequence[ComparedRow], options: SheetOptions) -> list[Member]:
    """List one folder per picture, and then the contact sheet's files, which take longer than any picture's."""
    sheets = f"sheet.png, sheet.pdf: all pictures, as {options.layout.value}"
    lines = ["CBAM Lens", "", *_list_settings(options), "", sheets]
    members: list[Member] = []
    for row in rows:
        slug = make_slug(row.name, position=row.position)
        lines += ["", f"{slug}: {row.name}"]
        if row.comparison is None:
            lines.append(f"  no files. {row.problem}")
        else:
            lines += [f"  {line}" for line in _list_facts(row.comparison)]
            members += _list_files(row.comparison, options, OF_A_SHEET, folder=f"{slug}/")
    members += [Member(f"sheet.{form}", partial(draw_sheet, rows, options, form)) for form in SHEET_FORMATS]
    return [
        _write_text("\n".join([*lines, "", "In each folder:", *_describe_files(options, OF_A_SHEET), ""])),
        *members,
    ]


def _list_files(comparison: Comparison, options: ArchiveOptions, extent: Extent, *, folder: str) -> list[Member]:
    """List a picture's files; the numbers come last, by which a page counts the finished pictures."""
    gates = AttentionOptions(colormap=options.colormap, opacity=options.opacity)
    analysis = comparison.analysis
    return [
        *_list_class_files(comparison, options, extent, folder=folder),
        *(
            Member(
                f"{folder}attention/{name}/{block.name}-{kind}.png",
                partial(encode_attention, analysis, gate, gates, max_side=extent.gate_pixels),
            )
            for name in analysis.card.gated
            for block in analysis.traces[name].blocks
            for kind, gate in block.gates.items()
        ),
        Member(f"{folder}maps.npz", partial(figures.pack_maps, comparison)),
        Member(f"{folder}{NUMBERS}", partial(_write_numbers, comparison)),
    ]


def _list_class_files(comparison: Comparison, options: ArchiveOptions, extent: Extent, *, folder: str) -> list[Member]:
    """List the files that show one class: the figure, every map and the difference."""
    drawing = MapOptions(**options.model_dump(), render=Render.OVERLAY)
    figure = FigureOptions(**options.model_dump())
    difference = choose_difference(comparison.analysis.card, options.of, options.minus)
    return [
        *(
            Member(f"{folder}figure.{form}", partial(figures.draw_comparison_figure, [comparison], figure, form))
            for form in extent.figures
        ),
        *(
            Member(
                f"{folder}heatmaps/{name}.png",
                partial(heat_maps.encode_heat_map, comparison, name, drawing, max_side=extent.map_pixels),
            )
            for name in comparison.names
        ),
        Member(
            f"{folder}heatmaps/difference.png",
            partial(
                heat_maps.encode_difference,
                comparison,
                difference,
                drawing,
                limits=options.difference_scale,
                max_side=extent.map_pixels,
            ),
        ),
    ]


NUMBERS = "numbers.json"
"""The last file of each picture; `zip_progress.js` counts them."""

SECOND_FOLDER = "second-class/"


def _describe_files(options: ArchiveOptions, extent: Extent) -> list[str]:
    names = ", ".join(f"figure.{form}" for form in extent.figures)
    minus = f"{options.of or 'the last one'} minus {options.minus or 'the baseline'}"
    return [
        f"{names}: the picture and every network with P of the explained class",
        f"heatmaps/: every network's map over the picture, and the difference: {minus}, "
        f"scale: {options.difference_scale.value}",
        "attention/: every gate of every network, 0 (blocks) to 1 (passes unchanged)",
        "maps.npz: every array in its own floating-point values; numpy.load reads it without pickle",
        f"{NUMBERS}: the numbers, as in the REST API’s answer",
        f"Maps have at most {extent.map_pixels} pixels per side, gates {extent.gate_pixels}; the REST API gives each "
        "at the picture's own size.",
    ]


def _list_settings(options: ArchiveOptions) -> list[str]:
    """List the options and the versions."""
    return [
        f"method: {options.method.value}",
        f"stage: {options.stage.value}",
        f"scale: {options.scale.value}",
        f"colormap: {options.colormap.value}",
        f"opacity: {options.opacity:g}",
        f"lines around the maps: {f'at {options.threshold:g} of the scale' if options.threshold else 'none'}",
        f"changed gates: {', '.join(options.interventions) or 'none'}",
        f"cbam-lens {VERSION}, " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    ]


def _list_facts(comparison: Comparison) -> list[str]:
    """List one picture's explained class and networks."""
    analysis, card = comparison.analysis, comparison.analysis.card
    label = comparison.target.label
    return [
        f"lineup: {card.name}, {card.title}" + ("" if card.trained else ", UNTRAINED: random weights"),
        *(f"{name} weights, SHA-256: {card.networks[name].sha256 or 'in no file'}" for name in card.names),
        f"explained class: {label.index}, {label.name}; chosen by {comparison.target.chosen_by}",
        *(f"P of it, {name}: {comparison.target_probability(name):.6f}" for name in card.names),
        f"picture: {analysis.source.width} x {analysis.source.height} pixels; geometry: {analysis.geometry.value} "
        f"at {analysis.resolution.value} pixels",
    ]


def _write_text(text: str) -> Member:
    return Member("README.txt", text.encode)


def _write_numbers(comparison: Comparison) -> bytes:
    return build_analysis_answer(comparison, links=None).model_dump_json(indent=2).encode()


class _Sink:
    """A file that is not seekable, which collects the bytes of a ZIP file."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: no bytes wait elsewhere."""

    def take(self) -> bytes:
        """Take the bytes written since the last call."""
        taken = b"".join(self._chunks)
        self._chunks.clear()
        return taken

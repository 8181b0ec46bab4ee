"""`cbam-lens compare`: the figure, the maps and the numbers of pictures on disk."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from app.analysis.comparison import Comparison
from app.analysis.concepts import Concepts
from app.analysis.lens import Lens
from app.analysis.networks import check_networks, choose_difference
from app.analysis.options import ConceptOptions, FigureOptions, GeometryOptions, MapOptions, SheetOptions
from app.analysis.passes import Waiting
from app.analysis.timing import Timings
from app.api.analyses import build_analysis_answer
from app.api.concepts import build_concepts_answer
from app.engine.loading import build_engine, load_chosen_lineup
from app.errors import InvalidOption, LensError
from app.output import figures, heat_maps
from app.output.concepts import encode_concepts
from app.output.files import check_writable, write_whole
from app.output.pass_bar import PassBar
from app.render.figure import FigureFormat
from app.settings import Settings
from app.survey.figure_sheet import check_sheet, write_sheet
from models.progress import track

console = Console(stderr=True)

CONCEPTS_SIDE_PIXELS = 2048
"""The longer side of an image of concepts, at most."""


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """The options for every picture.

    Attributes:
        drawing: class, method and stage, how values become colours, and how pictures lie on the sheet.
        figure: whether each picture's figure has the difference, and a second class.
        geometry: how a picture becomes the input.
        output: the folder for each picture's files; None to write none.
        sheet: the file of all pictures together; None for none.
        as_json: whether to print the numbers.
        concepts: how to divide each network's features; None not to.
    """

    drawing: SheetOptions
    figure: FigureOptions
    geometry: GeometryOptions
    output: Path | None
    sheet: Path | None
    as_json: bool
    concepts: ConceptOptions | None = None


def compare_files(settings: Settings, images: Sequence[Path], options: CompareOptions) -> int:
    """Compare the networks on each picture.

    Args:
        settings: the lineup, the device and the limits on pictures.
        images: the pictures' files.
        options: the options for every picture.

    Returns:
        The number of pictures that could not be compared; each is reported on standard error.

    Raises:
        InvalidOption: when two pictures would write the same files, for a network that there is not, and for a sheet
            of another format.
        TooManyPictures: for more on one sheet than the settings allow.
        OSError: when the output cannot be written.
        LineupError: when the networks cannot be loaded.
    """
    if options.sheet is not None:
        check_sheet(options.sheet, len(images), settings)
    if options.output is not None:
        _check_names(images)
        check_writable(options.output / "figure.png")
    lineup = load_chosen_lineup(settings)
    for warning in lineup.card.warnings:
        console.print(warning, style="yellow", markup=False, highlight=False, soft_wrap=True)
    # Names that no picture can mend.
    check_networks(lineup.card, options.drawing)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
    engine = build_engine(settings)
    engine.start()
    # Several pictures have a bar of their own.
    waiting = Waiting(watcher=PassBar()) if len(images) == 1 else None
    lens = Lens(engine, lineup, max_pixels=settings.max_picture_pixels, waiting=waiting)
    try:
        return asyncio.run(_compare_all(lens, images, options))
    finally:
        engine.close()


async def _compare_all(lens: Lens, images: Sequence[Path], options: CompareOptions) -> int:
    failures = 0
    compared: list[tuple[Path, Comparison]] = []
    for image in images if len(images) == 1 else track(images, "comparing"):
        try:
            comparison = await _compare_one(lens, image, options)
        except LensError as error:
            failures += 1
            console.print(f"{image}: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        except OSError as error:
            if options.output is not None and error.filename != str(image):
                raise
            failures += 1
            console.print(f"{image}: {error.strerror}", style="red", markup=False, highlight=False, soft_wrap=True)
        else:
            # The sheet's pictures are counted before; without one they are not kept.
            if options.sheet is not None:
                compared.append((image, comparison))
    if options.sheet is not None and compared:
        write_sheet(options.sheet, compared, options.drawing)
        if not options.as_json:
            sys.stdout.write(f"{options.sheet}: {len(compared)} of {len(images)} pictures\n")
    return failures


async def _compare_one(lens: Lens, image: Path, options: CompareOptions) -> Comparison:
    comparison = await lens.compare_picture(image.read_bytes(), options.geometry, options.drawing, Timings())
    if options.output is not None:
        comparisons = await lens.add_class(comparison, options.figure, options.figure.versus, Timings())
        comparison = comparisons[0]
        for name, content in _draw_files(comparisons, options).items():
            write_whole(options.output / f"{image.stem}.{name}", content)
        if options.concepts is not None:
            # Traces of changed gates have no features to divide.
            learned = comparison.learned
            found = await lens.find_concepts(learned.analysis, options.concepts, Timings())
            for name, content in _draw_concepts(found, options.concepts).items():
                write_whole(options.output / f"{image.stem}.{name}", content)
        if not options.as_json:
            sys.stdout.write(f"{options.output / image.stem}.figure.png: {_summarise(comparison)}\n")
    if options.as_json:
        answer = build_analysis_answer(comparison, links=None)
        row = answer.model_dump_json(exclude={"id", "links"})
        sys.stdout.write(f'{{"file":{_quote(image)},{row[1:]}\n')
    return comparison


def _draw_files(comparisons: Sequence[Comparison], options: CompareOptions) -> dict[str, bytes]:
    comparison, drawing = comparisons[0], options.drawing
    maps = MapOptions(**drawing.model_dump())
    difference = choose_difference(comparison.analysis.card, drawing.of, drawing.minus)
    return {
        "figure.png": figures.draw_comparison_figure(comparisons, options.figure, FigureFormat.PNG),
        **{f"{name}.png": heat_maps.encode_heat_map(comparison, name, maps) for name in comparison.names},
        "difference.png": heat_maps.encode_difference(comparison, difference, maps, limits=drawing.difference_scale),
        "maps.npz": figures.pack_maps(comparison),
    }


def _draw_concepts(concepts: Concepts, options: ConceptOptions) -> dict[str, bytes]:
    answer = build_concepts_answer(concepts, links=None)
    numbers = answer.model_dump_json(indent=2, exclude={"networks": {"__all__": {"link"}}}).encode()
    images = {
        f"concepts.{name}.png": encode_concepts(concepts, name, opacity=options.opacity, max_side=CONCEPTS_SIDE_PIXELS)
        for name in concepts.networks
    }
    return {"concepts.json": numbers, **images}


def _summarise(comparison: Comparison) -> str:
    shares = ", ".join(f"{name} P = {comparison.target_probability(name):.4f}" for name in comparison.names)
    untrained = "" if comparison.analysis.card.trained else " (untrained networks)"
    fit = comparison.fit
    misfit = "" if fit is None or fit.is_good else f"; none of the {len(comparison.labels):,} classes fits well"
    return f"{comparison.target.label.name}; {shares}{untrained}{misfit}"


def _quote(path: Path) -> str:
    return json.dumps(str(path))


def _check_names(images: Sequence[Path]) -> None:
    first: dict[str, Path] = {}
    for image in images:
        other = first.setdefault(image.stem, image)
        if other != image:
            raise InvalidOption(
                f"{other} and {image} would both write {image.stem}.figure.png; compare them in two calls with "
                "two output directories",
                option="IMAGE",
            )

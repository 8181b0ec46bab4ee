"""The page of a sheet: several pictures, one row per picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from app.analysis.compared_sheets import ComparedRow, list_comparisons
from app.analysis.comparison import Comparison, Difference
from app.analysis.networks import choose_difference
from app.analysis.options import FigureOptions
from app.numbers import format_equation, format_hundredths, format_probability
from app.output.heat_maps import title_networks
from app.pages.addresses import Addresses, Download, PageImage, add_query
from app.pages.choices import METHOD_TITLES, Choice, list_choices
from app.render.colour_scale import Colormap, Scale
from app.render.contact_sheet import SheetFormat
from app.render.sheet_layout import SheetLayout
from models.names import Stage
from models.pictures.fitting import screen_size

IMAGE_SIDE_PIXELS = 320

CHOSEN_ON_THE_PAGE = ("target", "method", "stage", "scale", "colormap")


@dataclass(frozen=True, slots=True)
class SheetComparison:
    """The networks' answers about one picture of a sheet.

    Attributes:
        address: the analysis's page.
        class_name: the explained class.
        images: titles and images of the picture, every map and a difference.
        numbers: titles and values of P of the class by each network, overlap and correlation.
    """

    address: str
    class_name: str
    images: tuple[tuple[str, PageImage], ...]
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SheetRowView:
    """One picture of a sheet; `problem` says why there is no comparison."""

    name: str
    comparison: SheetComparison | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class SheetPage:
    """Several pictures, one row per picture.

    Attributes:
        summary: the number of pictures, and of those that could not be compared.
        address: this page's path, without its query.
        rows: the pictures, in the order of the upload.
        target: the option for the explained class; empty for each picture's top guess.
        methods, stages, scales, colormaps: the select boxes' choices.
        kept: the page's other options, by name.
        downloads: the files to download.
    """

    template: ClassVar[str] = "sheet.html"
    summary: str
    address: str
    rows: tuple[SheetRowView, ...]
    target: str
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    scales: tuple[Choice, ...]
    colormaps: tuple[Choice, ...]
    kept: tuple[tuple[str, str], ...]
    downloads: tuple[Download, ...]


def build_sheet_page(
    rows: Sequence[ComparedRow], options: FigureOptions, *, address: str, locate: Callable[[str], Addresses]
) -> SheetPage:
    """Build the page of a sheet.

    Args:
        rows: the pictures.
        options: the page's options.
        address: the page's path.
        locate: finds the addresses of an analysis by its id.
    """
    asked = list_asked(options)
    return SheetPage(
        summary=_summarise(rows),
        address=address,
        rows=tuple(_show_row(row, asked, locate) for row in rows),
        target=options.target,
        methods=list_choices(METHOD_TITLES, options.method),
        stages=list_choices({stage: str(stage.value) for stage in Stage}, options.stage),
        scales=list_choices({Scale.SHARED: "One per row", Scale.OWN: "One per map"}, options.scale),
        colormaps=list_choices({colormap: colormap.value for colormap in Colormap}, options.colormap),
        kept=tuple((name, value) for name, value in asked.items() if name not in CHOSEN_ON_THE_PAGE),
        downloads=_list_downloads(address, asked) if list_comparisons(rows) else (),
    )


def list_asked(options: FigureOptions) -> dict[str, str]:
    """The options as a query, without those that have their default."""
    given = options.model_dump(mode="json", include=set(FigureOptions.model_fields), exclude_defaults=True)
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in given.items() if value}


def _summarise(rows: Sequence[ComparedRow]) -> str:
    shown = len(list_comparisons(rows))
    pictures = "1 picture" if len(rows) == 1 else f"{len(rows)} pictures"
    return pictures if shown == len(rows) else f"{pictures}, {len(rows) - shown} could not be compared"


def _show_row(row: ComparedRow, asked: dict[str, str], locate: Callable[[str], Addresses]) -> SheetRowView:
    if row.comparison is None:
        return SheetRowView(row.name, None, row.problem)
    return SheetRowView(
        row.name, _show_comparison(row.comparison, row.name, asked, locate(row.comparison.analysis.id)), None
    )


def _show_comparison(comparison: Comparison, name: str, asked: dict[str, str], addresses: Addresses) -> SheetComparison:
    label = comparison.target.label
    # The picture's own explained class: each picture may have another one.
    chosen = asked | {"target": str(label.index)}
    titles = title_networks(comparison)
    probabilities = [
        (f"P, {titles[network]}", format_probability(comparison.target_probability(network)))
        for network in comparison.names
    ]
    return SheetComparison(
        address=add_query(addresses.page, chosen),
        class_name=label.name,
        images=_show_images(comparison, name, chosen, addresses),
        numbers=(*probabilities, *_compare_with_baseline(comparison)),
    )


def _compare_with_baseline(comparison: Comparison) -> list[tuple[str, str]]:
    baseline, *others = comparison.names
    numbers = []
    for name in others:
        metrics = comparison.compare_maps(Difference(name, baseline))
        # With two networks the title needs no name.
        end = f", {comparison.analysis.card.title_network(name)}" if len(others) > 1 else ""
        numbers += [(f"Overlap{end}", _format(metrics.overlap)), (f"Correlation{end}", _format(metrics.correlation))]
    return numbers


def _show_images(
    comparison: Comparison, name: str, chosen: dict[str, str], addresses: Addresses
) -> tuple[tuple[str, PageImage], ...]:
    analysis, label = comparison.analysis, comparison.target.label
    size = screen_size(analysis.source.width, analysis.source.height, IMAGE_SIDE_PIXELS)
    titles = title_networks(comparison)
    chosen_difference = choose_difference(analysis.card)
    query = urlencode(chosen | {"max_side": str(IMAGE_SIDE_PIXELS)})
    picture = PageImage(addresses.picture, f"{name}, the picture", *size)
    heat_maps = [
        (
            titles[network],
            PageImage(
                f"{addresses.answer.heat_map(network)}?{query}",
                f"{name}, {titles[network]}: where it sees {label.name}, "
                f"{format_equation(comparison.target_probability(network))}",
                *size,
            ),
        )
        for network in comparison.names
    ]
    subtracted = f"{titles[chosen_difference.of]} minus {titles[chosen_difference.minus]}"
    difference = PageImage(f"{addresses.answer.difference}?{query}", f"{name}, {subtracted}", *size)
    return (("Picture", picture), *heat_maps, ("Difference", difference))


def _format(value: float | None) -> str:
    return "none" if value is None else format_hundredths(value)


def _list_downloads(address: str, asked: dict[str, str]) -> tuple[Download, ...]:
    sheets = [
        Download(
            f"{title} as {form.value.upper()}",
            add_query(f"{address}/sheet.{form}", asked | query),
            f"cbam-lens-{file}.{form}",
        )
        for title, file, query in (
            ("Sheet", "sheet", {}),
            ("Pictures as columns", "columns", {"layout": SheetLayout.COLUMNS.value}),
        )
        for form in SheetFormat
    ]
    return (*sheets, Download("Everything, ZIP", add_query(f"{address}/everything.zip", asked), "cbam-lens-sheet.zip"))

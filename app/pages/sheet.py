"""The page of a sheet: several pictures, one row per picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from app.analysis.compared_sheets import ComparedRow, list_comparisons
from app.analysis.comparison import Comparison, Difference
from app.analysis.networks import choose_difference
from app.analysis.options import ArchiveOptions, SheetFilter, SheetOptions, SheetSort
from app.api.analyses import build_analysis_answer
from app.api.map_values import UNITS
from app.numbers import format_equation, format_evidence, format_hundredths, format_percentage, format_probability
from app.output.heat_maps import difference_scale, title_networks
from app.pages.addresses import Addresses, Download, PageImage, add_query
from app.pages.choices import METHOD_TITLES, Choice, list_choices
from app.pages.doubts import explain_doubt
from app.render.colour_scale import DIFFERENCE_COLORMAP, Colormap, Scale
from app.render.contact_sheet import SHEET_FORMATS
from app.render.sheet_layout import SheetLayout
from models.names import Stage
from models.pictures.fitting import screen_size

IMAGE_SIDE_PIXELS = 320

CHOSEN_ON_THE_PAGE = ("target", "method", "stage", "scale", "colormap", "sort", "only")

SORT_TITLES = {
    SheetSort.UPLOAD: "As uploaded",
    SheetSort.OVERLAP: "Maps agree least first",
    SheetSort.OVERLAP_HIGH: "Maps agree most first",
    SheetSort.CHANGE: "P changes most first",
    SheetSort.GUESS: "Guesses differ first",
}
"""The orders that can be chosen; the one by hand comes from moving a row."""

HAND_TITLES = {SheetSort.HAND: "As moved by hand"}

FILTER_TITLES = {SheetFilter.ALL: "All pictures", SheetFilter.DISAGREE: "Networks disagree"}


@dataclass(frozen=True, slots=True)
class TargetProblems:
    """Classes that were typed and do not exist.

    Attributes:
        target, problem: the class for all rows, and what is wrong with it.
        row, row_target, row_problem: the row that was given a class, that class, and what is wrong with it.
    """

    target: str = ""
    problem: str = ""
    row: int | None = None
    row_target: str = ""
    row_problem: str = ""

    @property
    def exist(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.problem or self.row_problem)


@dataclass(frozen=True, slots=True)
class SheetScale:
    """A colour scale under a row: its colours, its two ends and a label."""

    colormap: str
    lowest: str
    highest: str
    label: str


@dataclass(frozen=True, slots=True)
class SheetComparison:
    """The networks' answers about one picture of a sheet.

    Attributes:
        address: the analysis's page.
        class_name: the explained class.
        guesses: each network's title, its likeliest class and that class's P.
        disagrees: whether these classes differ.
        doubt: a sentence where no class fits or a network is not sure; None without a doubt.
        images: titles and images of the picture, every map and a difference.
        scales: the colour scales of the maps and of the difference.
        numbers: titles and values of P of the class by each network, overlap and correlation.
    """

    address: str
    class_name: str
    guesses: tuple[tuple[str, str, str], ...]
    disagrees: bool
    doubt: str | None
    images: tuple[tuple[str, PageImage], ...]
    scales: tuple[SheetScale, ...]
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SheetRowView:
    """One picture of a sheet.

    Attributes:
        position: its number, from 1, in the order of the upload.
        name: its name for people.
        comparison: the networks' answers; None if there is a problem.
        problem: the reason why there is no comparison.
        target: the text in the field for this row's own class.
        target_problem: what is wrong with that class; empty otherwise.
        removal: the address of the page without this row.
    """

    position: int
    name: str
    comparison: SheetComparison | None
    problem: str | None
    target: str
    target_problem: str
    removal: str


@dataclass(frozen=True, slots=True)
class SheetPage:
    """Several pictures, one row per picture.

    Attributes:
        summary: the number of pictures, and of those that could not be compared.
        failures: the positions and names of the pictures that could not be compared.
        address: this page's path, without its query.
        rows: the pictures that are shown, in their order.
        target: the option for the explained class; empty for each picture's top guess.
        target_problem: what is wrong with that class; empty otherwise.
        class_names: the first lineup's classes, as suggestions.
        methods, stages, scales, colormaps, sorts, filters: the select boxes' choices.
        kept: the page's other options, by name.
        asked: all of the page's options, by name.
        whole: the address of the page with every row; empty if none was removed.
        downloads: the files to download.
        can_study: whether a blind study can be made of the rows.
    """

    template: ClassVar[str] = "sheet.html"
    summary: str
    failures: tuple[tuple[int, str], ...]
    address: str
    rows: tuple[SheetRowView, ...]
    target: str
    target_problem: str
    class_names: tuple[str, ...]
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    scales: tuple[Choice, ...]
    colormaps: tuple[Choice, ...]
    sorts: tuple[Choice, ...]
    filters: tuple[Choice, ...]
    kept: tuple[tuple[str, str], ...]
    asked: tuple[tuple[str, str], ...]
    whole: str
    downloads: tuple[Download, ...]
    can_study: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """What the rows' links need: the sheet's path, its options, and the addresses of an analysis by its id."""

    address: str
    options: SheetOptions
    asked: dict[str, str]
    locate: Callable[[str], Addresses]


def build_sheet_page(
    rows: Sequence[ComparedRow],
    options: SheetOptions,
    problems: TargetProblems,
    *,
    address: str,
    locate: Callable[[str], Addresses],
) -> SheetPage:
    """Build the page of a sheet.

    Args:
        rows: the pictures that are shown, in their order.
        options: the page's options.
        problems: classes that were typed and do not exist.
        address: the page's path.
        locate: finds the addresses of an analysis by its id.
    """
    asked = list_asked(options)
    place = _Place(address, options, asked, locate)
    comparisons = list_comparisons(rows)
    return SheetPage(
        summary=_summarise(rows),
        failures=tuple((row.position, row.name) for row in rows if row.comparison is None),
        address=address,
        rows=tuple(_show_row(row, place, problems) for row in rows),
        target=problems.target or options.target,
        target_problem=problems.problem,
        class_names=tuple(label.name for label in comparisons[0].labels) if comparisons else (),
        methods=list_choices(METHOD_TITLES, options.method),
        stages=list_choices({stage: str(stage.value) for stage in Stage}, options.stage),
        scales=list_choices({Scale.SHARED: "One per row", Scale.OWN: "One per map"}, options.scale),
        colormaps=list_choices({colormap: colormap.value for colormap in Colormap}, options.colormap),
        sorts=list_choices(
            SORT_TITLES | (HAND_TITLES if options.sort is SheetSort.HAND or options.order else {}), options.sort
        ),
        filters=list_choices(FILTER_TITLES, options.only),
        kept=tuple((name, value) for name, value in asked.items() if name not in CHOSEN_ON_THE_PAGE),
        asked=tuple((name, value) for name, value in asked.items() if name != "rows"),
        whole=add_query(address, _leave(asked, "without", "rows")) if options.without or options.rows else "",
        downloads=_list_downloads(address, asked, len(comparisons)),
    )


def list_asked(options: SheetOptions) -> dict[str, str]:
    """The options as a query, without those that have their default."""
    fields = set(SheetOptions.model_fields) - {"layout"}
    given = options.model_dump(mode="json", include=fields, exclude_defaults=True)
    texts = {
        name: ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in given.items()
    }
    return {name: text for name, text in texts.items() if text}


def _leave(asked: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in asked.items() if name not in names}


def _summarise(rows: Sequence[ComparedRow]) -> str:
    shown = len(list_comparisons(rows))
    pictures = "1 picture" if len(rows) == 1 else f"{len(rows)} pictures"
    return pictures if shown == len(rows) else f"{pictures}, {len(rows) - shown} could not be compared"


def _show_row(row: ComparedRow, place: _Place, problems: TargetProblems) -> SheetRowView:
    is_wrong = row.position == problems.row
    has_own = any(text.startswith(f"{row.position}:") for text in place.options.row_target)
    own = row.comparison.target.label.name if has_own and row.comparison is not None else ""
    without = ",".join(map(str, [*place.options.without, row.position]))
    return SheetRowView(
        position=row.position,
        name=row.name,
        comparison=None if row.comparison is None else _show_comparison(row.comparison, row, place),
        problem=row.problem,
        target=problems.row_target if is_wrong else own,
        target_problem=problems.row_problem if is_wrong else "",
        removal=add_query(place.address, place.asked, without=without),
    )


def _show_comparison(comparison: Comparison, row: ComparedRow, place: _Place) -> SheetComparison:
    addresses = place.locate(comparison.analysis.id)
    label = comparison.target.label
    # The picture's own explained class: each picture may have another one.
    drawn = {name: value for name, value in place.asked.items() if name in ArchiveOptions.model_fields}
    chosen = drawn | {"target": str(label.index)}
    sheet = place.address.rpartition("/")[2]
    titles = title_networks(comparison)
    guesses = {name: comparison.predictions(name, count=1)[0] for name in comparison.names}
    probabilities = [
        (f"P, {titles[network]}", format_probability(comparison.target_probability(network)))
        for network in comparison.names
    ]
    answer = build_analysis_answer(comparison, links=None)
    return SheetComparison(
        address=add_query(addresses.page, chosen, sheet=f"{add_query(sheet, place.asked)}#row-{row.position}"),
        class_name=label.name,
        guesses=tuple(
            (titles[name], guess.label.name, format_percentage(guess.probability)) for name, guess in guesses.items()
        ),
        disagrees=len({guess.label.index for guess in guesses.values()}) > 1,
        doubt=explain_doubt(answer, class_count=len(comparison.labels)),
        images=_show_images(comparison, row.name, chosen, addresses, place.options),
        scales=_list_scales(comparison, place.options),
        numbers=(*probabilities, *_compare_with_baseline(comparison)),
    )


def _list_scales(comparison: Comparison, options: SheetOptions) -> tuple[SheetScale, ...]:
    units = f"{UNITS[comparison.method]}s"
    titles = title_networks(comparison)
    if options.scale is Scale.SHARED:
        maxima = {"one scale for this row": comparison.shared_maximum}
    else:
        maxima = {titles[name]: comparison.heat_maps[name].maximum for name in comparison.names}
    maps = [
        SheetScale(options.colormap.value, "0", format_evidence(maximum), f"evidence in {units}, {what}")
        for what, maximum in maxima.items()
    ]
    difference = choose_difference(comparison.analysis.card, options.of, options.minus)
    limit = format_evidence(difference_scale(comparison, difference, options.scale, options.difference_scale).maximum)
    ends = f"blue: {titles[difference.minus]} more (hatched); red: {titles[difference.of]} more"
    return (*maps, SheetScale(DIFFERENCE_COLORMAP, f"−{limit}", f"+{limit}", ends))


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
    comparison: Comparison, name: str, chosen: dict[str, str], addresses: Addresses, options: SheetOptions
) -> tuple[tuple[str, PageImage], ...]:
    analysis, label = comparison.analysis, comparison.target.label
    size = screen_size(analysis.source.width, analysis.source.height, IMAGE_SIDE_PIXELS)
    titles = title_networks(comparison)
    chosen_difference = choose_difference(analysis.card, options.of, options.minus)
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


def _list_downloads(address: str, asked: dict[str, str], pictures: int) -> tuple[Download, ...]:
    if not pictures:
        return ()
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
        for form in SHEET_FORMATS
    ]
    numbers = Download("Numbers, CSV", add_query(f"{address}/numbers.csv", asked), "cbam-lens-sheet.csv")
    archive = add_query(f"{address}/everything.zip", asked)
    return (*sheets, numbers, Download("Everything, ZIP", archive, "cbam-lens-sheet.zip", pictures))

"""A sheet as the page's context."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from app.analysis.compared_sheets import ComparedRow, list_comparisons
from app.analysis.comparison import Comparison
from app.analysis.options import FigureOptions
from app.output.images import title_networks
from app.pages.analysis import Addresses
from app.pages.choices import METHOD_TITLES, list_choices
from app.pages.contexts import Download, PageImage, SheetAnswer, SheetPage, SheetRowView
from app.pages.templating import format_probability
from app.render.colour_scale import Colormap, Scale
from app.render.contact_sheet import SheetFormat
from models.names import NetworkName, Stage
from models.pictures.fitting import fit_size

IMAGE_SIDE_PIXELS = 320

CHOSEN_ON_THE_PAGE = ("target", "method", "stage", "scale", "colormap")


def build_sheet_page(
    rows: Sequence[ComparedRow], options: FigureOptions, *, address: str, locate: Callable[[str], Addresses]
) -> SheetPage:
    """The page of a sheet.

    Args:
        rows: the pictures.
        options: as they were asked for.
        address: the page's path.
        locate: where the analysis of an id is served.
    """
    asked = list_asked(options)
    return SheetPage(
        summary=_summarise(rows),
        address=address,
        rows=tuple(_show_row(row, asked, locate) for row in rows),
        target=options.target,
        methods=list_choices(METHOD_TITLES, options.method),
        stages=list_choices({stage: str(stage.value) for stage in Stage}, options.stage),
        scales=list_choices({Scale.SHARED: "One a row", Scale.OWN: "Each its own"}, options.scale),
        colormaps=list_choices({colormap: colormap.value for colormap in Colormap}, options.colormap),
        kept=tuple((name, value) for name, value in asked.items() if name not in CHOSEN_ON_THE_PAGE),
        downloads=_list_downloads(address, asked) if list_comparisons(rows) else (),
    )


def list_asked(options: FigureOptions) -> dict[str, str]:
    """The options as a query: what is not as it is by default."""
    given = options.model_dump(mode="json", include=set(FigureOptions.model_fields), exclude_defaults=True)
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in given.items() if value}


def _summarise(rows: Sequence[ComparedRow]) -> str:
    shown = len(list_comparisons(rows))
    pictures = "1 picture" if len(rows) == 1 else f"{len(rows)} pictures"
    return pictures if shown == len(rows) else f"{pictures}, {len(rows) - shown} of them not shown"


def _address(path: str, asked: dict[str, str]) -> str:
    return f"{path}?{urlencode(asked)}" if asked else path


def _show_row(row: ComparedRow, asked: dict[str, str], locate: Callable[[str], Addresses]) -> SheetRowView:
    if row.comparison is None:
        return SheetRowView(row.name, None, row.problem)
    return SheetRowView(
        row.name, _show_answer(row.comparison, row.name, asked, locate(row.comparison.analysis.id)), None
    )


def _show_answer(comparison: Comparison, name: str, asked: dict[str, str], addresses: Addresses) -> SheetAnswer:
    label, metrics = comparison.target.label, comparison.metrics
    # The class that was found: each picture may have another one.
    chosen = asked | {"target": str(label.index)}
    titles = title_networks(comparison.analysis.card, is_altered=comparison.altered is not None)
    probabilities = [
        (f"P, {titles[network]}", format_probability(comparison.target_probability(network))) for network in NetworkName
    ]
    return SheetAnswer(
        address=_address(addresses.page, chosen),
        class_name=label.name,
        images=_show_images(comparison, name, chosen, addresses),
        numbers=(
            *probabilities,
            ("Overlap", _format(metrics.overlap)),
            ("Correlation", _format(metrics.correlation)),
        ),
    )


def _show_images(
    comparison: Comparison, name: str, chosen: dict[str, str], addresses: Addresses
) -> tuple[tuple[str, PageImage], ...]:
    analysis, label = comparison.analysis, comparison.target.label
    size = fit_size(analysis.source.width, analysis.source.height, longer=IMAGE_SIDE_PIXELS)
    titles = title_networks(analysis.card, is_altered=comparison.altered is not None)
    query = urlencode(chosen | {"max_side": str(IMAGE_SIDE_PIXELS)})
    picture = PageImage(addresses.picture, f"{name}, the picture", *size)
    heat_maps = [
        (
            titles[network],
            PageImage(
                f"{addresses.answer.heat_map(network)}?{query}",
                f"{name}, {titles[network]}: where it sees {label.name}, "
                f"P = {comparison.target_probability(network):.3f}",
                *size,
            ),
        )
        for network in NetworkName
    ]
    difference = PageImage(
        f"{addresses.answer.difference}?{query}", f"{name}, {titles[NetworkName.CBAM]} minus baseline", *size
    )
    return (("Picture", picture), *heat_maps, ("Difference", difference))


def _format(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def _list_downloads(address: str, asked: dict[str, str]) -> tuple[Download, ...]:
    sheets = [
        Download(
            f"Sheet as {form.value.upper()}",
            _address(f"{address}/sheet.{form}", asked),
            f"cbam-lens-sheet.{form}",
        )
        for form in SheetFormat
    ]
    return (*sheets, Download("Everything, ZIP", _address(f"{address}/everything.zip", asked), "cbam-lens-sheet.zip"))

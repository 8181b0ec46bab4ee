"""The page of a comparison."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from app.analysis.comparison import Comparison, Difference
from app.analysis.networks import choose_difference
from app.analysis.options import ColourOptions, PageOptions
from app.api.analyses import build_analysis_answer
from app.api.map_values import UNITS
from app.api.schemas import AnalysisAnswer, LineupDescription
from app.pages.addresses import PANEL_SIDE_PIXELS, Addresses, Download, PageImage, add_query, fit_picture
from app.pages.analysis.gate_controls import GateControls, build_gate_controls
from app.pages.analysis.map_rows import MapRow, NetworkView, show_row
from app.pages.analysis.measures import Measure, list_measures
from app.pages.analysis.wording import (
    explain_agreement,
    explain_doubt,
    explain_file,
    explain_geometry,
    explain_target,
    is_misfit,
    warn_of_geometry,
)
from app.pages.choices import METHOD_TITLES, Choice, list_choices, list_classes
from app.pages.gates import NetworkGates, list_changes, show_gates
from app.pages.lineup import LineupView, build_lineup_view
from app.pages.upload import UploadForm
from app.render.colour_scale import Colormap, Scale
from app.render.figure import FigureFormat
from models.lineups.card import FEWEST_NETWORKS
from models.names import NetworkName, Stage
from models.networks.titles import join_words

WIDE_ASPECT, TALL_ASPECT = 1.9, 0.6

STAGE_TITLES = {Stage.ONE: "1 (finest)", Stage.TWO: "2", Stage.THREE: "3", Stage.FOUR: "4 (deepest)"}

Layout = Literal["wide", "regular", "tall"]


@dataclass(frozen=True, slots=True)
class AnalysisPage:
    """The picture, every network's map, a difference and every gate.

    Attributes:
        lineup: the analysis's lineup.
        networks_title: the networks' names in a sentence.
        other_lineups: the other loaded lineups, for the same picture.
        answer: the comparison, as in the REST API.
        target_reason: a sentence that says why this class is explained.
        agreement: a sentence on the class that each network ranks first.
        doubt: a sentence where the networks are not sure, or None.
        is_misfit: whether probably none of the classes fits; the doubt then comes before the maps.
        picture: the upright picture.
        networks: the networks' panels for the explained class, in the lineup's order.
        network_count: the number of networks.
        rows: the rows of maps: of the explained class and, if chosen, of a second one.
        difference: the two networks of the difference, by their names.
        versus: the second class's name, or an empty text.
        maps: the address of the maps' values.
        units: the values' units in words.
        layout: the panels' layout, which depends on the picture's shape.
        colormap, scale, opacity: the chosen values.
        classes, methods, stages, scales, colormaps: the select boxes' choices.
        differences: the choices of the difference's two networks; empty for a lineup of two.
        measures: the numbers that compare the maps.
        gates: the gates of every network that has gates.
        changes: the interventions, separated by commas; empty if there are none.
        gate_controls: the form that changes gates.
        sanity: the address of the sanity check.
        downloads: the files to download.
        file_sentence: a sentence on the values and the page that were read; empty where there was no choice.
        geometry_sentence: a sentence on the part of the picture that the networks saw.
        geometry_warnings: warnings about a geometry that is not the lineup's default.
        upload: the form for the next picture.
    """

    template: ClassVar[str] = "analysis.html"
    lineup: LineupView
    networks_title: str
    other_lineups: tuple[Choice, ...]
    answer: AnalysisAnswer
    target_reason: str
    agreement: str
    doubt: str | None
    is_misfit: bool
    picture: PageImage
    networks: tuple[NetworkView, ...]
    network_count: int
    rows: tuple[MapRow, ...]
    difference: Difference
    versus: str
    maps: str
    units: str
    layout: Layout
    colormap: str
    scale: Scale
    opacity: float
    classes: tuple[Choice, ...]
    methods: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    scales: tuple[Choice, ...]
    colormaps: tuple[Choice, ...]
    differences: tuple[tuple[Choice, ...], ...]
    measures: tuple[Measure, ...]
    gates: tuple[NetworkGates, ...]
    changes: str
    gate_controls: GateControls
    sanity: str
    downloads: tuple[Download, ...]
    file_sentence: str
    geometry_sentence: str
    geometry_warnings: tuple[str, ...]
    upload: UploadForm


def build_analysis_page(
    comparisons: Sequence[Comparison],
    options: PageOptions,
    *,
    lineup: LineupDescription,
    upload: UploadForm,
    addresses: Addresses,
) -> AnalysisPage:
    """Build the page of a comparison.

    Args:
        comparisons: the comparison for the explained class and, if chosen, for a second one.
        options: the page's options.
        lineup: the analysis's lineup.
        upload: the form for the next picture.
        addresses: the analysis's addresses.
    """
    comparison = comparisons[0]
    versus = comparisons[1].target.label if len(comparisons) > 1 else None
    answer = build_analysis_answer(comparison, links=addresses.answer)
    asked = _list_options(comparison, options)
    second = {} if versus is None else {"versus": str(versus.index)}
    rows = tuple(show_row(shown, options, asked, second, addresses) for shown in comparisons)
    return AnalysisPage(
        lineup=build_lineup_view(lineup),
        networks_title=join_words([network.title for network in answer.networks.values()]),
        other_lineups=tuple(choice for choice in upload.lineups if not choice.is_selected),
        answer=answer,
        target_reason=explain_target(answer),
        agreement=explain_agreement(answer),
        doubt=explain_doubt(answer, class_count=len(comparison.labels)),
        is_misfit=is_misfit(answer),
        picture=_show_picture(answer, addresses),
        networks=rows[0].networks,
        network_count=len(rows[0].networks),
        rows=rows,
        difference=choose_difference(comparison.analysis.card, options.of, options.minus),
        versus="" if versus is None else versus.name,
        maps=add_query(addresses.maps, _leave_colours(asked) | second),
        units=f"{UNITS[comparison.method]}s",
        layout=_choose_layout(answer),
        colormap=options.colormap.value,
        scale=options.scale,
        opacity=options.opacity,
        classes=list_classes(comparison.labels, comparison.target.label),
        methods=list_choices(METHOD_TITLES, comparison.method),
        stages=list_choices(STAGE_TITLES, comparison.stage),
        scales=list_choices({Scale.SHARED: "One for all maps", Scale.OWN: "One per map"}, options.scale),
        colormaps=list_choices({colormap: colormap.value for colormap in Colormap}, options.colormap),
        differences=_list_differences(comparison, options),
        measures=list_measures(answer),
        gates=show_gates(answer, options, addresses.page),
        changes=",".join(list_changes(answer)),
        gate_controls=build_gate_controls(answer, asked=asked | second, address=addresses.page),
        sanity=add_query(f"{addresses.page}/sanity", _leave_colours(asked)),
        downloads=_list_downloads(comparison, answer, asked, addresses),
        file_sentence=explain_file(answer.picture),
        geometry_sentence=explain_geometry(answer.geometry),
        geometry_warnings=warn_of_geometry(answer.geometry, lineup),
        upload=upload,
    )


def _list_options(comparison: Comparison, options: PageOptions) -> dict[str, str]:
    # The explained class itself, not the option's text, so that a shared link shows the same class.
    chosen = {"target": str(comparison.target.label.index)}
    drawn = options.model_dump(mode="json", exclude={"versus"})
    texts = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in drawn.items()}
    return {name: text for name, text in texts.items() if text} | chosen


def _list_differences(comparison: Comparison, options: PageOptions) -> tuple[tuple[Choice, ...], ...]:
    """The choices of the difference's two networks; none for a lineup of two."""
    card = comparison.analysis.card
    if len(card.names) == FEWEST_NETWORKS:
        return ()
    chosen = choose_difference(card, options.of, options.minus)
    titles = {name: card.title_network(name) for name in card.names}
    return _list_networks(titles, chosen.of), _list_networks(titles, chosen.minus)


def _list_networks(titles: Mapping[NetworkName, str], selected: NetworkName) -> tuple[Choice, ...]:
    return tuple(Choice(name, title, name == selected) for name, title in titles.items())


def _leave_colours(asked: dict[str, str]) -> dict[str, str]:
    """The options that change the maps' values, without those that change only colours and the difference."""
    return {name: value for name, value in asked.items() if name not in {*ColourOptions.model_fields, "of", "minus"}}


def _choose_layout(answer: AnalysisAnswer) -> Layout:
    aspect = answer.geometry.picture_width / answer.geometry.picture_height
    if aspect > WIDE_ASPECT:
        return "wide"
    return "tall" if aspect < TALL_ASPECT else "regular"


def _show_picture(answer: AnalysisAnswer, addresses: Addresses) -> PageImage:
    size = f"{answer.geometry.picture_width} × {answer.geometry.picture_height} pixels"
    return PageImage(addresses.picture, f"The picture, {size}", *fit_picture(answer.geometry, PANEL_SIDE_PIXELS))


def _list_downloads(
    comparison: Comparison, answer: AnalysisAnswer, asked: dict[str, str], addresses: Addresses
) -> tuple[Download, ...]:
    stem = re.sub(r"[^a-z0-9]+", "-", f"{answer.target.class_name}-{answer.method}".lower()).strip("-")
    figures = [
        Download(
            f"Figure as {form.value.upper()}",
            add_query(addresses.answer.figure(form), asked),
            f"cbam-lens-{stem}.{form}",
        )
        for form in FigureFormat
    ]
    figures += _list_figures_of_two(comparison, asked, addresses, stem)
    maps = [
        Download(
            f"{network.title} map", add_query(addresses.answer.heat_map(name), asked), f"cbam-lens-{stem}-{name}.png"
        )
        for name, network in answer.networks.items()
    ]
    difference = add_query(addresses.answer.difference, asked)
    maps.append(Download("Difference", difference, f"cbam-lens-{stem}-difference.png"))
    numbers = [
        Download("All arrays, maps.npz", answer.links["maps"], f"cbam-lens-{stem}.npz"),
        Download("All numbers, JSON", answer.links["self"], f"cbam-lens-{stem}.json"),
    ]
    everything = Download(
        "Everything, ZIP", add_query(f"{addresses.page}/everything.zip", asked), f"cbam-lens-{stem}.zip"
    )
    return (*figures, *maps, *numbers, everything)


def _list_figures_of_two(
    comparison: Comparison, asked: dict[str, str], addresses: Addresses, stem: str
) -> list[Download]:
    """The figure of the difference's two networks alone; nothing for a lineup of two."""
    card = comparison.analysis.card
    if len(card.names) == FEWEST_NETWORKS:
        return []
    chosen = choose_difference(card, asked.get("of"), asked.get("minus"))
    pair = [name for name in card.names if name in (chosen.of, chosen.minus)]
    title = join_words([card.title_network(name) for name in pair])
    address = add_query(addresses.answer.figure(FigureFormat.PDF), asked, networks=",".join(pair))
    return [Download(f"Figure of {title} as PDF", address, f"cbam-lens-{stem}-{'-'.join(pair)}.pdf")]

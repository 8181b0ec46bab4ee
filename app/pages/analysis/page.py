"""The page of a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from app.analysis.analyses import Analysis
from app.analysis.channel_scores import count_passes
from app.analysis.comparison import Comparison, Difference
from app.analysis.networks import choose_difference
from app.analysis.options import ColourOptions, DifferenceScaleOptions, PageOptions, Tab, View
from app.analysis.sanity import SanityCheck
from app.api.analyses import build_analysis_answer, name_contrast
from app.api.map_values import UNITS
from app.api.schemas import AnalysisAnswer, LineupDescription
from app.pages.addresses import PANEL_SIDE_PIXELS, Addresses, PageImage, add_query, fit_picture
from app.pages.analysis.downloads import list_downloads
from app.pages.analysis.gate_controls import GateControls, build_gate_controls
from app.pages.analysis.map_rows import MapRow, NetworkView, show_row
from app.pages.analysis.measures import Measure, list_measures
from app.pages.analysis.toolbar import Toolbar, build_toolbar
from app.pages.analysis.verdict import Verdict, build_verdict
from app.pages.analysis.wording import explain_cost, explain_file, explain_geometry, explain_target
from app.pages.choices import METHOD_TITLES, STAGE_TITLES, AnyName, Choice, list_choices
from app.pages.gates import NetworkGates, list_changes, list_gate_terms, show_gates
from app.pages.lineup import LineupView, build_lineup_view
from app.pages.sanity import SanityView, build_sanity_view
from app.pages.upload import UploadForm
from app.render.colour_scale import Colormap, DifferenceScale, Scale
from models.lineups.card import FEWEST_NETWORKS, MOST_NETWORKS
from models.names import NetworkName
from models.networks.titles import join_words

WIDE_ASPECT, TALL_ASPECT = 1.9, 0.6

VIEW_TITLES = {View.SIDE: "Side by side", View.SWIPE: "Swipe", View.DIFFERENCE: "Difference"}

TAB_TITLES = {
    Tab.GUESSES: "Guesses",
    Tab.ATTENTION: "Attention",
    Tab.NUMBERS: "Numbers",
    Tab.SANITY: "Sanity",
    Tab.NETWORKS: "About the networks",
}

DIFFERENCE_SCALE_TITLES = {DifferenceScale.OWN: "Its own", DifferenceScale.SHARED: "That of the maps"}

Layout = Literal["wide", "regular", "tall"]

DRAWN_ONLY = {*ColourOptions.model_fields, *DifferenceScaleOptions.model_fields, "of", "minus"}
"""The options that change colours and the difference, but not the maps' values."""


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to the same analysis in another view or with another tab."""

    value: str
    title: str
    address: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class AnalysisPage:
    """The picture, every network's map, a difference, and one tab of the rest.

    Attributes:
        toolbar: the bar above the maps.
        verdict: the answer in one line, with its doubts.
        lineup: the analysis's lineup.
        networks_title: the networks' names in a sentence.
        answer: the comparison, as in the REST API.
        target_reason: a sentence that says why this class is explained.
        picture: the upright picture.
        networks: the networks' panels for the explained class, in the lineup's order.
        network_count: the number of networks.
        panel_count: the number of panels that share a line.
        rows: the rows of maps: of the explained class and, if chosen, of a second one.
        difference: the two networks of the difference, by their names.
        versus: the second class's name, or an empty text.
        maps: the address of the maps' values.
        primer: the address of the page about CBAM, with this picture's gates.
        units: the values' units in words.
        layout: the panels' layout, which depends on the picture's shape.
        colormap, scale, opacity: the chosen values.
        view: the way of showing the maps.
        views: the addresses of the ways of showing them.
        tab: the opened tab.
        tabs: the addresses of all tabs.
        methods, stages, scales, colormaps, difference_scales: the select boxes' choices.
        method_cost: a sentence on the method that takes long, see `add_cost`.
        concepts: the address of the page with the picture's concepts.
        differences: the choices of the difference's two networks; empty for a lineup of two.
        measures: the numbers that compare the maps.
        gates: the gates of every network that has gates.
        gate_terms: the ids of the terms for kinds of gates that only some attentions have.
        changes: the interventions, separated by commas; empty if there are none.
        gate_controls: the form that changes gates.
        sanity: the result of the sanity check, see `add_sanity`; None unless its tab is opened.
        file_sentence: a sentence on the values and the page that were read; empty where there was no choice.
        geometry_sentence: a sentence on the part of the picture that the networks saw.
        upload: the limits of the next picture.
        sheet: the address of the sheet from which the page was opened; empty if there was none.
        opened_from: that sheet, as the option names it.
    """

    template: ClassVar[str] = "analysis.html"
    toolbar: Toolbar
    verdict: Verdict
    lineup: LineupView
    networks_title: str
    answer: AnalysisAnswer
    target_reason: str
    picture: PageImage
    networks: tuple[NetworkView, ...]
    network_count: int
    panel_count: int
    rows: tuple[MapRow, ...]
    difference: Difference
    versus: str
    maps: str
    primer: str
    units: str
    layout: Layout
    colormap: str
    scale: Scale
    opacity: float
    view: View
    views: tuple[PageLink, ...]
    tab: Tab
    tabs: tuple[PageLink, ...]
    methods: tuple[Choice, ...]
    method_cost: str
    concepts: str
    stages: tuple[Choice, ...]
    scales: tuple[Choice, ...]
    colormaps: tuple[Choice, ...]
    difference_scales: tuple[Choice, ...]
    differences: tuple[tuple[Choice, ...], ...]
    measures: tuple[Measure, ...]
    gates: tuple[NetworkGates, ...]
    gate_terms: tuple[str, ...]
    changes: str
    gate_controls: GateControls
    sanity: SanityView | None
    file_sentence: str
    geometry_sentence: str
    upload: UploadForm
    sheet: str
    opened_from: str


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
    opened = {} if options.tab is Tab.GUESSES else {"tab": options.tab.value}
    back = {"sheet": options.sheet} if options.sheet else {}
    page = asked | second | opened | back
    files = asked | name_contrast(comparison)
    rows = tuple(show_row(shown, options, asked, page, addresses) for shown in comparisons)
    return AnalysisPage(
        toolbar=build_toolbar(
            comparison,
            lineups=upload.lineups,
            kept_seconds=upload.kept_seconds,
            downloads=list_downloads(comparison, answer, files, second, addresses),
        ),
        verdict=build_verdict(answer, lineup, class_count=len(comparison.labels)),
        lineup=build_lineup_view(lineup),
        networks_title=join_words([network.title for network in answer.networks.values()]),
        answer=answer,
        target_reason=explain_target(answer, comparison.first_class),
        picture=_show_picture(answer, addresses),
        networks=tuple(network for network in rows[0].networks if not network.is_past),
        network_count=len(answer.networks),
        panel_count=min(len(rows[0].networks), MOST_NETWORKS),
        rows=rows,
        difference=choose_difference(comparison.analysis.card, options.of, options.minus),
        versus="" if versus is None else versus.name,
        maps=add_query(addresses.maps, _leave_colours(asked) | second),
        primer=addresses.primer,
        units=f"{UNITS[comparison.method]}s",
        layout=_choose_layout(answer),
        colormap=options.colormap.value,
        scale=options.scale,
        opacity=options.opacity,
        view=options.view,
        views=_list_links(VIEW_TITLES, "view", options.view, add_query(addresses.page, page)),
        tab=options.tab,
        tabs=_list_links(TAB_TITLES, "tab", options.tab, add_query(addresses.page, asked | second | back)),
        methods=list_choices(METHOD_TITLES, comparison.method),
        method_cost=explain_cost(count_passes(comparison.learned.analysis, comparison.stage), None),
        concepts=f"{addresses.page}/concepts",
        stages=list_choices(
            {stage: STAGE_TITLES[stage] for stage in comparison.analysis.card.stages}, comparison.stage
        ),
        scales=list_choices({Scale.SHARED: "One for all", Scale.OWN: "One per map"}, options.scale),
        colormaps=list_choices({colormap: colormap.value for colormap in Colormap}, options.colormap),
        difference_scales=list_choices(DIFFERENCE_SCALE_TITLES, options.difference_scale),
        differences=_list_differences(comparison, options),
        measures=list_measures(answer),
        gates=(gates := show_gates(answer, options, addresses.page)),
        gate_terms=list_gate_terms(gates),
        changes=",".join(list_changes(answer)),
        gate_controls=build_gate_controls(answer, asked=page, address=addresses.page),
        sanity=None,
        file_sentence=explain_file(answer.picture),
        geometry_sentence=explain_geometry(answer.geometry),
        upload=upload,
        sheet=addresses.sheet,
        opened_from=options.sheet,
    )


def add_sanity(page: AnalysisPage, check: SanityCheck, *, addresses: Addresses) -> AnalysisPage:
    """Add the result of the sanity check to a page that opens its tab."""
    return replace(page, sanity=build_sanity_view(check, addresses=addresses))


def add_cost(page: AnalysisPage, analysis: Analysis, options: PageOptions, seconds: float | None) -> AnalysisPage:
    """Add the time that a slow method is expected to take.

    Args:
        page: the page.
        analysis: the picture.
        options: the page's options.
        seconds: the time that a picture takes with all networks, as measured; None where nothing was.
    """
    passes = count_passes(analysis, options.stage)
    expected = None if seconds is None else passes * seconds / len(analysis.traces)
    return replace(page, method_cost=explain_cost(passes, expected))


def _list_options(comparison: Comparison, options: PageOptions) -> dict[str, str]:
    # The explained class itself, not the option's text, so that a shared link shows the same class.
    chosen = {"target": str(comparison.target.label.index)}
    drawn = options.model_dump(mode="json", exclude={"target", "versus", "view", "tab", "sheet"})
    texts = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in drawn.items()}
    return {name: text for name, text in texts.items() if text} | chosen


def _list_links(titles: Mapping[AnyName, str], option: str, selected: AnyName, address: str) -> tuple[PageLink, ...]:
    return tuple(
        PageLink(str(name.value), title, add_query(address, {}, **{option: str(name.value)}), name is selected)
        for name, title in titles.items()
    )


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
    return {name: value for name, value in asked.items() if name not in DRAWN_ONLY}


def _choose_layout(answer: AnalysisAnswer) -> Layout:
    aspect = answer.geometry.picture_width / answer.geometry.picture_height
    if aspect > WIDE_ASPECT:
        return "wide"
    return "tall" if aspect < TALL_ASPECT else "regular"


def _show_picture(answer: AnalysisAnswer, addresses: Addresses) -> PageImage:
    size = f"{answer.geometry.picture_width} × {answer.geometry.picture_height} pixels"
    return PageImage(addresses.picture, f"The picture, {size}", *fit_picture(answer.geometry, PANEL_SIDE_PIXELS))

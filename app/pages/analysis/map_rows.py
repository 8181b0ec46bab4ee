"""The rows of maps: the networks' heat maps for a class, their likeliest classes and the maps' difference."""

from dataclasses import dataclass

from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference
from app.analysis.options import PageOptions
from app.api.analyses import build_analysis_answer, name_contrast
from app.api.links import AnalysisLinks
from app.api.map_values import UNITS, list_maps, name_map, title_map
from app.api.schemas import AnalysisAnswer, LearnedAnswer, NetworkAnswer, PredictionAnswer
from app.explain.methods import Method
from app.numbers import format_equation, format_evidence
from app.output.heat_maps import difference_scale, title_networks
from app.pages.addresses import PANEL_SIDE_PIXELS, Addresses, PageImage, add_query, fit_picture
from app.pages.analysis.measures import explain_peak
from app.pages.analysis.wording import explain_contrast, label_difference
from app.pages.choices import METHOD_TITLES
from app.render.colour_scale import Scale
from models.names import NetworkName


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One of a network's likeliest classes.

    Attributes:
        class_name: its name.
        probability: P, 0..1.
        address: the page that explains this class.
        versus_address: the page that shows this class beside the explained one; None for a class already shown.
        is_target: whether it is the explained class.
    """

    class_name: str
    probability: float
    address: str
    versus_address: str | None
    is_target: bool


@dataclass(frozen=True, slots=True)
class NetworkView:
    """One network's panel and its likeliest classes.

    Attributes:
        name: its name in the lineup.
        place: its place in the lineup, from 1, which decides its colour.
        title: its name for people.
        is_past: whether it is the network before its gates were changed.
        image: the heat map over the picture.
        probability: P of the explained class, 0..1.
        maximum: the heat map's own highest value; 0 without positive evidence.
        peak: that value and its position in one line; None without positive evidence.
        ranking: the likeliest classes, the likeliest first.
    """

    name: str
    place: int
    title: str
    is_past: bool
    image: PageImage
    probability: float
    maximum: float
    peak: str | None
    ranking: tuple[RankedClass, ...]


@dataclass(frozen=True, slots=True)
class MapRow:
    """The networks' maps for one class, and the difference of two.

    Attributes:
        class_name: the class.
        networks: the networks' panels, in the lineup's order; each with changed gates is followed by itself as learned.
        maximum: the upper end of their shared scale.
        difference: the image of one map minus another.
        of, minus: the titles of these two networks.
        difference_limit: the value at the ends of the difference's colours.
        difference_label: the words under the difference's colour bar.
        removal: the page without this row; None for the first row.
        contrast: a sentence on the classes that this one is contrasted with; empty for methods that contrast none.
    """

    class_name: str
    networks: tuple[NetworkView, ...]
    maximum: float
    difference: PageImage
    of: str
    minus: str
    difference_limit: float
    difference_label: str
    removal: str | None
    contrast: str


def show_row(
    comparison: Comparison,
    options: PageOptions,
    asked: dict[str, str],
    page: dict[str, str],
    addresses: Addresses,
) -> MapRow:
    """Build the row of maps of a comparison.

    Args:
        comparison: the comparison for one class.
        options: the page's options.
        asked: the options of drawing, for links to files, with the explained class.
        page: the options of this page, for links to others like it: also the second class and the opened tab.
        addresses: the analysis's addresses.
    """
    answer = build_analysis_answer(comparison, links=addresses.answer)
    index = str(answer.target.class_index)
    drawn = asked | {"target": index} | name_contrast(comparison)
    card = comparison.analysis.card
    difference = choose_difference(card, options.of, options.minus)
    limit = difference_scale(comparison, difference, options.scale, options.difference_scale).maximum
    titles = (card.title_network(difference.of), card.title_network(difference.minus))
    whole = 1.0 if options.scale is Scale.OWN else answer.shared_max or 1.0
    return MapRow(
        class_name=answer.target.class_name,
        networks=tuple(
            _show_network(comparison, answer, shown, page, addresses.page) for shown in list_maps(comparison)
        ),
        maximum=answer.shared_max,
        difference=_show_difference(answer, titles, limit, drawn),
        of=titles[0],
        minus=titles[1],
        difference_limit=limit,
        difference_label=label_difference(options, f"{UNITS[comparison.method]}s", limit / whole),
        removal=None
        if index == asked["target"]
        else add_query(addresses.page, {key: text for key, text in page.items() if key != "versus"}),
        contrast=explain_contrast(answer),
    )


def _show_network(
    comparison: Comparison, answer: AnalysisAnswer, shown: tuple[NetworkName, bool], page: dict[str, str], path: str
) -> NetworkView:
    """Show one network, or with `True` the network before its gates were changed."""
    name, as_learned = shown
    alteration = answer.networks[name].alteration
    network = alteration.learned if as_learned and alteration is not None else answer.networks[name]
    title = title_map(comparison, name, as_learned=True) if as_learned else title_networks(comparison)[name]
    drawn = {key: value for key, value in page.items() if key not in ("versus", "tab")}
    drawn |= {"target": str(answer.target.class_index)} | name_contrast(comparison)
    drawn |= {"as_learned": "true"} if as_learned else {}
    return NetworkView(
        name=name_map(name, as_learned=as_learned),
        place=comparison.names.index(name) + 1,
        title=title,
        is_past=as_learned,
        image=PageImage(
            add_query(
                AnalysisLinks(answer.links["self"].partition("?")[0]).heat_map(name),
                drawn,
                max_side=str(PANEL_SIDE_PIXELS),
            ),
            _write_alternative_text(answer, network, title),
            *fit_picture(answer.geometry, PANEL_SIDE_PIXELS),
        ),
        probability=network.target_probability,
        maximum=network.heat_map.max,
        peak=explain_peak(network.heat_map),
        ranking=tuple(_rank(prediction, page, path) for prediction in network.predictions),
    )


def _rank(prediction: PredictionAnswer, asked: dict[str, str], path: str) -> RankedClass:
    index = str(prediction.class_index)
    # A link that explains the second class itself needs no second row for it.
    others = {key: value for key, value in asked.items() if (key, value) != ("versus", index)}
    is_shown = index in (asked["target"], asked.get("versus"))
    return RankedClass(
        class_name=prediction.class_name,
        probability=prediction.probability,
        address=add_query(path, others, target=index),
        versus_address=None if is_shown else add_query(path, asked, versus=index),
        is_target=index == asked["target"],
    )


def _write_alternative_text(answer: AnalysisAnswer, network: NetworkAnswer | LearnedAnswer, title: str) -> str:
    heat_map = network.heat_map
    target = answer.target.class_name
    probability = format_equation(network.target_probability)
    if heat_map.peak_x is None or heat_map.peak_y is None:
        return f"{title}: no positive evidence for {target}, {probability}"
    method = METHOD_TITLES[Method(answer.method)]
    return (
        f"{title}: {method} for {target} over the picture, {probability}, values {format_evidence(heat_map.min)} to "
        f"{format_evidence(heat_map.max)}, highest at x {heat_map.peak_x:.0f}, y {heat_map.peak_y:.0f}"
    )


def _show_difference(answer: AnalysisAnswer, titles: tuple[str, str], limit: float, asked: dict[str, str]) -> PageImage:
    of, minus = titles
    end = format_evidence(limit)
    path = answer.links["difference"].partition("?")[0]
    return PageImage(
        add_query(path, asked, max_side=str(PANEL_SIDE_PIXELS)),
        f"{of} minus {minus} over the picture, from -{end}, blue and hatched, {minus} more, to +{end}, red, {of} more",
        *fit_picture(answer.geometry, PANEL_SIDE_PIXELS),
    )

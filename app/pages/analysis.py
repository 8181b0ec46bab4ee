"""A comparison as the page's context: images with their alternative texts, numbers with their meaning, links."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from app.analysis.comparison import Comparison
from app.analysis.options import ColourOptions, FigureOptions
from app.api.links import AnalysisLinks
from app.api.map_values import UNITS
from app.api.schemas import (
    AnalysisAnswer,
    BlockAnswer,
    GateAnswer,
    PairDescription,
    PredictionAnswer,
    build_analysis_answer,
)
from app.explain.methods import Method
from app.output.images import difference_scale, title_networks
from app.pages.block_names import name_block
from app.pages.choices import METHOD_TITLES, list_choices, list_classes
from app.pages.contexts import (
    AnalysisPage,
    BlockView,
    Download,
    GateView,
    Layout,
    MapRow,
    NetworkView,
    PageImage,
    RankedClass,
    UploadForm,
)
from app.pages.gates import build_playground
from app.pages.wording import (
    build_pair_view,
    explain_doubt,
    explain_geometry,
    explain_peak,
    explain_target,
    list_measures,
    warn_of_geometry,
)
from app.render.attention import STRIP_HEIGHT_PIXELS, STRIP_WIDTH_PIXELS
from app.render.colour_scale import Colormap, Scale
from app.render.figure import FigureFormat
from models.names import NetworkName, Stage
from models.networks.titles import ATTENTION_TITLES
from models.pictures.fitting import fit_size

PANEL_SIDE_PIXELS = 640
GATE_SIDE_PIXELS = 256

FLAT_DEVIATION = 0.01
"""A gate whose standard deviation is below this lets everything through alike."""

WIDE_ASPECT, TALL_ASPECT = 1.9, 0.6


@dataclass(frozen=True, slots=True)
class Addresses:
    """Paths on this server of one analysis: its page, its REST answer, its picture and its maps' values."""

    page: str
    answer: AnalysisLinks
    picture: str
    maps: str


def build_analysis_page(
    comparisons: Sequence[Comparison],
    options: FigureOptions,
    *,
    pair: PairDescription,
    upload: UploadForm,
    addresses: Addresses,
) -> AnalysisPage:
    """The page of a comparison.

    Args:
        comparisons: what to show: the explained class, and a second one where that was asked for.
        options: as they were asked for.
        pair: the pair that looked.
        upload: the form for the next picture.
        addresses: where the analysis is served.
    """
    comparison = comparisons[0]
    versus = comparisons[1].target.label if len(comparisons) > 1 else None
    answer = build_analysis_answer(comparison, links=addresses.answer)
    asked = _list_options(comparison, options)
    second = {} if versus is None else {"versus": str(versus.index)}
    rows = tuple(_show_row(shown, options, asked, second, addresses) for shown in comparisons)
    return AnalysisPage(
        pair=build_pair_view(pair),
        attention=ATTENTION_TITLES[answer.attention],
        other_pairs=tuple(choice for choice in upload.pairs if not choice.is_selected),
        answer=answer,
        target_reason=explain_target(answer),
        doubt=explain_doubt(answer, class_count=len(comparison.labels)),
        picture=_show_picture(answer, addresses),
        networks=rows[0].networks,
        rows=rows,
        versus="" if versus is None else versus.name,
        maps=_address(addresses.maps, _leave_colours(asked) | second),
        units=f"{UNITS[comparison.method]}s",
        layout=_choose_layout(answer),
        colormap=options.colormap.value,
        scale=options.scale,
        opacity=options.opacity,
        classes=list_classes(comparison.labels, comparison.target.label),
        methods=list_choices(METHOD_TITLES, comparison.method),
        stages=list_choices(
            {Stage.ONE: "1 (finest)", Stage.TWO: "2", Stage.THREE: "3", Stage.FOUR: "4 (deepest)"},
            comparison.stage,
        ),
        scales=list_choices({Scale.SHARED: "One for all maps", Scale.OWN: "Each its own"}, options.scale),
        colormaps=list_choices({colormap: colormap.value for colormap in Colormap}, options.colormap),
        measures=list_measures(answer),
        blocks=tuple(_show_block(answer, block, options, addresses.page) for block in answer.blocks),
        playground=build_playground(answer, asked=asked | second, address=addresses.page),
        sanity=_address(f"{addresses.page}/sanity", _leave_colours(asked)),
        downloads=_list_downloads(answer, asked, addresses),
        geometry_sentence=explain_geometry(answer.geometry),
        geometry_warnings=warn_of_geometry(answer.geometry, pair),
        upload=upload,
    )


def _list_options(comparison: Comparison, options: FigureOptions) -> dict[str, str]:
    # The class that was chosen, not the question: a link must show the same class when it is shared.
    chosen = {"target": str(comparison.target.label.index)}
    drawn = options.model_dump(mode="json", include=set(FigureOptions.model_fields))
    texts = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in drawn.items()}
    return {name: text for name, text in texts.items() if text} | chosen


def _leave_colours(asked: dict[str, str]) -> dict[str, str]:
    """What decides the maps' values, without how they are coloured."""
    return {name: value for name, value in asked.items() if name not in ColourOptions.model_fields}


def _address(path: str, asked: dict[str, str], **changes: str) -> str:
    separator = "&" if "?" in path else "?"
    return f"{path}{separator}{urlencode(asked | changes)}"


def _fit(answer: AnalysisAnswer, max_side: int) -> tuple[int, int]:
    return fit_size(answer.geometry.picture_width, answer.geometry.picture_height, longer=max_side)


def _choose_layout(answer: AnalysisAnswer) -> Layout:
    aspect = answer.geometry.picture_width / answer.geometry.picture_height
    if aspect > WIDE_ASPECT:
        return "wide"
    return "tall" if aspect < TALL_ASPECT else "regular"


def _show_picture(answer: AnalysisAnswer, addresses: Addresses) -> PageImage:
    size = f"{answer.geometry.picture_width} × {answer.geometry.picture_height} pixels"
    return PageImage(addresses.picture, f"The picture, {size}", *_fit(answer, PANEL_SIDE_PIXELS))


def _show_row(
    comparison: Comparison,
    options: FigureOptions,
    asked: dict[str, str],
    second: dict[str, str],
    addresses: Addresses,
) -> MapRow:
    answer = build_analysis_answer(comparison, links=addresses.answer)
    index = str(answer.target.class_index)
    drawn = asked | {"target": index}
    return MapRow(
        class_name=answer.target.class_name,
        networks=tuple(_show_network(comparison, answer, name, asked | second, addresses) for name in NetworkName),
        maximum=answer.comparison.shared_max,
        difference=_show_difference(comparison, answer, options, drawn),
        difference_limit=difference_scale(comparison, options).maximum,
        removal=None if index == asked["target"] else _address(addresses.page, asked),
    )


def _show_network(
    comparison: Comparison, answer: AnalysisAnswer, name: NetworkName, asked: dict[str, str], addresses: Addresses
) -> NetworkView:
    network = answer.networks[name]
    title = title_networks(comparison.analysis.card, is_altered=comparison.altered is not None)[name]
    path = addresses.answer.heat_map(name)
    drawn = {key: value for key, value in asked.items() if key != "versus"}
    drawn["target"] = str(answer.target.class_index)
    return NetworkView(
        name=name.value,
        title=title,
        image=PageImage(
            _address(path, drawn, max_side=str(PANEL_SIDE_PIXELS)),
            _write_alternative_text(answer, name, title),
            *_fit(answer, PANEL_SIDE_PIXELS),
        ),
        probability=network.target_probability,
        maximum=network.heat_map.max,
        peak=explain_peak(network.heat_map),
        share_above_half=network.heat_map.share_above_half,
        ranking=tuple(_rank(prediction, asked, addresses) for prediction in network.predictions),
    )


def _rank(prediction: PredictionAnswer, asked: dict[str, str], addresses: Addresses) -> RankedClass:
    index = str(prediction.class_index)
    # Whoever explains the second class wants no second row of the same.
    others = {key: value for key, value in asked.items() if (key, value) != ("versus", index)}
    is_shown = index in (asked["target"], asked.get("versus"))
    return RankedClass(
        class_name=prediction.class_name,
        probability=prediction.probability,
        address=_address(addresses.page, others, target=index),
        versus_address=None if is_shown else _address(addresses.page, asked, versus=index),
        is_target=index == asked["target"],
    )


def _write_alternative_text(answer: AnalysisAnswer, name: NetworkName, title: str) -> str:
    heat_map = answer.networks[name].heat_map
    target = answer.target.class_name
    probability = f"P = {answer.networks[name].target_probability:.3f}"
    if heat_map.peak_x is None or heat_map.peak_y is None:
        return f"{title}: no positive evidence for {target}, {probability}"
    method = METHOD_TITLES[Method(answer.method)]
    return (
        f"{title}: {method} for {target} over the picture, {probability}, values {heat_map.min:.3g} to "
        f"{heat_map.max:.3g}, highest at x {heat_map.peak_x:.0f}, y {heat_map.peak_y:.0f}"
    )


def _show_difference(
    comparison: Comparison, answer: AnalysisAnswer, options: FigureOptions, asked: dict[str, str]
) -> PageImage:
    limit = difference_scale(comparison, options).maximum
    path = answer.links["difference"].partition("?")[0]
    attention = ATTENTION_TITLES[answer.attention]
    return PageImage(
        _address(path, asked, max_side=str(PANEL_SIDE_PIXELS)),
        f"{attention} minus baseline over the picture, from -{limit:.3g}, blue, baseline more, "
        f"to +{limit:.3g}, red, {attention} more",
        *_fit(answer, PANEL_SIDE_PIXELS),
    )


def _show_block(answer: AnalysisAnswer, block: BlockAnswer, options: FigureOptions, page: str) -> BlockView:
    changes = "" if answer.alteration is None else f"?interventions={','.join(answer.alteration.interventions)}"
    opened = f"{page}/blocks/{block.name}{changes}"
    colours = {"colormap": options.colormap.value}
    overlay = colours | {"opacity": str(options.opacity), "max_side": str(GATE_SIDE_PIXELS)}
    spatial = channel = None
    if block.spatial is not None:
        size = f"{block.width} × {block.height}"
        address = _address(block.links["spatial"], overlay)
        shape = _fit(answer, GATE_SIDE_PIXELS)
        spatial = _show_gate(block.spatial, address, f"Spatial gate of {block.name}", size, shape)
    if block.channel is not None and block.channels is not None:
        # One channel takes a whole number of columns, so the strip is as wide as that makes it.
        shape = (-(-STRIP_WIDTH_PIXELS // block.channels) * block.channels, STRIP_HEIGHT_PIXELS)
        address = _address(block.links["channel"], colours | {"order": "strength"})
        channel = _show_gate(block.channel, address, f"Channel gate of {block.name}", f"{block.channels} ch.", shape)
    return BlockView(name=block.name, title=name_block(block.name), address=opened, spatial=spatial, channel=channel)


def _show_gate(gate: GateAnswer, address: str, title: str, size: str, shape: tuple[int, int]) -> GateView:
    what = size.replace("ch.", "channels") if size.endswith("ch.") else f"{size} positions"
    description = (
        f"{title}, {what}: {gate.min:.2f} to {gate.max:.2f}, mean {gate.mean:.2f}, "
        f"standard deviation {gate.standard_deviation:.3f}"
    )
    return GateView(PageImage(address, description, *shape), size, gate, gate.standard_deviation < FLAT_DEVIATION)


def _list_downloads(answer: AnalysisAnswer, asked: dict[str, str], addresses: Addresses) -> tuple[Download, ...]:
    stem = re.sub(r"[^a-z0-9]+", "-", f"{answer.target.class_name}-{answer.method}".lower()).strip("-")
    figures = [
        Download(
            f"Figure as {form.value.upper()}",
            _address(addresses.answer.figure(form), asked),
            f"cbam-lens-{stem}.{form}",
        )
        for form in FigureFormat
    ]
    attention = ATTENTION_TITLES[answer.attention]
    names = (("baseline", "Baseline map"), ("cbam", f"{attention} map"), ("difference", "Difference"))
    maps = [
        Download(title, _address(addresses.answer.heat_map(name), asked), f"cbam-lens-{stem}-{name}.png")
        for name, title in names
    ]
    numbers = [
        Download("All arrays, maps.npz", answer.links["maps"], f"cbam-lens-{stem}.npz"),
        Download("All numbers, JSON", answer.links["self"], f"cbam-lens-{stem}.json"),
    ]
    everything = Download(
        "Everything, ZIP", _address(f"{addresses.page}/everything.zip", asked), f"cbam-lens-{stem}.zip"
    )
    return (*figures, *maps, *numbers, everything)

"""A comparison's heat maps and their difference as images."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from app.analysis.comparison import Comparison, Difference
from app.analysis.options import ColourOptions, MapOptions
from app.explain.maps import FloatArray, HeatMap
from app.output.drawing import draw_on_picture, encode_on_picture, find_mark
from app.output.picture_format import PictureFormat, check_format, encode_picture
from app.render.colour_scale import DIFFERENCE_COLORMAP, ColourScale, DifferenceScale, Scale, limit_difference
from app.render.overlay import Drawing
from models.names import NetworkName


def title_networks(comparison: Comparison) -> dict[NetworkName, str]:
    """The networks' titles above their panels, with notes on changed gates and random weights."""
    card = comparison.analysis.card
    titles = {}
    for name in card.names:
        changed = ", gates changed" if comparison.is_altered(name) else ""
        titles[name] = card.title_network(name) + changed + ("" if card.trained else ", untrained")
    return titles


def heat_map_scale(
    comparison: Comparison, heat_map: HeatMap, options: ColourOptions, *, shown: Sequence[NetworkName] = ()
) -> ColourScale:
    """The colours of one of a comparison's heat maps, from 0 to the shared or its own maximum.

    Args:
        comparison: the maps.
        heat_map: one of them.
        options: whether the scale is shared.
        shown: the networks that are seen side by side and share the scale; all by default.
    """
    maximum = heat_map.maximum if options.scale is Scale.OWN else comparison.maximum_of(shown or comparison.names)
    return ColourScale(colormap=options.colormap.value, minimum=0.0, maximum=maximum)


def difference_scale(
    comparison: Comparison, difference: Difference, scale: Scale, limits: DifferenceScale = DifferenceScale.OWN
) -> ColourScale:
    """The colours of a difference: symmetric about 0, up to its own largest values or to the maps' maximum.

    Args:
        comparison: the maps.
        difference: the two networks.
        scale: the maps' scale; on `own` each map is divided by its own maximum first.
        limits: the ends of the difference's scale.
    """
    if limits is DifferenceScale.OWN:
        limit = limit_difference(subtract_heat_maps(comparison, difference, scale))
    else:
        # Without evidence any limit but 0 will do; a limit of 0 would draw no difference in the lowest colour.
        limit = 1.0 if scale is Scale.OWN else comparison.shared_maximum or 1.0
    return ColourScale(colormap=DIFFERENCE_COLORMAP, minimum=-limit, maximum=limit)


def draw_heat_map(  # noqa: PLR0913  # four of them are how it is drawn
    comparison: Comparison,
    name: NetworkName,
    options: MapOptions,
    *,
    as_learned: bool = False,
    max_side: int | None = None,
    shown: Sequence[NetworkName] = (),
) -> Image.Image:
    """Draw one network's heat map at the picture's size, or with at most `max_side` pixels per side.

    With `as_learned`, a network with changed gates shows its map from before, on the shared scale of both. `shown` is
    as in `heat_map_scale`.
    """
    values, drawing = _plan_heat_map(comparison, name, options, as_learned=as_learned, shown=shown)
    return draw_on_picture(comparison.analysis, values, drawing, max_side)


def _plan_heat_map(
    comparison: Comparison,
    name: NetworkName,
    options: MapOptions,
    *,
    as_learned: bool,
    shown: Sequence[NetworkName] = (),
) -> tuple[FloatArray, Drawing]:
    """A heat map's values, and how they are drawn."""
    heat_map = comparison.find_map(name, as_learned=as_learned)
    notice = None if heat_map.has_evidence else f"no positive evidence for {comparison.target.label.name}"
    scale = heat_map_scale(comparison, heat_map, options, shown=shown)
    mark = find_mark(comparison.analysis)
    drawing = Drawing(options.render, scale, options.opacity, notice, mark, threshold=options.threshold)
    return heat_map.values, drawing


def encode_heat_map(  # noqa: PLR0913  # three of them are how it is drawn
    comparison: Comparison,
    name: NetworkName,
    options: MapOptions,
    *,
    as_learned: bool = False,
    max_side: int | None = None,
    form: PictureFormat = PictureFormat.PNG,
) -> bytes:
    """`draw_heat_map` as a file; raises `InvalidOption` for a format that cannot hold it."""
    check_format(form, options.render)
    values, drawing = _plan_heat_map(comparison, name, options, as_learned=as_learned)
    return encode_on_picture(comparison.analysis, values, drawing, max_side, form)


def draw_difference(
    comparison: Comparison,
    difference: Difference,
    options: MapOptions,
    *,
    limits: DifferenceScale = DifferenceScale.OWN,
    max_side: int | None = None,
) -> Image.Image:
    """Draw one network's map minus another's; on the `own` scale each is divided by its own maximum.

    Where the second map is clearly the stronger one, the drawing is hatched.
    """
    scale = difference_scale(comparison, difference, options.scale, limits)
    drawing = Drawing(options.render, scale, options.opacity, mark=find_mark(comparison.analysis), is_difference=True)
    return draw_on_picture(
        comparison.analysis, subtract_heat_maps(comparison, difference, options.scale), drawing, max_side
    )


def title_difference(comparison: Comparison, difference: Difference) -> str:
    """The difference's title: one network's minus the other's."""
    card = comparison.analysis.card
    return f"{card.title_network(difference.of)} minus {card.title_network(difference.minus)}"


def encode_difference(  # noqa: PLR0913  # as for a heat map
    comparison: Comparison,
    difference: Difference,
    options: MapOptions,
    *,
    limits: DifferenceScale = DifferenceScale.OWN,
    max_side: int | None = None,
    form: PictureFormat = PictureFormat.PNG,
) -> bytes:
    """`draw_difference` as a file; raises `InvalidOption` for a format that cannot hold it."""
    check_format(form, options.render)
    drawn = draw_difference(comparison, difference, options, limits=limits, max_side=max_side)
    return encode_picture(drawn, form)


def subtract_heat_maps(comparison: Comparison, difference: Difference, scale: Scale) -> FloatArray:
    """Subtract two maps, (H, W): in the method's units, or in shares of each map's own maximum."""
    first, second = (comparison.heat_maps[name] for name in (difference.minus, difference.of))
    if scale is Scale.SHARED:
        return second.values - first.values
    return second.values / np.float32(second.maximum or 1) - first.values / np.float32(first.maximum or 1)

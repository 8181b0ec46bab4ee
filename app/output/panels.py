"""The panels that figure and sheet share: the picture, every network's map, and a difference."""

from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference, choose_networks
from app.analysis.options import MapOptions, NetworksOptions, PanelOptions
from app.output.heat_maps import (
    difference_scale,
    draw_difference,
    draw_heat_map,
    heat_map_scale,
    title_difference,
    title_networks,
)
from app.render.figure import Panel
from app.render.overlay import Render


def draw_panels(
    comparison: Comparison, options: NetworksOptions, *, under_picture: str, max_side: int
) -> tuple[Panel, list[Panel]]:
    """Draw the picture, and each network's map with P of the explained class under it.

    Args:
        comparison: the maps.
        options: the networks and the drawing.
        under_picture: the line below the picture.
        max_side: the longer side of each panel in pixels.

    Returns:
        The picture's panel and the networks'.
    """
    titles = title_networks(comparison)
    map_options = MapOptions(**options.model_dump(), render=Render.OVERLAY)
    shown = choose_networks(comparison.analysis.card, options.networks)
    networks = [
        Panel(
            title=titles[name],
            picture=draw_heat_map(comparison, name, map_options, max_side=max_side, shown=shown),
            caption=f"P = {comparison.target_probability(name):.4f}",
            scale=heat_map_scale(comparison, comparison.heat_maps[name], options, shown=shown),
        )
        for name in shown
    ]
    return Panel("Picture", comparison.analysis.picture(max_side=max_side), under_picture), networks


def draw_difference_panel(comparison: Comparison, options: PanelOptions, *, caption: str, max_side: int) -> Panel:
    """Draw one network's map minus another's, the last one's minus the baseline's by default.

    Args:
        comparison: the maps.
        options: the two networks, the difference's scale and the drawing.
        caption: the line below it; `{limit}` becomes the upper end of its scale.
        max_side: the panel's longer side in pixels.
    """
    difference = choose_difference(comparison.analysis.card, options.of, options.minus)
    limits = options.difference_scale
    map_options = MapOptions(**options.model_dump(), render=Render.OVERLAY)
    scale = difference_scale(comparison, difference, options.scale, limits)
    return Panel(
        title=title_difference(comparison, difference),
        picture=draw_difference(comparison, difference, map_options, limits=limits, max_side=max_side),
        caption=caption.format(limit=f"{scale.maximum:.3g}"),
        scale=scale,
        is_difference=True,
    )

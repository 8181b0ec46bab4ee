"""A sheet's comparisons drawn as one contact sheet."""

from collections.abc import Sequence

from app.analysis.compared_sheets import ComparedRow, list_comparisons
from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference, choose_networks
from app.analysis.options import MapOptions, NetworksOptions, SheetOptions
from app.output.heat_maps import (
    difference_scale,
    draw_difference,
    draw_heat_map,
    heat_map_scale,
    title_difference,
    title_networks,
)
from app.render.colour_scale import Scale
from app.render.contact_picture import ContactPicture
from app.render.contact_sheet import draw_contact_sheet
from app.render.figure import FigureFormat, Panel
from app.render.overlay import Render
from app.render.sheet_layout import SheetLayout
from models.networks.titles import join_words, title_network

PANEL_SIDE_PIXELS = 384


def draw_sheet(rows: Sequence[ComparedRow], options: SheetOptions, file_format: FigureFormat) -> bytes:
    """Draw every picture with P of the explained class under each map: as rows, or as the paper's columns.

    Args:
        rows: the pictures.
        options: the networks to show, the drawing and the layout.
        file_format: PNG, SVG or PDF.
    """
    pictures = [_show_picture(row, options) for row in rows]
    heading = caption_question(rows, options)
    return draw_contact_sheet(pictures, heading=heading, file_format=file_format, layout=options.layout)


def _show_picture(row: ComparedRow, options: SheetOptions) -> ContactPicture:
    name = f"{row.position}. {row.name}"
    if row.comparison is None:
        return ContactPicture(name, problem=row.problem or "")
    class_name = row.comparison.target.label.name
    if options.layout is SheetLayout.COLUMNS:
        # The class is above the column; the name has no other place.
        panels = _draw_panels(row.comparison, options, under_picture=row.name)
    else:
        size = row.comparison.analysis.source
        panels = _draw_panels(row.comparison, options, under_picture=f"{size.width} × {size.height} pixels")
        panels.append(_draw_difference(row.comparison, options))
    return ContactPicture(name, class_name, tuple(panels))


def caption_question(rows: Sequence[ComparedRow], options: SheetOptions) -> str:
    """Describe the options, the networks that are drawn and whose difference it is, in a few lines."""
    comparisons = list_comparisons(rows)
    lineups = dict.fromkeys(_title_drawn(comparison, options) for comparison in comparisons)
    scale = (
        "one scale per map"
        if options.scale is Scale.OWN
        else f"one scale per {'column' if options.layout is SheetLayout.COLUMNS else 'row'}"
    )
    heading = f"{'; '.join(lineups) or 'No picture'}. {options.method.value}, stage {options.stage.value}, {scale}."
    if comparisons and options.layout is SheetLayout.ROWS:
        differences = dict.fromkeys(_title_difference(comparison, options) for comparison in comparisons)
        heading += f" Difference: {'; '.join(differences)}."
    if options.interventions:
        heading += f" Gates changed, not retrained: {', '.join(options.interventions)}."
    if not all(comparison.analysis.card.trained for comparison in comparisons):
        heading = f"UNTRAINED: random weights, nothing was learned. {heading}"
    return heading


def _title_drawn(comparison: Comparison, options: NetworksOptions) -> str:
    """The lineup's title where all its networks are drawn, else one with the drawn networks alone."""
    card = comparison.analysis.card
    drawn = choose_networks(card, options.networks)
    if set(drawn) == set(card.names):
        return card.title
    networks = join_words([card.title_network(name) for name in drawn])
    return f"{title_network(card.architecture)}: {networks}, {len(comparison.labels):,} classes"


def _title_difference(comparison: Comparison, options: SheetOptions) -> str:
    card = comparison.analysis.card
    return title_difference(comparison, choose_difference(card, options.of, options.minus))


def _draw_panels(comparison: Comparison, options: NetworksOptions, *, under_picture: str) -> list[Panel]:
    """The picture and every network's map."""
    analysis = comparison.analysis
    drawing = MapOptions(**options.model_dump(), render=Render.OVERLAY)
    titles = title_networks(comparison)
    panels = [Panel("Picture", analysis.picture(max_side=PANEL_SIDE_PIXELS), under_picture)]
    shown = choose_networks(analysis.card, options.networks)
    for name in shown:
        maximum = heat_map_scale(comparison, comparison.heat_maps[name], options, shown=shown).maximum
        caption = f"P = {comparison.target_probability(name):.4f}, scale 0 to {maximum:.3g}"
        picture = draw_heat_map(comparison, name, drawing, max_side=PANEL_SIDE_PIXELS, shown=shown)
        panels.append(Panel(titles[name], picture, caption))
    return panels


def _draw_difference(comparison: Comparison, options: SheetOptions) -> Panel:
    """One network's map minus another's, the last one's minus the baseline's by default."""
    drawing = MapOptions(**options.model_dump(), render=Render.OVERLAY)
    difference = choose_difference(comparison.analysis.card, options.of, options.minus)
    limits = options.difference_scale
    limit = difference_scale(comparison, difference, options.scale, limits).maximum
    picture = draw_difference(comparison, difference, drawing, limits=limits, max_side=PANEL_SIDE_PIXELS)
    caption = f"−{limit:.3g} (blue, hatched) to +{limit:.3g} (red)"
    return Panel(title_difference(comparison, difference), picture, caption)

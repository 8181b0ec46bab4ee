"""A sheet's comparisons drawn as one contact sheet."""

from collections.abc import Sequence
from dataclasses import replace

from app.analysis.compared_sheets import ComparedRow, list_comparisons
from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference, choose_networks
from app.analysis.options import NetworksOptions, SheetOptions
from app.output.heat_maps import title_difference
from app.output.panels import draw_difference_panel, draw_panels
from app.render.colour_scale import Scale
from app.render.contact_picture import ContactPicture
from app.render.contact_sheet import draw_contact_sheet
from app.render.figure import FigureFormat, Panel
from app.render.sheet_layout import SheetLayout
from models.networks.titles import join_words, title_network

PANEL_SIDE_PIXELS = 384

MANY_PICTURES, SIDE_OF_MANY_PIXELS = 60, 256
"""On larger sheets the panels are smaller: at 384 pixels, the PDF of 200 pictures took longer than a request may."""


def draw_sheet(rows: Sequence[ComparedRow], options: SheetOptions, file_format: FigureFormat) -> bytes:
    """Draw every picture with P of the explained class under each map: as rows, or as the paper's columns.

    Args:
        rows: the pictures.
        options: the networks to show, the drawing and the layout.
        file_format: PNG, SVG or PDF.
    """
    side = PANEL_SIDE_PIXELS if len(rows) <= MANY_PICTURES else SIDE_OF_MANY_PIXELS
    pictures = [_show_picture(row, options, max_side=side) for row in rows]
    heading = caption_question(rows, options)
    return draw_contact_sheet(
        pictures, heading=heading, file_format=file_format, layout=options.layout, width=options.width
    )


def _show_picture(row: ComparedRow, options: SheetOptions, *, max_side: int) -> ContactPicture:
    name = f"{row.position}. {row.name}"
    if row.comparison is None:
        return ContactPicture(name, problem=row.problem or "")
    class_name = row.comparison.target.label.name
    if options.layout is SheetLayout.COLUMNS:
        # The class is above the column; the name has no other place.
        panels = _draw_panels(row.comparison, options, under_picture=row.name, max_side=max_side)
    else:
        size = row.comparison.analysis.source
        panels = _draw_panels(
            row.comparison, options, under_picture=f"{size.width} × {size.height} pixels", max_side=max_side
        )
        caption = "−{limit} (blue, hatched) to +{limit} (red)"
        panels.append(draw_difference_panel(row.comparison, options, caption=caption, max_side=max_side))
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


def _draw_panels(comparison: Comparison, options: NetworksOptions, *, under_picture: str, max_side: int) -> list[Panel]:
    """The picture and every network's map, with the end of its scale, which no colour bar tells here."""
    picture, panels = draw_panels(comparison, options, under_picture=under_picture, max_side=max_side)
    return [picture, *(_add_scale(panel) for panel in panels)]


def _add_scale(panel: Panel) -> Panel:
    return (
        panel
        if panel.scale is None
        else replace(panel, caption=f"{panel.caption}, scale 0 to {panel.scale.maximum:.3g}")
    )

"""A sheet's comparisons drawn as one contact sheet."""

from collections.abc import Sequence

from app.analysis.compared_sheets import ComparedRow, list_comparisons
from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference, choose_networks
from app.analysis.options import FigureOptions, MapOptions
from app.output.images import difference_scale, draw_difference, draw_heat_map, heat_map_scale, title_networks
from app.render.colour_scale import Scale
from app.render.contact_sheet import ContactRow, SheetFormat, draw_contact_sheet
from app.render.figure import Panel
from app.render.overlay import Render

PANEL_SIDE_PIXELS = 384


def draw_sheet(rows: Sequence[ComparedRow], options: FigureOptions, file_format: SheetFormat) -> bytes:
    """Draw one row per picture: picture, every network and the difference, with P of the explained class."""
    drawn = [
        ContactRow(label=f"{row.position}. {row.name}", problem=row.problem or "")
        if row.comparison is None
        else ContactRow(
            label=f"{row.position}. {row.name}: {row.comparison.target.label.name}",
            panels=tuple(_draw_panels(row.comparison, options)),
        )
        for row in rows
    ]
    return draw_contact_sheet(drawn, heading=caption_question(rows, options), file_format=file_format)


def caption_question(rows: Sequence[ComparedRow], options: FigureOptions) -> str:
    """Describe the options and the lineups in one or two lines."""
    comparisons = list_comparisons(rows)
    lineups = dict.fromkeys(comparison.analysis.card.title for comparison in comparisons)
    scale = "one scale per map" if options.scale is Scale.OWN else "one scale per row"
    heading = f"{'; '.join(lineups) or 'No picture'}. {options.method.value}, stage {options.stage.value}, {scale}."
    if options.interventions:
        heading += f" Gates changed, not retrained: {', '.join(options.interventions)}."
    if not all(comparison.analysis.card.trained for comparison in comparisons):
        heading = f"UNTRAINED: random weights, nothing was learned. {heading}"
    return heading


def _draw_panels(comparison: Comparison, options: FigureOptions) -> list[Panel]:
    analysis = comparison.analysis
    drawing = MapOptions(**options.model_dump(), render=Render.OVERLAY)
    titles = title_networks(comparison)
    size = f"{analysis.source.width} × {analysis.source.height} pixels"
    panels = [Panel("Picture", analysis.picture(max_side=PANEL_SIDE_PIXELS), size)]
    for name in choose_networks(analysis.card, options.networks):
        maximum = heat_map_scale(comparison, name, options).maximum
        caption = f"P = {comparison.target_probability(name):.4f}, scale 0 to {maximum:.3g}"
        picture = draw_heat_map(comparison, name, drawing, max_side=PANEL_SIDE_PIXELS)
        panels.append(Panel(titles[name], picture, caption))
    limit = difference_scale(comparison, options).maximum
    difference = draw_difference(comparison, choose_difference(analysis.card), drawing, max_side=PANEL_SIDE_PIXELS)
    return [*panels, Panel("Difference", difference, f"−{limit:.3g} (blue) to +{limit:.3g} (red)")]

"""Sentences about a comparison: its class, its scales and the part of the picture that the networks saw."""

from app.analysis.options import PageOptions
from app.api.schemas import AnalysisAnswer, FileAnswer, GeometryAnswer, LineupDescription
from app.numbers import format_share
from app.pages.lineup import name_condition
from app.render.colour_scale import DifferenceScale, Scale
from models.names import Geometry
from models.networks.titles import join_words

NOTABLE_LOSS = 0.03
"""The loss of top-1 accuracy, as a share, above which the page warns of a geometry."""


def explain_target(answer: AnalysisAnswer, first: int) -> str:
    """Say why this class is explained.

    Args:
        answer: the comparison.
        first: the index of the class that the networks together find likeliest. A link that names it chooses nothing.
    """
    chosen = "the one that you chose"
    if answer.target.class_index == first:
        chosen = "the networks’ top guess, by their mean probability"
    return f"Explained class: {chosen}. {explain_contrast(answer)}".strip()


def explain_contrast(answer: AnalysisAnswer) -> str:
    """Say what Finer-CAM contrasted the explained class with; empty for other methods."""
    if not answer.against:
        return ""
    others = join_words([f"‘{known.class_name}’" for known in answer.against], "or")
    them = "both" if len(answer.against) == 1 else "all of them"
    return (
        f"Finer-CAM: why ‘{answer.target.class_name}’ and not {others}? Evidence that speaks for {them} alike does not "
        "count."
    )


def explain_cost(passes: int, seconds: float | None) -> str:
    """Say what Score-CAM costs before somebody chooses it.

    Args:
        passes: the forward passes for this picture at this stage.
        seconds: the time of all of them, by what this machine took for others; None where nothing was measured.
    """
    time = "" if seconds is None else f", about {max(1, round(seconds)):,} s on this machine"
    return f"Score-CAM is slow: {passes:,} more forward passes at this stage{time}. The other methods need none."


def label_difference(options: PageOptions, units: str, share: float) -> str:
    """The words under a difference's colour bar, which the browser writes too (static/js/maps/scale_bars.js).

    Args:
        options: the scales of the maps and of the difference.
        units: the maps' units.
        share: the upper end of the difference's scale, as a share of the maps' scale.
    """
    what = "shares of each map’s own maximum" if options.scale is Scale.OWN else units
    if options.difference_scale is DifferenceScale.SHARED:
        return f"in {what}, the maps’ scale"
    return f"in {what}, {format_share(share, 0)} of the maps’ scale"


def explain_geometry(geometry: GeometryAnswer) -> str:
    """Say which part of the picture the networks saw, and at what size."""
    size = f"{geometry.picture_width} × {geometry.picture_height} pixels"
    seen = f"resized to {geometry.input_width} × {geometry.input_height}"
    if not geometry.is_cropped:
        return f"The networks saw the whole picture: {size}, {seen}."
    part = "the square at its centre" if geometry.geometry is Geometry.CENTER_CROP else "its middle"
    return (
        f"The picture is {size}. The networks saw {part}, x {geometry.left:.0f} to {geometry.right:.0f} and "
        f"y {geometry.upper:.0f} to {geometry.lower:.0f}, {seen}. "
        "They did not see the grey area."
    )


def explain_file(file: FileAnswer) -> str:
    """Say which values became black and white and which page was read; empty where there was no choice."""
    sentences = []
    if file.value_range is not None:
        low, high = file.value_range
        sentences.append(f"The file has more than 8 bits: values from {low:.6g} to {high:.6g} are told apart.")
    if file.pages > 1:
        sentences.append(f"It has {file.pages:,} pages; this is the first.")
    return " ".join(sentences)


def warn_of_geometry(geometry: GeometryAnswer, lineup: LineupDescription) -> tuple[str, ...]:
    """Warn if the lineup's accuracy in this geometry is lower than in its default, or was not measured."""
    own, chosen = (lineup.geometry, lineup.resolution), (geometry.geometry, geometry.resolution)
    if not lineup.trained or own == chosen:
        return ()
    losses = [
        there.top1 - here.top1
        for network in lineup.networks.values()
        for there in network.accuracy
        for here in network.accuracy
        if (there.geometry, there.resolution) == own
        and (here.geometry, here.resolution) == chosen
        and (here.dataset, here.pictures) == (there.dataset, there.pictures)
    ]
    begin = f"This lineup is meant for {name_condition(*own)}. {name_condition(*chosen).capitalize()}"
    if not losses:
        return (f"{begin} were not measured, so the maps and probabilities may mislead.",)
    if max(losses) > NOTABLE_LOSS:
        return (f"{begin} cost up to {100 * max(losses):.1f} points of accuracy, so the maps may mislead.",)
    return ()

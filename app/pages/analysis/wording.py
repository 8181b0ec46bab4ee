"""Sentences about a comparison: its class, the networks' certainty and the part of the picture that they saw."""

from app.analysis.options import PageOptions
from app.api.schemas import AnalysisAnswer, FileAnswer, GeometryAnswer, LineupDescription
from app.numbers import format_share
from app.pages.lineup import name_condition
from app.render.colour_scale import DifferenceScale, Scale
from models.names import Geometry, NetworkName
from models.networks.titles import join_words

SURE_PROBABILITY = 0.5
"""A top guess with a lower P has no majority."""

NOTABLE_LOSS = 0.03
"""The loss of top-1 accuracy, as a share, above which the page warns of a geometry."""


def name_networks(answer: AnalysisAnswer) -> dict[NetworkName, str]:
    """The networks' names within a sentence: the baseline, SE, CBAM."""
    first, *_ = answer.networks
    return {name: "the baseline" if name == first else network.title for name, network in answer.networks.items()}


def begin_sentence(words: str) -> str:
    """The same words with a capital first letter."""
    return words[0].upper() + words[1:]


def explain_target(answer: AnalysisAnswer, first: int) -> str:
    """Say why this class is explained.

    Args:
        answer: the comparison.
        first: the index of the class that the networks together find likeliest. A link that names it chooses nothing.
    """
    if answer.target.class_index == first:
        return "Explained class: the networks’ top guess, by their mean probability."
    return "Explained class: the one that you chose."


def explain_doubt(answer: AnalysisAnswer, *, class_count: int) -> str | None:
    """Say that none of the classes fits, if that is likely, and which networks are not sure; None without a doubt.

    A network is sure if it gives a majority to a class, and at least one of them must give it to the target. The line
    above the doubt names the guesses.
    """
    if is_misfit(answer):
        unsure = _explain_uncertainty(answer, "")
        return f"{explain_misfit(class_count)} {unsure or ''}".strip()
    return _explain_uncertainty(
        answer, f" Each network must answer with one of its {class_count:,} classes, even if none fits."
    )


def is_misfit(answer: AnalysisAnswer) -> bool:
    """Whether probably none of the classes fits the picture; False for a lineup without a threshold."""
    return answer.fit is not None and not answer.fit.fits


def explain_misfit(class_count: int) -> str:
    """Say that none of the classes fits, and what that means."""
    return (
        f"None of the {class_count:,} classes fits this picture well. The networks share their probability among many "
        "classes, as they do with things that they never learned, so neither the names nor the maps may mean much."
    )


def _explain_uncertainty(answer: AnalysisAnswer, ending: str) -> str | None:
    unsure = [
        name for name, network in answer.networks.items() if network.predictions[0].probability < SURE_PROBABILITY
    ]
    if len(unsure) == len(answer.networks):
        return f"No network is sure what this is.{ending}"
    target = answer.target.class_name
    if all(network.target_probability < SURE_PROBABILITY for network in answer.networks.values()):
        return (
            f"No network takes this for ‘{target}’. The maps show what little evidence there is for that class; "
            f"that does not mean it is in the picture.{ending}"
        )
    if not unsure:
        return None
    names = name_networks(answer)
    who = begin_sentence(join_words([names[name] for name in unsure]))
    return f"{who} {'are' if len(unsure) > 1 else 'is'} not sure what this is.{ending}"


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

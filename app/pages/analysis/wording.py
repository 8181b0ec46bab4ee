"""Sentences about a comparison: which class, how sure the networks are, what they saw."""

from app.api.schemas import AnalysisAnswer, GeometryAnswer, LineupDescription
from app.numbers import format_equation
from app.pages.lineup import name_condition
from models.names import Geometry, NetworkName
from models.networks.titles import ATTENTION_TITLES

SURE_PROBABILITY = 0.5
"""Below this the likeliest class is no majority."""

NOTABLE_LOSS = 0.03
"""A top-1 accuracy lower by this share, in another geometry than a lineup's own, is worth a warning."""


def name_networks(answer: AnalysisAnswer) -> dict[NetworkName, str]:
    """Both networks in a sentence: the baseline, the network with CBAM."""
    attention = ATTENTION_TITLES[answer.attention]
    return {NetworkName.BASELINE: "the baseline", NetworkName.CBAM: f"the network with {attention}"}


def explain_target(answer: AnalysisAnswer) -> str:
    """Why this class is explained."""
    if answer.target.chosen_by == "baseline":
        return "Explained class: the baseline’s top guess."
    return "Explained class: the one that you chose."


def explain_doubt(answer: AnalysisAnswer, *, class_count: int) -> str | None:
    """Who is not sure, and of what; None where both networks have a majority for some class and one for the target."""
    must = f"Each network must answer with one of its {class_count} classes, even if none fits."
    names = name_networks(answer)
    first = {name: answer.networks[name].predictions[0] for name in NetworkName}
    unsure = [name for name in NetworkName if first[name].probability < SURE_PROBABILITY]
    if len(unsure) == len(NetworkName):
        guesses = " and ".join(
            f"‘{first[name].class_name}’ by {names[name]} ({format_equation(first[name].probability)})"
            for name in NetworkName
        )
        return f"Neither network is sure what this is. The top guesses are {guesses}. {must}"
    target = answer.target.class_name
    if all(network.target_probability < SURE_PROBABILITY for network in answer.networks.values()):
        return (
            f"Neither network takes this for ‘{target}’. The maps show the little evidence there is for that class; "
            f"that does not mean it is in the picture. {must}"
        )
    if unsure:
        name = unsure[0]
        who = names[name][0].upper() + names[name][1:]
        guess = f"‘{first[name].class_name}’ ({format_equation(first[name].probability)})"
        return f"{who} is not sure what this is. Its top guess is {guess}. {must}"
    return None


def explain_geometry(geometry: GeometryAnswer) -> str:
    """The part of the picture that the networks saw, and its size."""
    size = f"{geometry.picture_width} × {geometry.picture_height} pixels"
    seen = f"resized to {geometry.input_width} × {geometry.input_height}"
    if not geometry.is_cropped:
        return f"Both networks saw the whole picture: {size}, {seen}."
    part = "the square at its centre" if geometry.geometry is Geometry.CENTER_CROP else "its middle"
    return (
        f"The picture is {size}. Both networks saw {part}, x {geometry.left:.0f} to {geometry.right:.0f} and "
        f"y {geometry.upper:.0f} to {geometry.lower:.0f}, {seen}. "
        "They did not see the grey area."
    )


def warn_of_geometry(geometry: GeometryAnswer, lineup: LineupDescription) -> tuple[str, ...]:
    """Sentences when the lineup's accuracy is lower in this geometry than in its own, or was not measured."""
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

"""Sentences that say why an answer may mean little: no class fits, or a network is not sure."""

from app.api.schemas import AnalysisAnswer
from models.names import NetworkName
from models.networks.titles import join_words

SURE_PROBABILITY = 0.5
"""A top guess with a lower P has no majority."""


def name_networks(answer: AnalysisAnswer) -> dict[NetworkName, str]:
    """The networks' names within a sentence: the baseline, SE, CBAM."""
    first, *_ = answer.networks
    return {name: "the baseline" if name == first else network.title for name, network in answer.networks.items()}


def begin_sentence(words: str) -> str:
    """The same words with a capital first letter."""
    return words[0].upper() + words[1:]


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
    return f"None of the {class_count:,} classes fits this picture well. The names and the maps may mean little."


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

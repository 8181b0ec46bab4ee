"""Comparisons of pictures become questions: pairs, and catch questions."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.analysis.comparison import Comparison
from app.render.region import measure_turned_evidence
from app.study.drafts import DraftQuestion
from app.study.kinds import QuestionKind
from app.study.making.drawing import draw_side, encode
from models.names import NetworkName

MOST_TURNED_EVIDENCE = 0.2
"""Where either network has more evidence than this share of its maximum, the turned map may lie on the object too.
Nobody may fail for liking that."""

WHOLE_MAP_THRESHOLD = 0.5
"""The region of a whole map for this comparison."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedPicture:
    """A picture of a study with its maps.

    Attributes:
        name: the file name.
        comparison: the maps of all networks.
        turned_evidence: see `measure_turned_evidence`, 0..1.
    """

    name: str
    comparison: Comparison
    turned_evidence: float


def find_fault(comparison: Comparison, networks: tuple[NetworkName, NetworkName], *, only_both_right: bool) -> str:
    """The reason why a picture cannot be in a study; empty if it can."""
    if not all(comparison.heat_maps[name].has_evidence for name in networks):
        return "no positive evidence for the class"
    guesses = {comparison.predictions(name, count=1)[0].label.index for name in networks}
    if only_both_right and guesses != {comparison.target.label.index}:
        return "not named rightly by both networks"
    return ""


def draw_pair(
    name: str, comparison: Comparison, networks: tuple[NetworkName, NetworkName], threshold: float
) -> DraftQuestion:
    """Draw both networks' maps of a picture."""
    first, second = (draw_side(comparison, network, threshold) for network in networks)
    label = comparison.target.label.name
    return DraftQuestion(QuestionKind.PAIR, name, label, encode(first), encode(second), *first.size)


def measure_turned(comparison: Comparison, networks: tuple[NetworkName, NetworkName], threshold: float) -> float:
    """How much evidence both networks have where the second one's region lies once it is turned, 0..1."""
    maps = [comparison.heat_maps[name].values for name in networks]
    return measure_turned_evidence(maps[1], maps, threshold or WHOLE_MAP_THRESHOLD)


def draw_catches(
    pictures: Sequence[ComparedPicture], network: NetworkName, threshold: float, count: int
) -> list[DraftQuestion]:
    """Draw catch questions of each kind.

    Turned maps are of the pictures where the networks have the least evidence in the turned place; the same map twice
    is of others, as far as there are others.

    Args:
        pictures: some pictures of the study.
        network: the network whose maps are shown.
        threshold: see `draw_side`.
        count: the number of questions of each kind.
    """
    by_evidence = sorted(pictures, key=lambda picture: picture.turned_evidence)
    turned = [picture for picture in by_evidence[:count] if picture.turned_evidence <= MOST_TURNED_EVIDENCE]
    same = list(reversed(by_evidence))[:count]
    questions = []
    for kind, chosen in ((QuestionKind.TURNED, turned), (QuestionKind.SAME, same)):
        for picture in chosen:
            first = draw_side(picture.comparison, network, threshold)
            shown = encode(first)
            is_same = kind is QuestionKind.SAME
            other = shown if is_same else encode(draw_side(picture.comparison, network, threshold, is_turned=True))
            label = picture.comparison.target.label.name
            questions.append(DraftQuestion(kind, picture.name, label, shown, other, *first.size))
    return questions

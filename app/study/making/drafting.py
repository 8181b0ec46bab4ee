"""Compared pictures become a study, one after the other, for the command as for the page."""

from collections import Counter
from dataclasses import dataclass

from app.analysis.comparison import Comparison
from app.analysis.networks import choose_networks
from app.errors import InvalidOption
from app.explain.methods import Method
from app.study.drafts import DraftQuestion, DraftStudy
from app.study.making.questions import ComparedPicture, draw_catches, draw_pair, find_fault, measure_turned
from app.study.plan import ClassSource, StudiedNetwork, StudyPlan
from models.lineups.card import LineupCard
from models.names import NetworkName, Stage

CATCH_CANDIDATES = 16
"""The comparisons that stay in memory for catch questions."""


@dataclass(frozen=True, slots=True)
class DraftOptions:
    """What is asked of a new study.

    Attributes:
        title: the study's name for its holder.
        threshold: see `StudyPlan`.
        only_both_right: whether to leave out pictures that not both networks name rightly.
        pictures_each: how many pictures each person sees.
        catches: the number of catch questions of each kind.
        people, until: the stopping rule.
        method, stage: how the maps are made.
    """

    title: str
    threshold: float
    only_both_right: bool
    pictures_each: int
    catches: int
    people: int | None
    until: int | None
    method: Method
    stage: Stage


class Drafter:
    """Keeps each picture's question in place of its maps.

    Args:
        card: the lineup.
        networks: the two networks.
        options: what is asked of the study.
    """

    def __init__(self, card: LineupCard, networks: tuple[NetworkName, NetworkName], options: DraftOptions) -> None:
        self._card = card
        self._networks = networks
        self._options = options
        self._pairs: list[DraftQuestion] = []
        self._left_out: Counter[str] = Counter()
        self._candidates: list[ComparedPicture] = []

    def leave_out(self, reason: str) -> None:
        """Count a picture that is left out."""
        self._left_out[reason] += 1

    def add(self, name: str, comparison: Comparison) -> None:
        """Draw a picture's question, or leave the picture out."""
        options = self._options
        fault = find_fault(comparison, self._networks, only_both_right=options.only_both_right)
        if fault:
            self.leave_out(fault)
            return
        self._pairs.append(draw_pair(name, comparison, self._networks, options.threshold))
        evidence = measure_turned(comparison, self._networks, options.threshold)
        self._candidates.append(ComparedPicture(name, comparison, evidence))
        if len(self._candidates) > CATCH_CANDIDATES:
            # The middle ones serve neither kind of catch question best.
            self._candidates.sort(key=lambda candidate: candidate.turned_evidence)
            self._candidates.pop(CATCH_CANDIDATES // 2)

    def finish(self, class_source: ClassSource) -> DraftStudy:
        """Draw the catch questions, and fix the plan; raises `InvalidOption` if no picture can be used."""
        options = self._options
        if not self._pairs:
            reasons = "; ".join(f"{count} {reason}" for reason, count in self._left_out.items())
            raise InvalidOption(f"none of the pictures can be used: {reasons}; give other pictures", option="pictures")
        catches = draw_catches(self._candidates, self._networks[1], options.threshold, options.catches)
        first, second = (StudiedNetwork(name=name, title=self._card.title_network(name)) for name in self._networks)
        plan = StudyPlan(
            title=options.title,
            lineup=self._card.name,
            networks=(first, second),
            method=options.method.value,
            stage=options.stage.value,
            threshold=options.threshold,
            class_source=class_source,
            only_both_right=options.only_both_right,
            left_out=dict(self._left_out),
            pictures_each=min(options.pictures_each, len(self._pairs)),
            people=options.people,
            until=options.until,
        )
        return DraftStudy(plan, (*self._pairs, *catches))


def choose_pair(card: LineupCard, text: str) -> tuple[NetworkName, NetworkName]:
    """The two networks of a study; raises `InvalidOption`."""
    names = choose_networks(card, text) if text else (card.names[0], card.last)
    if len(names) != 2:
        raise InvalidOption(
            f"networks {text!r} names {len(names)} networks, and a study compares two; choose two of "
            f"{', '.join(card.names)}",
            option="networks",
            allowed=card.names,
        )
    return names[0], names[1]

"""The two members of a lineup: opened, compared with each other, and described where no card does it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.checkpoints.diagnosis import ExaminationOptions, GateState
from models.errors import LineupError
from models.lineups.card import ClassLabel, LineupCard, NetworkCard, read_card, read_labels
from models.lineups.catalogue import KnownChoice
from models.lineups.choice import InlineLineup, LineupChoice
from models.lineups.sources import Member, list_source_labels, open_source
from models.names import Attention, NetworkName
from models.networks.titles import title_network

IMAGENET = "imagenet"
"""The list of class names that needs no file."""

UNTRAINED_GATES = (
    "The gates of this network are at their initial values, a flat 0.5 in space: they do not depend on the picture yet."
)


@dataclass(frozen=True, slots=True)
class LineupPlan:
    """The facts about a lineup that are known before its weights are read.

    Attributes:
        name: what it is asked for by.
        card: from the TOML file; None for a lineup that is given by its sources alone.
        directory: what paths are relative to.
        sources: of each member.
        labels: the class names; None where no list is given.
    """

    name: str
    card: LineupCard | None
    directory: Path
    sources: Mapping[NetworkName, str]
    labels: tuple[ClassLabel, ...] | None

    @classmethod
    def read(cls, choice: LineupChoice) -> "LineupPlan":
        """The plan of a choice; raises `LineupError`."""
        if isinstance(choice, InlineLineup):
            sources = {NetworkName.BASELINE: choice.baseline, NetworkName.CBAM: choice.cbam}
            return cls(choice.name, None, Path(), sources, _find_labels(choice.labels, Path()))
        if isinstance(choice, KnownChoice):
            card = _make_known_card(choice)
            sources = {name: network.file for name, network in card.networks.items()}
            return cls(choice.name, card, Path(), sources, _find_labels(card.labels, Path()))
        card = read_card(choice)
        sources = {name: network.file for name, network in card.networks.items()}
        return cls(card.name, card, choice.parent, sources, _find_labels(card.labels, choice.parent))

    def known(self, name: NetworkName) -> ExaminationOptions:
        """The expectations of a member's file, as far as they are known."""
        options = ExaminationOptions(class_count=None if self.labels is None else len(self.labels))
        if self.card is None:
            return options
        return replace(
            options,
            architecture=self.card.architecture,
            attention=self.card.networks[name].attention,
            stride_placement=self.card.stride_placement,
        )


def open_members(plan: LineupPlan) -> dict[NetworkName, Member]:
    """Both networks of a lineup.

    Raises:
        LineupError: for a source that cannot be read or is not what the card says, and for members that do not belong
            together.
    """
    members = {
        name: open_source(plan.sources[name], name, directory=plan.directory, options=plan.known(name))
        for name in NetworkName
    }
    for name, member in members.items():
        _check_member(plan, name, member)
    baseline, cbam = (members[name] for name in NetworkName)
    if baseline.family != cbam.family:
        raise LineupError(
            f"lineup {plan.name}: the baseline is {title_network(baseline.architecture)}, the other network "
            f"{title_network(cbam.architecture)}; a lineup is one architecture without and with attention"
        )
    if baseline.class_count != cbam.class_count:
        raise LineupError(
            f"lineup {plan.name}: the baseline has {baseline.class_count} classes, the other network "
            f"{cbam.class_count}; choose two that were trained for the same classes"
        )
    return members


def complete_card(plan: LineupPlan, members: Mapping[NetworkName, Member]) -> LineupCard:
    """The lineup's card with what the members tell: a new one where there is none.

    A lineup is trained when its card says so, where there is one, and both members are.
    """
    card = plan.card or _make_card(plan, members)
    recipes = {name: card.networks[name].recipe or member.recipe for name, member in members.items()}
    warnings = (*card.warnings, *_compare_recipes(*recipes.values()))
    if members[NetworkName.CBAM].gates is GateState.UNTRAINED:
        warnings = (*warnings, UNTRAINED_GATES)
    return card.model_copy(
        update={
            "trained": card.trained and all(member.is_trained for member in members.values()),
            "warnings": warnings,
            "networks": {
                name: card.networks[name].model_copy(update={"sha256": member.sha256, "recipe": recipes[name]})
                for name, member in members.items()
            },
        }
    )


def _make_known_card(choice: KnownChoice) -> LineupCard:
    """The card of a known lineup: of its baseline and its last network, which make a lineup."""
    known, members = choice.lineup, choice.locate_members()
    lineup = {NetworkName.BASELINE: members[0], NetworkName.CBAM: members[-1]}
    return LineupCard(
        name=choice.name,
        title=known.title,
        architecture=known.architecture,
        stride_placement=known.stride_placement,
        trained=True,
        labels=known.labels,
        provenance=known.provenance,
        preprocessing=known.preprocessing,
        networks={
            name: NetworkCard(attention=Attention(member.attention), file=member.source, recipe=known.recipe)
            for name, member in lineup.items()
        },
    )


def _find_labels(labels: str | None, directory: Path) -> tuple[ClassLabel, ...] | None:
    if labels is None:
        return None
    return list_source_labels() if labels == IMAGENET else read_labels(directory / labels)


def _check_member(plan: LineupPlan, name: NetworkName, member: Member) -> None:
    source = plan.sources[name]
    if (member.attention is Attention.NONE) is not (name is NetworkName.BASELINE):
        found = "no attention" if member.attention is Attention.NONE else f"attention ({member.attention.value})"
        raise LineupError(
            f"lineup {plan.name}: {source} is to be its {name} network and has {found}; name the network without "
            "attention first, then the one with it"
        )
    if plan.labels is not None and member.class_count != len(plan.labels):
        raise LineupError(
            f"{source} has {member.class_count} classes, the list of names {len(plan.labels)}; give the list that it was "
            "trained with"
        )
    expected = None if plan.card is None else plan.card.networks[name].sha256
    if expected is not None and member.sha256 != expected:
        raise LineupError(
            f"{plan.directory / source}: its sha256 is {member.sha256}, the card says {expected}; the file is damaged or "
            "another one; restore it from the release or from git"
        )


def _make_card(plan: LineupPlan, members: Mapping[NetworkName, Member]) -> LineupCard:
    baseline, cbam = (members[name] for name in NetworkName)
    titles = f"{title_network(baseline.architecture)} and {title_network(cbam.architecture, cbam.attention)}"
    return LineupCard(
        name=plan.name,
        title=f"{titles}, {baseline.class_count:,} classes",
        architecture=baseline.architecture,
        stride_placement=cbam.stride_placement,
        trained=True,
        provenance=f"Baseline: {baseline.provenance}. CBAM: {cbam.provenance}.",
        networks={
            name: NetworkCard(attention=member.attention, file=plan.sources[name]) for name, member in members.items()
        },
    )


def _compare_recipes(baseline: str | None, cbam: str | None) -> tuple[str, ...]:
    """The warning that two networks want which were not trained alike, or of which that is not known."""
    if baseline is not None and baseline == cbam:
        return ()
    told = f" (baseline: {baseline or 'not known'}; CBAM: {cbam or 'not known'})"
    begin = "These two networks were trained by different recipes"
    if baseline is None or cbam is None:
        begin = "It is not known whether these two networks were trained by one recipe"
    return (f"{begin}{told}: what differs between them need not come from attention.",)

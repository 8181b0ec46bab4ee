"""The networks of a lineup: opened, compared with each other, and described where no card does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.checkpoints.diagnosis import ExaminationOptions
from models.errors import LineupError
from models.lineups.calibration import add_calibration
from models.lineups.card import ClassLabel, LineupCard, NetworkCard, name_network, read_card
from models.lineups.catalogue import KnownChoice
from models.lineups.choice import InlineLineup, LineupChoice, NamedSource
from models.lineups.cifar import check_resolution, find_preprocessing, warn_of_cifar
from models.lineups.hub import HubLineup
from models.lineups.label_files import read_labels
from models.lineups.own_networks import make_own_card
from models.lineups.sources import PYTHON, UNTRAINED, Member, list_source_labels, open_source
from models.lineups.warning_texts import (
    compare_placements,
    compare_recipes,
    warn_of_changing_gates,
    warn_of_equal_networks,
    warn_of_untrained_gates,
)
from models.names import Attention, NetworkName, Stage
from models.networks.titles import OWN, title_in_lineup, title_lineup, title_network
from models.networks.zoo import TORCHVISION
from models.probabilities import Activation

IMAGENET = "imagenet"
"""The built-in list of class names."""


@dataclass(frozen=True, slots=True)
class LineupPlan:
    """The facts about a lineup that are known before its weights are read.

    Attributes:
        name: what it is asked for by.
        card: from the TOML file; None for a lineup that is given by its sources alone.
        directory: what paths are relative to.
        sources: of each network, in their order.
        labels: the class names; None where no list is given.
        listing: the file of the class names, or what else names them.
    """

    name: str
    card: LineupCard | None
    directory: Path
    sources: tuple[NamedSource, ...]
    labels: tuple[ClassLabel, ...] | None
    listing: str = ""

    @classmethod
    def read(cls, choice: LineupChoice) -> "LineupPlan":
        """Make the plan of a choice; raises `LineupError`."""
        if isinstance(choice, InlineLineup):
            return cls(choice.name, None, Path(), choice.sources, *_find_labels(choice.labels, Path()))
        if isinstance(choice, KnownChoice):
            card = _make_known_card(choice)
            return cls(choice.name, card, Path(), _list_sources(card), *_find_labels(card.labels, Path()))
        path = choice.locate() if isinstance(choice, HubLineup) else choice
        card = read_card(path)
        check_resolution(card, path)
        if running := [network.file for network in card.networks.values() if network.file.startswith(PYTHON)]:
            raise LineupError(
                f"{path}: {running[0]!r} would run code, which a file may not; give it on the command line, as "
                f"--lineup NAME={running[0]},..."
            )
        return cls(card.name, card, path.parent, _list_sources(card), *_find_labels(card.labels, path.parent))

    def open(self, position: int) -> Member:
        """The network at a position, 0 for the baseline; raises `LineupError`."""
        name, source = self.sources[position]
        member = open_source(source, directory=self.directory, options=self._expect(name, source))
        self._check_member(name, source, member)
        return member

    def _expect(self, name: NetworkName | None, source: str) -> ExaminationOptions:
        """The expectations of a network's file, as far as they are known; `_check_member` compares its classes."""
        is_new = self.labels is not None and source.startswith(UNTRAINED)
        options = ExaminationOptions(class_count=len(self.labels or ()) if is_new else None)
        if self.card is None or name is None:
            return options
        is_placed = "stride_placement" in self.card.model_fields_set
        return replace(
            options,
            architecture=self.card.architecture,
            attention=self.card.networks[name].attention,
            stride_placement=self.card.stride_placement if is_placed else None,
        )

    def _check_member(self, name: NetworkName | None, source: str, member: Member) -> None:
        if self.labels is not None and member.class_count != len(self.labels):
            raise LineupError(
                f"{source} has {member.class_count:,} classes, but {self.listing} names {len(self.labels):,}; give the "
                "list that it was trained with"
            )
        if self.card is not None and name is not None:
            self._compare_with_card(self.card, name, source, member)

    def _compare_with_card(self, card: LineupCard, name: NetworkName, source: str, member: Member) -> None:
        """Refuse a network that is another one than its card says, from whatever source it comes."""
        stated = card.networks[name]
        if stated.sha256 is not None and member.sha256 != stated.sha256:
            raise LineupError(
                f"{self.directory / source}: its sha256 is {member.sha256}, the card says {stated.sha256}; the file is "
                "damaged or another one; restore it from the release or from git"
            )
        for fact, found, expected in (
            ("architecture", member.family, card.architecture.removeprefix(TORCHVISION)),
            ("attention", member.attention.value, stated.attention.value),
        ):
            if found != expected:
                raise LineupError(
                    f"lineup {card.name}: network {name} has the {fact} {found} in {source}, and the card says "
                    f"{expected}; correct one of them"
                )


def open_members(plan: LineupPlan) -> dict[NetworkName, Member]:
    """Every network of a lineup, by its name.

    Raises:
        LineupError: for a source that cannot be read or is not what the card says, and for networks that do not belong
            together.
    """
    return join_members(plan, [plan.open(position) for position in range(len(plan.sources))])


def join_members(plan: LineupPlan, members: Sequence[Member]) -> dict[NetworkName, Member]:
    """Check that opened networks belong together, and name them; raises `LineupError`.

    A user's own networks may have attention that nobody recognises, so it is not asked of them.
    """
    first = members[0]
    is_own = first.architecture == OWN
    if not is_own and all(member.attention is Attention.NONE for member in members):
        raise LineupError(
            f"lineup {plan.name}: no network has attention; a lineup is one architecture without and with attention "
            "(untrained:resnet18+cbam and torchvision:resnet18+cbam have it)"
        )
    if (
        not is_own
        and first.attention is not Attention.NONE
        and any(member.attention is Attention.NONE for member in members)
    ):
        raise LineupError(
            f"lineup {plan.name}: {plan.sources[0].source} is to be its baseline and has attention "
            f"({first.attention.value}); name the network without attention first"
        )
    for member in members[1:]:
        _check_kinship(plan, first, member)
    if first.class_count == 1 and (plan.card is None or plan.card.activation is Activation.SOFTMAX):
        raise LineupError(
            f"lineup {plan.name}: its networks have one class, and softmax over one class is always 1; write a "
            'TOML file with activation = "sigmoid", or train them with two outputs'
        )
    return dict(zip(_name_members(plan, members), members, strict=True))


def complete_card(plan: LineupPlan, members: Mapping[NetworkName, Member]) -> LineupCard:
    """The lineup's card with what the networks tell: a new one where there is none.

    A lineup is trained when its card says so, where there is one, and all networks are.
    """
    card = _find_preprocessing(plan.card or _make_card(plan, members), members)
    card = add_calibration(card, {name: member.calibration for name, member in members.items()})
    recipes = {name: card.networks[name].recipe or member.recipe for name, member in members.items()}
    return card.model_copy(
        update={
            "trained": card.trained and all(member.is_trained for member in members.values()),
            "stride_placement": list(members.values())[-1].stride_placement,
            "stages": tuple(stage for stage in Stage if all(stage in member.stages for member in members.values())),
            "is_fixed_size": card.is_fixed_size or any(member.is_fixed_size for member in members.values()),
            "needs_input": any(not member.network.is_known for member in members.values()),
            "warnings": (
                *card.warnings,
                *warn_of_cifar(card, is_assumed=plan.card is None or "preprocessing" not in plan.card.model_fields_set),
                *compare_placements(card, members),
                *compare_recipes(card, recipes),
                *warn_of_equal_networks(card, members),
                *warn_of_untrained_gates(card, members),
                *warn_of_changing_gates(card, members),
            ),
            "networks": {
                name: card.networks[name].model_copy(update={"sha256": member.sha256, "recipe": recipes[name]})
                for name, member in members.items()
            },
        }
    )


def _find_preprocessing(card: LineupCard, members: Mapping[NetworkName, Member]) -> LineupCard:
    """The card with the preprocessing that its networks usually want, where it does not state one."""
    if "preprocessing" in card.model_fields_set:
        return card
    first = next(iter(members.values()))
    return card.model_copy(
        update={"preprocessing": first.preprocessing or find_preprocessing(first.architecture, first.class_count)}
    )


def _make_known_card(choice: KnownChoice) -> LineupCard:
    """The card of a known lineup, whose files are on this machine; raises `FetchError` for one that is not."""
    known = choice.lineup
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
            located.name: NetworkCard(attention=Attention(located.attention), file=located.source, recipe=known.recipe)
            for located in choice.locate_networks()
        },
    )


def _list_sources(card: LineupCard) -> tuple[NamedSource, ...]:
    return tuple(NamedSource(name, network.file) for name, network in card.networks.items())


def _find_labels(labels: str | None, directory: Path) -> tuple[tuple[ClassLabel, ...] | None, str]:
    """The class names, and what names them."""
    if labels is None:
        return None, ""
    if labels == IMAGENET:
        return list_source_labels(), IMAGENET
    return read_labels(directory / labels), str(directory / labels)


def _check_kinship(plan: LineupPlan, first: Member, member: Member) -> None:
    """Refuse a network that differs from the first by more than its attention."""
    if first.family != member.family:
        raise LineupError(
            f"lineup {plan.name}: the baseline is {title_network(first.architecture)}, another network "
            f"{title_network(member.architecture)}; a lineup is one architecture without and with attention"
        )
    if first.preprocessing != member.preprocessing:
        raise LineupError(
            f"lineup {plan.name}: the baseline has another preprocessing than another network; the networks of a "
            "lineup see the same input"
        )
    if first.class_count != member.class_count:
        raise LineupError(
            f"lineup {plan.name}: the baseline has {first.class_count} classes, another network "
            f"{member.class_count}; choose networks that were trained for the same classes"
        )


def _name_members(plan: LineupPlan, members: Sequence[Member]) -> list[NetworkName]:
    """The networks' names: as they were given, else by their attention, with a number behind it where that is taken."""
    taken = {part.name for part in plan.sources}
    names = []
    for part, member in zip(plan.sources, members, strict=True):
        stem = name_network(member.attention)
        free = (name for name in (stem, *(f"{stem}-{number}" for number in range(2, 9))) if name not in taken)
        names.append(part.name or next(free))
        taken.add(names[-1])
    return names


def _make_card(plan: LineupPlan, members: Mapping[NetworkName, Member]) -> LineupCard:
    baseline, *others = members.values()
    attentions = [member.attention for member in members.values()]
    provenances = [
        f"{title_in_lineup(member.attention, attentions[:place] + attentions[place + 1 :])}: {member.provenance}."
        for place, member in enumerate(members.values())
    ]
    if baseline.architecture == OWN:
        return make_own_card(plan.name, members)
    return LineupCard(
        name=plan.name,
        title=title_lineup(
            [(member.architecture, member.attention) for member in members.values()], baseline.class_count
        ),
        architecture=baseline.architecture,
        stride_placement=others[-1].stride_placement,
        trained=True,
        provenance=" ".join(provenances),
        networks={
            name: NetworkCard(attention=member.attention, file=part.source)
            for part, (name, member) in zip(plan.sources, members.items(), strict=True)
        },
    )

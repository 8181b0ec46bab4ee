"""The gate controls: the possible changes, the chosen ones and their effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.api.schemas import AlterationAnswer, AnalysisAnswer, NetworkAnswer
from app.numbers import format_hundredths, format_probability, typeset_minus
from app.pages.choices import Choice
from app.pages.gates import list_changes, name_block
from models.attention.interventions import ALL_BLOCKS, list_allowed_changes, list_scopes
from models.names import GateChange, GateKind, NetworkName

CHANGE_TITLES = {
    GateChange.NEUTRAL: "neutral: its mean everywhere",
    GateChange.INVERT: "inverted",
    GateChange.DROP_MAX: "without max pooling",
}

GATE_TITLES = {GateKind.SPATIAL: "Spatial gates", GateKind.CHANNEL: "Channel gates"}

AS_LEARNED = "as learned"


@dataclass(frozen=True, slots=True)
class GateSelect:
    """The possible changes of one kind of gate in some blocks; `title` is for screen readers."""

    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class GateControlsRow:
    """The blocks of one row of controls: all blocks, a stage's, or one block."""

    title: str
    is_block: bool
    selects: tuple[GateSelect, ...]


@dataclass(frozen=True, slots=True)
class NetworkControls:
    """The controls of one network: all blocks, the stages, the blocks.

    Attributes:
        name: its name in the lineup.
        title: its name for people.
        is_open: whether its rows are shown at once, where several networks have gates.
        rows: the blocks.
    """

    name: NetworkName
    title: str
    is_open: bool
    rows: tuple[GateControlsRow, ...]


@dataclass(frozen=True, slots=True)
class GateControls:
    """The form that changes gates.

    Attributes:
        networks: every network that has gates.
        kept: the page's other options, by name.
        address: the page's path.
        is_changed: whether any gate is changed.
        sentences: the effects of the changes, one sentence per network with changed gates.
    """

    networks: tuple[NetworkControls, ...]
    kept: tuple[tuple[str, str], ...]
    address: str
    is_changed: bool
    sentences: tuple[str, ...]


def build_gate_controls(answer: AnalysisAnswer, *, asked: Mapping[str, str], address: str) -> GateControls:
    """Build the gate controls of an analysis.

    Args:
        answer: the comparison.
        asked: the page's other options, which are kept.
        address: the page's path.
    """
    changed = list_changes(answer)
    kept = {name: value for name, value in asked.items() if name != "interventions"}
    gated = {
        name: network for name, network in answer.networks.items() if network.blocks and network.blocks[0].joint is None
    }
    return GateControls(
        networks=tuple(
            NetworkControls(name, network.title, network.alteration is not None, _show_rows(name, network, changed))
            for name, network in gated.items()
        ),
        kept=tuple(kept.items()),
        address=address,
        is_changed=bool(changed),
        sentences=tuple(
            explain_alteration(answer, network, network.alteration)
            for network in gated.values()
            if network.alteration is not None
        ),
    )


def explain_alteration(answer: AnalysisAnswer, network: NetworkAnswer, alteration: AlterationAnswer) -> str:
    """Describe the effect of a network's changed gates on the explained class, compared with learned gates."""
    after, before = network.target_probability, alteration.learned.target_probability
    target = answer.target.class_name
    changed, learned = format_probability(after), format_probability(before)
    sentence = f"P of ‘{target}’ by {network.title} is {changed} with changed gates and {learned} with learned gates"
    sentence += typeset_minus(f" ({alteration.probability_change:+.3f})")
    if alteration.correlation is not None:
        sentence += f". The two heat maps correlate at {format_hundredths(alteration.correlation)}"
    return f"{sentence}."


def _show_rows(name: NetworkName, network: NetworkAnswer, changed: Sequence[str]) -> tuple[GateControlsRow, ...]:
    allowed = list_allowed_changes(network.attention)
    return tuple(
        GateControlsRow(
            title=_name_scope(scope),
            is_block=scope.startswith("layer"),
            selects=tuple(_offer(name, scope, kind, changes, changed) for kind, changes in allowed.items()),
        )
        for scope in list_scopes([block.name for block in network.blocks])
    )


def _offer(
    network: NetworkName, scope: str, kind: GateKind, changes: Sequence[GateChange], changed: Sequence[str]
) -> GateSelect:
    values = {change: f"{network}:{scope}:{kind.value}:{change.value}" for change in changes}
    return GateSelect(
        title=f"{GATE_TITLES[kind]} of {_name_scope(scope).lower()}",
        choices=(
            Choice("", AS_LEARNED, not any(value in changed for value in values.values())),
            *(Choice(value, CHANGE_TITLES[change], value in changed) for change, value in values.items()),
        ),
    )


def _name_scope(scope: str) -> str:
    if scope == ALL_BLOCKS:
        return "All blocks"
    return name_block(scope) if scope.startswith("layer") else f"Stage {scope.removeprefix('stage')}"

"""The gate controls: the possible changes as links, the chosen ones and their effect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from app.api.schemas import AlterationAnswer, AnalysisAnswer, NetworkAnswer
from app.numbers import format_hundredths, format_probability, typeset_minus
from app.pages.addresses import add_query
from app.pages.gates import list_changes, name_block
from models.attention.interventions import ALL_BLOCKS, list_allowed_changes, list_scopes
from models.names import GateChange, GateKind, NetworkName

CHANGE_TITLES = {
    GateChange.NEUTRAL: "off",
    GateChange.INVERT: "inverted",
    GateChange.DROP_MAX: "without max pooling",
}

GATE_TITLES = {
    GateKind.SPATIAL: "Spatial gates",
    GateKind.CHANNEL: "Channel gates",
    GateKind.ROW: "Row gates",
    GateKind.COLUMN: "Column gates",
    GateKind.JOINT: "Joint gates",
}

AS_LEARNED = "as learned"


@dataclass(frozen=True, slots=True)
class GateChoice:
    """One state of some gates, and the address of the page with them in that state."""

    title: str
    address: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class GateSwitch:
    """The possible states of one kind of gate in some blocks.

    Attributes:
        kind: the gates: `Spatial gates`.
        scope: the blocks, for screen readers: `all blocks, CBAM`.
        choices: as learned, then every change.
    """

    kind: str
    scope: str
    choices: tuple[GateChoice, ...]


@dataclass(frozen=True, slots=True)
class GateScope:
    """All blocks of a network, or those of one stage, with a switch for each kind of gate."""

    title: str
    switches: tuple[GateSwitch, ...]


@dataclass(frozen=True, slots=True)
class NetworkControls:
    """The controls of one network for several blocks at once; `is_changed` if any of its gates are changed."""

    name: NetworkName
    title: str
    is_changed: bool
    presets: GateScope
    stages: tuple[GateScope, ...]


@dataclass(frozen=True, slots=True)
class GateControls:
    """The controls that change gates.

    Attributes:
        networks: every network whose gates can be changed.
        blocks: the switches of each single block, by network and block.
        reset: the page with all gates as learned; None where they are.
        sentences: the effects of the changes, one sentence per network with changed gates.
    """

    networks: tuple[NetworkControls, ...]
    blocks: Mapping[tuple[NetworkName, str], tuple[GateSwitch, ...]]
    reset: str | None
    sentences: tuple[str, ...]


def build_gate_controls(answer: AnalysisAnswer, *, asked: Mapping[str, str], address: str) -> GateControls:
    """Build the gate controls of an analysis.

    Args:
        answer: the comparison.
        asked: the page's options, which are kept but for the interventions.
        address: the page's path.
    """
    changed = list_changes(answer)
    kept = {name: value for name, value in asked.items() if name != "interventions"}
    link = partial(_link_changes, address, kept)
    gated = {name: network for name, network in answer.networks.items() if list_allowed_changes(network.attention)}
    rows = {name: _show_scopes(name, network, changed, link) for name, network in gated.items()}
    return GateControls(
        networks=tuple(
            NetworkControls(
                name,
                network.title,
                network.alteration is not None,
                rows[name][ALL_BLOCKS],
                tuple(row for scope, row in rows[name].items() if scope.startswith("stage")),
            )
            for name, network in gated.items()
        ),
        blocks={
            (name, scope): row.switches
            for name, scopes in rows.items()
            for scope, row in scopes.items()
            if scope.startswith("layer")
        },
        reset=link([]) if changed else None,
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


def _show_scopes(
    name: NetworkName, network: NetworkAnswer, changed: Sequence[str], link: Callable[[Sequence[str]], str]
) -> dict[str, GateScope]:
    """The switches of every scope of a network: of all blocks, of each stage, of each block."""
    allowed = list_allowed_changes(network.attention)
    return {
        scope: GateScope(
            _name_scope(scope),
            tuple(_offer(f"{name}:{scope}:{kind.value}:", allowed, network.title, changed, link) for kind in allowed),
        )
        for scope in list_scopes([block.name for block in network.blocks])
    }


def _offer(
    prefix: str,
    allowed: Mapping[GateKind, Sequence[GateChange]],
    network: str,
    changed: Sequence[str],
    link: Callable[[Sequence[str]], str],
) -> GateSwitch:
    """Offer every state of some gates; `prefix` is that of their interventions."""
    others = [text for text in changed if not text.startswith(prefix)]
    _, scope, gate, _ = prefix.split(":")
    kind = GateKind(gate)
    return GateSwitch(
        kind=GATE_TITLES[kind],
        scope=f"{_name_scope(scope).lower()}, {network}",
        choices=(
            GateChoice(AS_LEARNED, link(others), len(others) == len(changed)),
            *(
                GateChoice(
                    CHANGE_TITLES[change], link([*others, prefix + change.value]), prefix + change.value in changed
                )
                for change in allowed[kind]
            ),
        ),
    )


def _link_changes(address: str, kept: Mapping[str, str], changes: Sequence[str]) -> str:
    return add_query(address, {**kept, "interventions": ",".join(changes)} if changes else dict(kept))


def _name_scope(scope: str) -> str:
    if scope == ALL_BLOCKS:
        return "All blocks"
    return name_block(scope) if scope.startswith("layer") else f"Stage {scope.removeprefix('stage')}"

"""The gates as a thing to play with: what can be changed, what is changed, and what that did."""

from collections.abc import Mapping, Sequence

from app.api.schemas import AlterationAnswer, AnalysisAnswer, BlockAnswer
from app.pages.contexts import Choice, GateSelect, Playground, PlaygroundRow
from app.pages.wording import typeset_minus
from models.attention.interventions import ALL_BLOCKS, ALLOWED_CHANGES, list_scopes
from models.names import GateChange, GateKind, NetworkName

CHANGE_TITLES = {
    GateChange.NEUTRAL: "neutral: its own mean",
    GateChange.INVERT: "inverted",
    GateChange.DROP_MAX: "without the maxima",
}

GATE_TITLES = {GateKind.SPATIAL: "Spatial gates", GateKind.CHANNEL: "Channel gates"}

AS_LEARNED = "as learned"


def build_playground(answer: AnalysisAnswer, *, asked: Mapping[str, str], address: str) -> Playground:
    """The playground of an analysis.

    Args:
        answer: the comparison.
        asked: the page's other options, which stay as they are.
        address: the page's path.
    """
    changed = () if answer.alteration is None else tuple(answer.alteration.interventions)
    scopes = list_scopes([block.name for block in answer.blocks])
    kept = {name: value for name, value in asked.items() if name != "interventions"}
    return Playground(
        rows=tuple(_show_row(scope, answer.blocks, changed) for scope in scopes),
        kept=tuple(kept.items()),
        address=address,
        is_changed=bool(changed),
        sentence="" if answer.alteration is None else explain_alteration(answer, answer.alteration),
    )


def explain_alteration(answer: AnalysisAnswer, alteration: AlterationAnswer) -> str:
    """What the changed gates did to the explained class, against the network as it was learned."""
    after, before = answer.networks[NetworkName.CBAM].target_probability, alteration.learned.target_probability
    target = answer.target.class_name
    sentence = f"P of ‘{target}’ is {after:.3f} with changed gates and {before:.3f} as learned"
    sentence += typeset_minus(f" ({alteration.probability_change:+.3f})")
    if alteration.correlation is not None:
        sentence += f"; the two heat maps correlate with {typeset_minus(f'{alteration.correlation:.2f}')}"
    return f"{sentence}."


def _show_row(scope: str, blocks: Sequence[BlockAnswer], changed: Sequence[str]) -> PlaygroundRow:
    kinds = [GateKind.SPATIAL] if blocks[0].spatial is not None else []
    kinds += [GateKind.CHANNEL] if blocks[0].channel is not None else []
    return PlaygroundRow(
        title=_name_scope(scope),
        is_block=scope.startswith("layer"),
        selects=tuple(_offer(scope, kind, changed) for kind in kinds),
    )


def _offer(scope: str, kind: GateKind, changed: Sequence[str]) -> GateSelect:
    values = {change: f"{scope}:{kind.value}:{change.value}" for change in ALLOWED_CHANGES[kind]}
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
    if not scope.startswith("layer"):
        return f"Stage {scope.removeprefix('stage')}"
    stage, position, *unit = scope.removeprefix("layer").split(".")
    return ", ".join((f"Stage {stage}, block {int(position) + 1}", *unit))

"""The options of a question from what a Python program gives."""

from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

from app.analysis.options import FEWEST_CONCEPTS, MOST_CONCEPTS, ConceptOptions, TargetOptions
from app.errors import InvalidOption, refuse_choice
from app.explain.methods import Method
from models.names import Stage

Choice = TypeVar("Choice", bound=Enum)


def read_target_options(
    target: str | int | None,
    method: Method | str,
    stage: Stage | int,
    interventions: Sequence[str] = (),
    against: str | int | None = None,
) -> TargetOptions:
    """The options of a question; raises `InvalidOption` for an unknown method or stage."""
    return TargetOptions(
        target="" if target is None else str(target),
        method=choose("method", method, Method),
        stage=choose("stage", stage, Stage),
        interventions=tuple(interventions),
        against="" if against is None else str(against),
    )


def read_concept_options(count: int, stage: Stage | int) -> ConceptOptions:
    """The options of concepts; raises `InvalidOption` for an unknown stage and a count out of range."""
    if not FEWEST_CONCEPTS <= count <= MOST_CONCEPTS:
        raise InvalidOption(f"count is {count}; choose {FEWEST_CONCEPTS} to {MOST_CONCEPTS} concepts", option="count")
    return ConceptOptions(count=count, stage=choose("stage", stage, Stage))


def choose(option: str, value: object, allowed: type[Choice]) -> Choice:
    """The member of a closed set of names; raises `InvalidOption`, whose message lists them."""
    try:
        return allowed(value)
    except ValueError:
        raise refuse_choice(option, str(value), [str(known.value) for known in allowed]) from None

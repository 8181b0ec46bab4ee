"""The classes that Finer-CAM contrasts the explained class with."""

from collections.abc import Sequence

from app.analysis.classes import find_class
from app.analysis.options import TargetOptions
from app.engine.traces import LineupTrace
from app.errors import InvalidOption
from app.explain.contrast import find_similar_classes
from app.explain.methods import Method
from models.lineups.card import ClassLabel


def check_contrast(labels: Sequence[ClassLabel], options: TargetOptions) -> None:
    """Refuse a contrast that nothing could be computed for, before anything is.

    Raises:
        InvalidOption: for `against` with another method, for one that is no class, and for Finer-CAM where there is
            only one class.
    """
    if options.against.strip() and options.method is not Method.FINERCAM:
        raise InvalidOption(
            f"against is for Finer-CAM, and the method is {options.method.value}; choose method finercam, or leave "
            "against out",
            option="against",
        )
    find_class(labels, options.against, option="against")
    if options.method is Method.FINERCAM and len(labels) < 2:
        raise InvalidOption(
            "Finer-CAM contrasts a class with others, and these networks know one class; choose another method",
            option="method",
        )


def find_contrast(
    labels: Sequence[ClassLabel], traces: LineupTrace, target: ClassLabel, options: TargetOptions
) -> tuple[ClassLabel, ...]:
    """The classes to contrast with: the one that was chosen, else those whose scores are nearest.

    Args:
        labels: all classes, in index order.
        traces: the networks' traces, with their gates as learned.
        target: the explained class.
        options: the method, and the choice.

    Returns:
        At least one class for Finer-CAM; none for other methods.

    Raises:
        InvalidOption: see `check_contrast`; also for the explained class itself.
    """
    check_contrast(labels, options)
    if options.method is not Method.FINERCAM:
        return ()
    chosen, _ = find_class(labels, options.against, option="against")
    if chosen == target:
        raise InvalidOption(
            f"against is {chosen.name!r}, the explained class itself; choose another class, or leave against out for "
            "the nearest ones",
            option="against",
        )
    if chosen is not None:
        return (chosen,)
    similar = find_similar_classes({name: trace.logits for name, trace in traces.items()}, target.index)
    return tuple(labels[index] for index in similar)

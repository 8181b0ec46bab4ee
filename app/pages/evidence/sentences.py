"""A recorded evaluation in sentences, made from its numbers whether they support the claim or not."""

from collections.abc import Iterable, Sequence

from app.api.schemas import LineupDescription
from app.evaluation.results.metrics import MEANINGS, Metric
from app.evaluation.results.options import BLUR_SHARE, Fill
from app.evaluation.results.report import BlockResult, ClassResult, Contrast, Evaluation, Focus, MapResult, Subset
from app.evaluation.results.wording import Verdict, format_difference, format_mean, judge
from app.numbers import format_count, typeset_minus
from app.pages.choices import METHOD_TITLES
from app.pages.evidence.views import PictureView
from app.pages.gates import FLAT_DEVIATION
from app.pages.lineup import name_condition
from models.names import Attention

CLAIM = (
    "We visualize trained models using the grad-CAM and observe that CBAM-enhanced networks focus on target objects "
    "more properly than their baseline networks."
)
SOURCE = "Woo, Park, Lee and Kweon, CBAM: Convolutional Block Attention Module, ECCV 2018, introduction"

DATA_TITLES = {
    "caltech101_masked": "held-out pictures of Caltech-101, with the object outlines that Caltech publishes",
    "ilsvrc_val500": "pictures of ImageNet’s validation part, with the boxes that ILSVRC publishes",
}
"""Descriptions of data sets, by their directories' names."""

CREDITS = {"caltech101_masked": "Pictures: Caltech-101 (Li, Andreeto, Ranzato and Perona), CC BY 4.0."}
"""The credit that a data set's licence asks for, by the name of its folder."""

HEADINGS = {"caltech101_masked": "Caltech-101, outlines", "ilsvrc_val500": "ImageNet, boxes"}
"""The same in a heading."""

HABIT = 0.5
"""A gate whose mean over pictures explains at least this share of its variance is mostly independent of the picture."""

WORST_CLASSES = 5


def ask(lineups: Iterable[LineupDescription]) -> str:
    """The page's question, about CBAM where a served lineup has it."""
    attentions = {network.attention for lineup in lineups for network in lineup.networks.values()}
    subject = (
        "CBAM" if any(attention.value.startswith(Attention.CBAM.value) for attention in attentions) else "attention"
    )
    return f"Does {subject} look at the object?"


def state_answer(contrast: Contrast, title: str) -> str:
    """Answer whether a network looks at the object more than the baseline, by the share of its heat on the object."""
    measured = contrast.both_right.metrics.get(Metric.SHARE_INSIDE)
    if measured is None:
        return "Not known: the share of heat on the object was not measured."
    answer = {
        Verdict.BETTER: "Yes",
        Verdict.WORSE: "No, less",
        Verdict.OPEN: "No difference is shown",
        Verdict.UNKNOWN: "Not known, too few pictures",
    }[judge(Metric.SHARE_INSIDE, measured.difference)]
    difference = typeset_minus(format_difference(Metric.SHARE_INSIDE, measured.difference))
    return (
        f"{answer}: {format_mean(None, measured.other)} of {title}’s heat is on the object and "
        f"{format_mean(None, measured.baseline)} of the baseline’s, {difference}."
    )


def state_verdict(contrast: Contrast, title: str) -> str:
    """State the result over the pictures that both networks get right, by every number of the maps.

    Args:
        contrast: the network's results beside the baseline's.
        title: the network's name for people.
    """
    verdicts = {
        metric: judge(metric, measured.difference)
        for metric, measured in contrast.both_right.metrics.items()
        if metric is not Metric.PROBABILITY
    }
    better = [metric for metric, verdict in verdicts.items() if verdict is Verdict.BETTER]
    worse = [metric for metric, verdict in verdicts.items() if verdict is Verdict.WORSE]
    count = len(verdicts)
    if not better and not worse:
        return f"None of {count} numbers shows a difference: every 95 % interval includes 0."
    begin = f"{_answer(better, worse)}: {title}’s maps are better by {_count(better, count)} numbers{_name(better)}"
    return f"{begin} and worse by {len(worse) or 'none'}{_name(worse)}. {_state_open(count - len(better) - len(worse))}"


def _answer(better: Sequence[Metric], worse: Sequence[Metric]) -> str:
    """The answer to the page's question in a few words, by the numbers that differ."""
    if not worse:
        return "Yes, in this lineup"
    return "Partly" if len(better) > len(worse) else "Not in this lineup"


def state_protocol(evaluation: Evaluation, focus: Focus, result: MapResult) -> tuple[str, ...]:
    """State the pictures and the method of the measurements."""
    data = DATA_TITLES.get(evaluation.data, f"pictures of ‘{evaluation.data}’")
    first = next(iter(result.contrasts.values()))
    classes = f"{len(first.classes)} classes"
    size = "" if result.height is None else f", {result.height} × {result.width} positions"
    sentences = [
        f"{format_count(first.all.pictures)} {data}, in {classes}. {_state_left_out(evaluation, focus)} "
        f"The networks saw {name_condition(evaluation.geometry, evaluation.resolution)}.",
        f"Maps: {METHOD_TITLES[result.method]} at stage {result.stage.value}{size}, for the true class, drawn over the "
        "picture’s own pixels as on the page of a comparison.",
        "Only what the networks saw counts: on average "
        f"{format_mean(None, first.all.hidden_share or 0)} of the object lay outside the crop.",
        "Differences are a network minus the baseline on the same picture. The interval is the middle "
        f"{focus.protocol.confidence_level * 100:.0f}\u00a0% of {focus.protocol.resamples:,} bootstrap means over "
        f"pictures (percentiles, seed {focus.protocol.seed}).",
    ]
    if focus.protocol.fill is not None:
        sentences.append(_state_curves(focus.protocol.fill, result))
    return tuple(sentences)


def state_failures(contrast: Contrast, title: str) -> tuple[str, ...]:
    """State where the claim fails for a network, or that no failure was found."""
    sentences = [
        f"{where} {title} is worse by {_list_differences(subset)}."
        for where, subset in (
            ("On the pictures that both get right", contrast.both_right),
            ("On all pictures", contrast.all),
        )
        if _worse(subset)
    ]
    silent = contrast.all.silent
    if any(silent.values()):
        counts = " and ".join(f"{count} of {name}" for name, count in silent.items())
        sentences.append(f"Maps without any positive evidence for the true class: {counts}.")
    sentences += _state_centre(contrast.all, title)
    losers = [entry for entry in reversed(contrast.classes) if (entry.difference.high or 0) < 0]
    if losers:
        sentences.append(
            f"In {len(losers)} of {len(contrast.classes)} classes {title} has less of its heat inside (interval below "
            f"0). Largest losses: {_list_classes(losers[:WORST_CLASSES])}."
        )
    return tuple(sentences) or (f"No number is worse for {title} with an interval that excludes 0.",)


def state_gains(contrast: Contrast, title: str) -> str | None:
    """State in which classes a network gains; None if there are none."""
    winners = [entry for entry in contrast.classes if (entry.difference.low or 0) > 0]
    if not winners:
        return None
    return (
        f"In {len(winners)} of {len(contrast.classes)} classes {title} has more of its heat inside (interval above 0). "
        f"Largest gains: {_list_classes(winners[:WORST_CLASSES])}."
    )


def state_limits(result: MapResult, *, title: str, warnings: Sequence[str]) -> tuple[str, ...]:
    """State the limits of a lineup's numbers."""
    count = sum(len(found.both_right.metrics) + len(found.all.metrics) for found in result.contrasts.values())
    size = "" if result.height is None else f" of {result.height} × {result.width} positions"
    return (
        "This is one lineup of networks, each trained once. The intervals show how much the result would vary with "
        "other pictures of the same kind, not with another training and another seed. The end of this page shows how "
        "much seeds differ in short trainings.",
        "The paper makes its claim for networks trained on ImageNet, ResNet-50 in its figure. Measured here: "
        f"{title}. What holds here need not hold there, nor the reverse.",
        f"The tables have {count} intervals. If nothing differed at all, one in twenty would still exclude 0 by "
        "chance. They are not independent of each other.",
        f"A map{size} is coarse: no map of that size can follow an outline, so no IoU here can come near 1.",
        *warnings,
    )


def state_gates(gates: Sequence[BlockResult]) -> tuple[str, ...]:
    """State the gates' numbers."""
    spatial = [(block.name, block.spatial) for block in gates if block.spatial is not None]
    if not spatial:
        return ()
    flat = [name for name, gate in spatial if gate.deviation < FLAT_DEVIATION]
    # A flat gate treats all positions alike, so its other numbers mean nothing.
    alive = [(name, gate) for name, gate in spatial if name not in flat]
    habit = [name for name, gate in alive if (gate.explained or 0) >= HABIT]
    towards = [name for name, gate in alive if (gate.excess.low or 0) > 0]
    away = [name for name, gate in alive if (gate.excess.high or 0) < 0]
    neither = [name for name, _ in alive if name not in [*towards, *away]]
    return (
        f"Flat spatial gates (deviation under {FLAT_DEVIATION}): {_list_names(flat)}. Mostly the same for every "
        f"picture (at least {HABIT * 100:.0f}\u00a0% of the variance comes from position alone): {_list_names(habit)}.",
        f"The spatial gate lets more through on the object than beside it: {_list_names(towards)}. It lets less "
        f"through: {_list_names(away)}. The interval includes 0: {_list_names(neither)}.",
        "A gate that is low on the object need not hide it: it scales a branch that is added to the block’s input, "
        "and that branch may carry evidence against the object.",
    )


def state_extremes(contrast: Contrast) -> str:
    """State how the pictures that differ most were chosen."""
    pictures = [*contrast.helped, *contrast.hurt]
    neither = sum(not any(picture.right.values()) for picture in pictures)
    wrong = "At least one network is right on each of them."
    if neither:
        wrong = f"Both networks are wrong on {neither} of the {len(pictures)}; there the maps show the little evidence "
        wrong += "for the true class."
    return f"Chosen by one number, the difference in the share of heat inside, not by hand. {wrong}"


def state_pictures(data: str, pictures: Sequence[PictureView]) -> str:
    """State where the pictures that differ most come from, or how to see them.

    Args:
        data: the name of the data's folder.
        pictures: these pictures.
    """
    if not any(picture.address for picture in pictures):
        return (
            "The pictures are not part of this program. Where you have them, CBAM_LENS_EVIDENCE_PICTURES=DIR shows and "
            f"opens them; DIR/{data} is their folder."
        )
    return f"A picture opens its comparison. {CREDITS.get(data, '')}".rstrip()


def _state_left_out(evaluation: Evaluation, focus: Focus) -> str:
    reasons = (
        (len(focus.unseen), "nothing of the object was seen"),
        (len(evaluation.unreadable), "the file could not be read"),
        (evaluation.unknown, "the lineup does not know the class"),
    )
    told = [f"{count:,} where {reason}" for count, reason in reasons if count]
    return f"Left out: {', '.join(told)}." if told else "No picture was left out."


def _state_curves(fill: Fill, result: MapResult) -> str:
    filling = "the mean colour"
    if fill is Fill.BLURRED:
        filling = f"the picture blurred with a deviation of {BLUR_SHARE * 100:.0f}\u00a0% of its shorter side"
    steps = "" if result.height is None or result.width is None else f", in {result.height * result.width} steps"
    return (
        f"Deletion and insertion replace the map’s positions by {filling}{steps}. Both areas are a mean P, so a "
        "network that is surer of whole pictures has larger ones. Positions without evidence follow in one random "
        "order per picture, the same for all networks."
    )


def _state_centre(subset: Subset, title: str) -> list[str]:
    """State whether always pointing at the picture's centre would do as well."""
    measured = subset.metrics.get(Metric.POINTING)
    if measured is None or subset.centre_hits is None or subset.centre_hits < min(measured.baseline, measured.other):
        return []
    return [
        f"Always pointing at the centre would hit the object in {format_mean(None, subset.centre_hits)} of all "
        f"pictures, at least as often as the maps do (baseline {format_mean(None, measured.baseline)}, {title} "
        f"{format_mean(None, measured.other)}): these pictures were composed around their object."
    ]


def _state_open(count: int) -> str:
    if not count:
        return "No interval includes 0."
    return f"{count} {'interval includes' if count == 1 else 'intervals include'} 0."


def _count(metrics: Sequence[Metric], total: int) -> str:
    return f"{len(metrics) or 'none'} of {total}"


def _name(metrics: Sequence[Metric]) -> str:
    return f" ({', '.join(_title(metric) for metric in metrics)})" if metrics else ""


def _title(metric: Metric) -> str:
    title = MEANINGS[metric].title
    return title if title.startswith(("IoU", "P ")) else title[0].lower() + title[1:]


def _worse(subset: Subset) -> list[Metric]:
    return [m for m, measured in subset.metrics.items() if judge(m, measured.difference) is Verdict.WORSE]


def _list_differences(subset: Subset) -> str:
    return "; ".join(
        f"{_title(metric)}, {typeset_minus(format_difference(metric, subset.metrics[metric].difference))}"
        for metric in _worse(subset)
    )


def _list_classes(classes: Iterable[ClassResult]) -> str:
    return "; ".join(
        f"{entry.class_name}, {typeset_minus(format_difference(None, entry.difference))}" for entry in classes
    )


def _list_names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"

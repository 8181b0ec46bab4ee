"""What the page says about a comparison and its pair in plain sentences."""

from app.api.schemas import AnalysisAnswer, GeometryAnswer, HeatMapAnswer, PairDescription
from app.pages.choices import GEOMETRY_TITLES
from app.pages.contexts import AccuracyRow, Measure, PairView
from models.lineups.card import Accuracy
from models.names import Geometry, NetworkName, Resolution
from models.networks.titles import ATTENTION_TITLES

SURE_PROBABILITY = 0.5
"""Below this the likeliest class is no majority."""

NOTABLE_LOSS = 0.03
"""A top-1 accuracy lower by this share, in another geometry than a pair's own, is worth a warning."""


def typeset_minus(text: str) -> str:
    """A number, or several, with the sign that is as wide as a plus."""
    return text.replace("-", "−")


def name_networks(answer: AnalysisAnswer) -> dict[NetworkName, str]:
    """Both networks in a sentence: the baseline, the network with CBAM."""
    attention = ATTENTION_TITLES[answer.attention]
    return {NetworkName.BASELINE: "the baseline", NetworkName.CBAM: f"the network with {attention}"}


def explain_target(answer: AnalysisAnswer) -> str:
    """Why this class is explained."""
    if answer.target.chosen_by == "baseline":
        return "The class that the baseline ranks first; both networks are asked about it."
    return "The class that you chose; both networks are asked about it."


def explain_doubt(answer: AnalysisAnswer, *, class_count: int) -> str | None:
    """Who is not sure, and of what; None where both networks have a majority for some class and one for the target."""
    knows = f"This pair knows {class_count} classes only, and gives one of these names to whatever it is shown."
    names = name_networks(answer)
    first = {name: answer.networks[name].predictions[0] for name in NetworkName}
    unsure = [name for name in NetworkName if first[name].probability < SURE_PROBABILITY]
    if len(unsure) == len(NetworkName):
        guesses = " and ".join(
            f"‘{first[name].class_name}’ with P = {first[name].probability:.2f} for {names[name]}"
            for name in NetworkName
        )
        return f"Neither network is sure what this is: the likeliest class is {guesses}. {knows}"
    target = answer.target.class_name
    if all(network.target_probability < SURE_PROBABILITY for network in answer.networks.values()):
        return (
            f"Neither network takes this for ‘{target}’. The maps show what little speaks for that class, "
            f"not that it is there. {knows}"
        )
    if unsure:
        name = unsure[0]
        who = names[name][0].upper() + names[name][1:]
        guess = f"‘{first[name].class_name}’ with P = {first[name].probability:.2f}"
        return f"{who} is not sure what this is: its likeliest class is {guess}. {knows}"
    return None


def list_measures(answer: AnalysisAnswer) -> tuple[Measure, ...]:
    """The numbers that compare the two maps, each with its meaning, or why there is none."""
    comparison = answer.comparison
    networks = [answer.networks[name] for name in NetworkName]
    shares = [network.heat_map.share_above_half for network in networks]
    peaks = [explain_peak(network.heat_map) for network in networks]
    both = f"Baseline | {ATTENTION_TITLES[answer.attention]}."
    silent = _name_silent(answer)
    return (
        Measure(
            "P of the class",
            " | ".join(f"{network.target_probability:.3f}" for network in networks),
            f"{both} The network’s softmax probability that the picture shows ‘{answer.target.class_name}’.",
        ),
        Measure(
            "Peak",
            None if not any(peaks) else " | ".join("none" if peak is None else peak.split(" ")[0] for peak in peaks),
            f"{both} The highest value of each map: {' and '.join(_locate(peak) for peak in peaks)}.",
            silent,
        ),
        Measure(
            "Correlation",
            _format(comparison.correlation, "{:.2f}"),
            "Pearson’s r over all positions: 1 is the same pattern, 0 no relation, −1 the opposite.",
            silent or "One of the maps has the same value everywhere.",
        ),
        Measure(
            "Overlap",
            _format(comparison.overlap, "{:.2f}"),
            "Intersection over union of the areas that reach 0.6 of each map’s maximum: 1 is the same area, 0 none.",
            silent,
        ),
        Measure(
            "Peak distance",
            None if comparison.peak_distance is None else f"{comparison.peak_distance:.1%}".replace("%", " %"),
            "Between the two highest positions, as a share of the picture’s diagonal.",
            silent,
        ),
        Measure(
            "Share above half maximum",
            None if all(share is None for share in shares) else " | ".join(_format_share(share) for share in shares),
            f"{both} How much of all evidence lies where the map reaches half its maximum: high is one compact spot "
            "or an evenly lit picture.",
            silent,
        ),
    )


def explain_peak(heat_map: HeatMapAnswer) -> str | None:
    """A map's highest value and where it is, in the picture's pixels; None without positive evidence."""
    if heat_map.peak_x is None or heat_map.peak_y is None:
        return None
    return f"{heat_map.max:.3g} at x {heat_map.peak_x:.0f}, y {heat_map.peak_y:.0f}"


def explain_geometry(geometry: GeometryAnswer) -> str:
    """What part of the picture the networks saw, and at what size."""
    size = f"{geometry.picture_width} × {geometry.picture_height} pixels"
    seen = f"at {geometry.input_width} × {geometry.input_height} pixels"
    if not geometry.is_cropped:
        return f"Both networks saw the whole picture, {size}, {seen}."
    part = "the square at its centre" if geometry.geometry is Geometry.CENTER_CROP else "its middle"
    return (
        f"The picture has {size}. Both networks saw {part}, x {geometry.left:.0f} to {geometry.right:.0f} and "
        f"y {geometry.upper:.0f} to {geometry.lower:.0f}, {seen}. What is under grey had no say."
    )


def warn_of_geometry(geometry: GeometryAnswer, pair: PairDescription) -> tuple[str, ...]:
    """Sentences when the pair's accuracy is lower in this geometry than in its own, or was not measured."""
    own, chosen = (pair.geometry, pair.resolution), (geometry.geometry, geometry.resolution)
    if not pair.trained or own == chosen:
        return ()
    losses = [
        there.top1 - here.top1
        for network in pair.networks.values()
        for there in network.accuracy
        for here in network.accuracy
        if (there.geometry, there.resolution) == own
        and (here.geometry, here.resolution) == chosen
        and (here.dataset, here.pictures) == (there.dataset, there.pictures)
    ]
    begin = f"This pair is meant for {name_condition(*own)}. {name_condition(*chosen).capitalize()}"
    if not losses:
        return (f"{begin} was not measured: its maps and probabilities may mislead.",)
    if max(losses) > NOTABLE_LOSS:
        return (f"{begin} costs up to {100 * max(losses):.1f} points of its accuracy: its maps may mislead.",)
    return ()


def explain_training(pair: PairDescription) -> str:
    """What the pair was trained for, or that it was not."""
    condition = name_condition(pair.geometry, pair.resolution)
    if pair.trained:
        return f"Trained for {condition}."
    return f"Untrained: random weights, which have learned nothing. Its own input is {condition}."


def build_pair_view(pair: PairDescription) -> PairView:
    """The pair with its measured accuracies side by side."""
    rows: dict[str, dict[NetworkName, Accuracy]] = {}
    for name, network in pair.networks.items():
        for accuracy in network.accuracy:
            condition = (
                f"{accuracy.dataset}, {accuracy.pictures:,} pictures, "
                f"{name_condition(accuracy.geometry, accuracy.resolution)}"
            )
            rows.setdefault(condition, {})[name] = accuracy
    return PairView(
        description=pair,
        titles=("Baseline", f"Baseline + {ATTENTION_TITLES[pair.networks[NetworkName.CBAM].attention]}"),
        training=explain_training(pair),
        accuracy=tuple(
            AccuracyRow(condition, tuple(measured.get(name) for name in NetworkName))
            for condition, measured in rows.items()
        ),
    )


def name_condition(geometry: Geometry, resolution: Resolution) -> str:
    """`centre crop at 160 pixels`."""
    return f"{GEOMETRY_TITLES[geometry]} at {resolution.value} pixels"


def _name_silent(answer: AnalysisAnswer) -> str | None:
    names = name_networks(answer)
    silent = [names[name] for name in NetworkName if answer.networks[name].heat_map.max == 0]
    if not silent:
        return None
    return f"No positive evidence for ‘{answer.target.class_name}’ by {' and '.join(silent)}."


def _locate(peak: str | None) -> str:
    return "nowhere" if peak is None else peak.split(" ", 1)[1]


def _format(value: float | None, pattern: str) -> str | None:
    return None if value is None else typeset_minus(pattern.format(value))


def _format_share(share: float | None) -> str:
    return "none" if share is None else f"{share:.0%}".replace("%", " %")

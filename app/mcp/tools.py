"""The tools, one short function each: arguments and the workbench -> numbers or an image."""

import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PIL import Image

from app.analysis.comparison import Comparison
from app.analysis.networks import check_networks, choose_difference, choose_gated, choose_network
from app.analysis.timing import Timings
from app.api.analyses import build_analysis_answer
from app.api.concepts import ConceptAnswer, build_concepts_answer
from app.api.lineups import build_lineup_description
from app.mcp.arguments import (
    Arguments,
    CompareArguments,
    ConceptsArguments,
    DifferenceArguments,
    FigureArguments,
    GateArguments,
    HeatMapArguments,
    LineupArguments,
)
from app.mcp.workbench import Workbench
from app.output import figures, gates, heat_maps
from app.output.concepts import encode_concepts
from app.render.figure import FigureFormat
from app.render.png import encode_png
from models.networks.titles import join_words

MOST_CLASSES = 50

ArgumentsType = TypeVar("ArgumentsType", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Numbers:
    """An answer of numbers and names, as JSON's types."""

    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawing:
    """An answer that is an image, with a sentence for those who cannot see it."""

    png: bytes
    caption: str


@dataclass(frozen=True, slots=True)
class LensTool(Generic[ArgumentsType]):
    """A tool: its name and description for the client, the type of its arguments, and its answer."""

    name: str
    description: str
    arguments: type[ArgumentsType]
    answer: Callable[[Workbench, ArgumentsType], Awaitable[Numbers | Drawing]]


async def describe_lineup(workbench: Workbench, arguments: LineupArguments) -> Numbers:
    """The lineup, without the names of its classes but for those that are searched."""
    lineup = workbench.lens.lineup
    values = build_lineup_description(lineup).model_dump(mode="json", exclude={"labels"})
    values["class_count"] = len(lineup.labels)
    if wanted := arguments.classes.strip().casefold():
        found = [label for label in lineup.labels if wanted in label.name.casefold()]
        values["found_class_count"] = len(found)
        values["found_classes"] = {str(label.index): label.name for label in found[:MOST_CLASSES]}
    return Numbers(values)


async def compare_networks(workbench: Workbench, arguments: CompareArguments) -> Numbers:
    """Every network's likeliest classes, the maps in numbers, and how they differ from the baseline's."""
    analysis = await workbench.analyse(arguments)
    comparison = await workbench.lens.compare(analysis, arguments, Timings())
    # No server keeps this analysis, so that it has no address.
    network: dict[str, Any] = {"links": True, "blocks": {"__all__": {"links"}} if arguments.gates else True}
    excluded: dict[str, Any] = {"id": True, "links": True, "expires": True, "networks": {"__all__": network}}
    return Numbers(build_analysis_answer(comparison, links=None).model_dump(mode="json", exclude=excluded))


async def draw_heat_map(workbench: Workbench, arguments: HeatMapArguments) -> Drawing:
    """One network's heat map."""
    lens = workbench.lens
    name = choose_network(lens.lineup.card, arguments.network)
    comparison = await lens.compare(await workbench.analyse(arguments), arguments, Timings())
    png = await lens.run(heat_maps.encode_heat_map, comparison, name, arguments, max_side=arguments.max_side)
    scale = heat_maps.heat_map_scale(comparison, comparison.heat_maps[name], arguments)
    title = lens.lineup.card.title_network(name)
    return Drawing(png, f"{title}: {_describe(comparison)}; {arguments.scale.value} scale, 0 to {scale.maximum:.3g}")


async def draw_difference(workbench: Workbench, arguments: DifferenceArguments) -> Drawing:
    """One network's heat map minus another's."""
    lens = workbench.lens
    difference = choose_difference(lens.lineup.card, arguments.of, arguments.minus)
    comparison = await lens.compare(await workbench.analyse(arguments), arguments, Timings())
    limits = arguments.difference_scale
    png = await lens.run(
        heat_maps.encode_difference, comparison, difference, arguments, limits=limits, max_side=arguments.max_side
    )
    end = heat_maps.difference_scale(comparison, difference, arguments.scale, limits).maximum
    title = heat_maps.title_difference(comparison, difference)
    return Drawing(png, f"{title}: {_describe(comparison)}; {-end:.3g} (blue, hatched) to {end:.3g} (red)")


async def draw_figure(workbench: Workbench, arguments: FigureArguments) -> Drawing:
    """The picture and every network side by side."""
    lens = workbench.lens
    check_networks(lens.lineup.card, arguments)
    comparisons = await lens.compare_classes(await workbench.analyse(arguments), arguments, arguments.versus, Timings())
    png = await lens.run(_draw_small_figure, comparisons, arguments)
    return Drawing(png, "; second row: ".join(_describe(comparison) for comparison in comparisons))


async def draw_concepts(workbench: Workbench, arguments: ConceptsArguments) -> Drawing:
    """One network's concepts, with their likeliest classes."""
    lens = workbench.lens
    name = choose_network(lens.lineup.card, arguments.network)
    concepts = await lens.find_concepts(await workbench.analyse(arguments), arguments, Timings())
    png = await lens.run(encode_concepts, concepts, name, opacity=arguments.opacity, max_side=arguments.max_side)
    network = build_concepts_answer(concepts, links=None).networks[name]
    parts = "; ".join(_describe_concept(concept) for concept in network.concepts)
    return Drawing(png, f"{network.title}, stage {concepts.stage.value}, concepts by number and colour: {parts}")


def _describe_concept(concept: ConceptAnswer) -> str:
    guesses = ", ".join(f"{guess.class_name} P = {guess.probability:.4f}" for guess in concept.predictions)
    return f"{concept.number} ({concept.colour}), {concept.share:.0%} of all" + (f": {guesses}" if guesses else "")


async def draw_gate(workbench: Workbench, arguments: GateArguments) -> Drawing:
    """One gate of one block, 0 to 1."""
    lens = workbench.lens
    name = choose_gated(lens.lineup.card, arguments.network)
    analysis = await lens.alter(await workbench.analyse(arguments), arguments.interventions, Timings())
    block = gates.find_block(analysis, name, arguments.block)
    gate = gates.find_gate(analysis, name, block.name, arguments.kind)
    png = await lens.run(gates.encode_attention, analysis, gate, arguments, max_side=arguments.max_side)
    kind = next(kind for kind, known in block.gates.items() if known is gate)
    title = lens.lineup.card.title_network(name)
    return Drawing(
        png,
        f"{title}, {block.name}, {kind.value} gate: {gate.values.min():.3f} to {gate.values.max():.3f}, mean "
        f"{gate.values.mean():.3f}, where 0 blocks and 1 passes unchanged",
    )


def _draw_small_figure(comparisons: Sequence[Comparison], arguments: FigureArguments) -> bytes:
    """The figure of print, fitted into `max_side` pixels."""
    figure = Image.open(io.BytesIO(figures.draw_comparison_figure(comparisons, arguments, FigureFormat.PNG)))
    rgb = figure.convert("RGB")
    rgb.thumbnail((arguments.max_side, arguments.max_side), Image.Resampling.LANCZOS)
    return encode_png(rgb)


def _describe(comparison: Comparison) -> str:
    """The explained class, each network's P of it, the method and the stage."""
    label = comparison.target.label
    shares = ", ".join(f"{name} P = {comparison.target_probability(name):.4f}" for name in comparison.names)
    untrained = "" if comparison.analysis.card.trained else "UNTRAINED networks with random weights; "
    altered = "; gates changed, not retrained" if comparison.altered else ""
    fit = comparison.fit
    misfit = "" if fit is None or fit.is_good else "; none of the classes fits this picture well"
    against = f" against {join_words([label.name for label in comparison.against])}" if comparison.against else ""
    how = f"{comparison.method.value}{against}, stage {comparison.stage.value}"
    return f"{untrained}class {label.index}, {label.name} ({shares}); {how}{altered}{misfit}"


TOOLS: dict[str, LensTool[Any]] = {
    tool.name: tool
    for tool in (
        LensTool(
            "describe_lineup",
            "The networks that are compared: attention, parameters, accuracy, weights and warnings; and a search for "
            "the names of their classes.",
            LineupArguments,
            describe_lineup,
        ),
        LensTool(
            "compare_networks",
            "Numbers about a picture file: every network's five likeliest classes, each heat map's statistics, and how "
            "the maps differ from the baseline's.",
            CompareArguments,
            compare_networks,
        ),
        LensTool(
            "draw_heat_map",
            "An image of one network's Grad-CAM (or another method's) heat map over a picture file.",
            HeatMapArguments,
            draw_heat_map,
        ),
        LensTool(
            "draw_difference",
            "An image of one network's heat map minus another's over a picture file: where attention changes what "
            "counts.",
            DifferenceArguments,
            draw_difference,
        ),
        LensTool(
            "draw_figure",
            "An image of a picture file and every network's heat map side by side, with each network's P of the class.",
            FigureArguments,
            draw_figure,
        ),
        LensTool(
            "draw_concepts",
            "An image of a picture file divided into the parts that one network treats alike, found without a class, "
            "and each part's likeliest classes.",
            ConceptsArguments,
            draw_concepts,
        ),
        LensTool(
            "draw_gate",
            "An image of one of the attention's own maps (gates), which the network computed for a picture file.",
            GateArguments,
            draw_gate,
        ),
    )
}
"""The tools by name, in the order in which clients list them."""

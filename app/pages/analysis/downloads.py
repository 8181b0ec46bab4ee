"""The files of a comparison to download."""

from app.analysis.comparison import Comparison
from app.analysis.networks import choose_difference
from app.analysis.sheets import slug_file_name, slug_words
from app.api.schemas import AnalysisAnswer
from app.pages.addresses import Addresses, Download, add_query
from app.render.figure import FigureFormat
from models.lineups.card import FEWEST_NETWORKS
from models.networks.titles import join_words


def list_downloads(
    comparison: Comparison, answer: AnalysisAnswer, asked: dict[str, str], second: dict[str, str], addresses: Addresses
) -> tuple[Download, ...]:
    """List the figure, every map, the numbers and an archive of everything.

    Args:
        comparison: the comparison.
        answer: the same, as in the REST API.
        asked: the options of drawing, for the links.
        second: the option of a second class, which a figure and the archive have too; empty without one.
        addresses: the analysis's addresses.
    """
    stem = name_files(comparison)
    figures = [
        Download(
            f"Figure as {form.value.upper()}",
            add_query(addresses.answer.figure(form), asked),
            f"cbam-lens-{stem}.{form}",
        )
        for form in FigureFormat
    ]
    with_difference = add_query(addresses.answer.figure(FigureFormat.PDF), asked, difference="true")
    figures.append(Download("Figure with the difference as PDF", with_difference, f"cbam-lens-{stem}-difference.pdf"))
    if second:
        both = add_query(addresses.answer.figure(FigureFormat.PDF), asked | second, difference="true")
        figures.append(
            Download("Figure of both classes with the difference as PDF", both, f"cbam-lens-{stem}-both-classes.pdf")
        )
    figures += _list_figures_of_two(comparison, asked, addresses, stem)
    maps = [
        Download(
            f"{network.title} map", add_query(addresses.answer.heat_map(name), asked), f"cbam-lens-{stem}-{name}.png"
        )
        for name, network in answer.networks.items()
    ]
    difference = add_query(addresses.answer.difference, asked)
    maps.append(Download("Difference", difference, f"cbam-lens-{stem}-difference.png"))
    numbers = [
        Download("All arrays, maps.npz", answer.links["maps"], f"cbam-lens-{stem}.npz"),
        Download("All numbers, JSON", answer.links["self"], f"cbam-lens-{stem}.json"),
    ]
    everything = Download(
        "Everything, ZIP", add_query(f"{addresses.page}/everything.zip", asked | second), f"cbam-lens-{stem}.zip"
    )
    return (*figures, *maps, *numbers, everything)


def name_files(comparison: Comparison) -> str:
    """The files' common name: the picture's, the class's and the method's; once where the first two are the same."""
    words = [
        slug_file_name(comparison.analysis.name),
        slug_words(comparison.target.label.name),
        comparison.method.value,
    ]
    return "-".join(dict.fromkeys(word for word in words if word))


def _list_figures_of_two(
    comparison: Comparison, asked: dict[str, str], addresses: Addresses, stem: str
) -> list[Download]:
    """The figure of the difference's two networks alone; nothing for a lineup of two."""
    card = comparison.analysis.card
    if len(card.names) == FEWEST_NETWORKS:
        return []
    chosen = choose_difference(card, asked.get("of"), asked.get("minus"))
    pair = [name for name in card.names if name in (chosen.of, chosen.minus)]
    title = join_words([card.title_network(name) for name in pair])
    address = add_query(addresses.answer.figure(FigureFormat.PDF), asked, networks=",".join(pair))
    return [Download(f"Figure of {title} as PDF", address, f"cbam-lens-{stem}-{'-'.join(pair)}.pdf")]

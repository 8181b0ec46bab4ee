"""The page of a lineup's repository on the Hugging Face Hub: one model card about all of its networks."""

from models.lineups.card import LineupCard, NetworkCard
from models.networks.titles import title_network
from models.training.records.headers import UNKNOWN_LICENCE, Licence, MeasuredModel, format_header, list_tags


def format_readme(card: LineupCard, repository: str, licence: Licence) -> str:
    """Format the repository's README.

    Args:
        card: the lineup's card.
        repository: owner and name.
        licence: the terms of the weights.
    """
    header = format_header(
        [MeasuredModel(_title(card, network), network.accuracy) for network in card.networks.values()],
        licence=licence,
        tags=list_tags(card.architecture, [network.attention for network in card.networks.values()]),
    )
    sections = (
        header.rstrip(),
        f"# {card.title}",
        card.provenance,
        "## Use",
        f"```sh\nuv run --extra hub cbam-lens serve --lineup hf:{repository}\n```",
        "## Networks",
        "\n".join(["| network | file | model card |", "| --- | --- | --- |", *_list_networks(card)]),
        "## Accuracy",
        _tell_accuracy(card),
        "## Terms",
        _tell_terms(licence),
    )
    return "\n\n".join(sections) + "\n"


def _title(card: LineupCard, network: NetworkCard) -> str:
    return title_network(card.architecture, network.attention)


def _list_networks(card: LineupCard) -> list[str]:
    return [
        f"| {_title(card, network)} | `{network.file}` | {_link(network.card)} |" for network in card.networks.values()
    ]


def _link(file: str | None) -> str:
    return "" if file is None else f"[{file}]({file})"


def _tell_accuracy(card: LineupCard) -> str:
    rows = [
        f"| {_title(card, network)} | {row.dataset} | {row.pictures:,} | `{row.geometry.value}` | "
        f"{row.resolution.value} | {100 * row.top1:.2f} % | {100 * row.top5:.2f} % |"
        for network in card.networks.values()
        for row in network.accuracy
    ]
    if not rows:
        return "Not measured."
    head = [
        "| network | data | pictures | geometry | size | top-1 | top-5 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows])


def _tell_terms(licence: Licence) -> str:
    if licence.identifier == UNKNOWN_LICENCE:
        return "Their owner has not stated the terms of these weights."
    return f"Licence of the weights: {licence.name or licence.identifier}. The training pictures have their own terms."

from app.pages.choices import list_lineups
from models.lineups.card import LineupCard, NetworkCard
from models.names import Attention


def make_card(name: str, title: str, *, trained: bool = True) -> LineupCard:
    attentions = {"baseline": Attention.NONE, "se": Attention.SE, "cbam": Attention.CBAM}
    networks = {network: NetworkCard(attention=attention, file="x") for network, attention in attentions.items()}
    return LineupCard(
        name=name, title=title, architecture="resnet18", trained=trained, provenance="a test", networks=networks
    )


def test_choice_of_a_lineup_names_its_networks_unless_its_title_does() -> None:
    cards = [
        make_card("mine", "My birds"),
        make_card("auto", "ResNet-18, ResNet-18+SE and ResNet-18+CBAM, 10 classes", trained=False),
    ]
    choices = list_lineups(cards, selected="auto")
    assert [choice.title for choice in choices] == [
        "My birds: Baseline, SE, CBAM",
        "ResNet-18, ResNet-18+SE and ResNet-18+CBAM, 10 classes (untrained)",
    ]
    assert [choice.is_selected for choice in choices] == [False, True]


def test_one_lineup_alone_is_no_choice() -> None:
    assert list_lineups([make_card("mine", "My birds")], selected="mine") == ()

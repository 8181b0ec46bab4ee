from pathlib import Path

import pytest

from models.errors import PairError
from models.lineups.card import SHIPPED_PAIR
from models.lineups.choice import InlinePair, parse_pair, parse_pairs


def test_parse_pair_reads_a_name_and_two_sources() -> None:
    expected = InlinePair("mine", "a.safetensors", "torchvision:resnet50:IMAGENET1K_V1+cbam", "labels.txt")
    text = "mine=a.safetensors, torchvision:resnet50:IMAGENET1K_V1+cbam"
    assert parse_pair(text, labels="labels.txt") == expected


def test_parse_pair_takes_a_file_and_the_shipped_pair(tmp_path: Path) -> None:
    path = tmp_path / "a=b.toml"
    path.touch()
    assert parse_pair(str(path)) == path
    assert parse_pair("shipped") == SHIPPED_PAIR


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing.toml", "no such file; write NAME=BASELINE,CBAM"),
        ("mine=a.safetensors", "write NAME=BASELINE,CBAM"),
        ("mine=a,b,c", "write NAME=BASELINE,CBAM"),
        ("mine=a,", "write NAME=BASELINE,CBAM"),
        ("=a,b", "the pair's name is ''"),
        ("../mine=a,b", r"the pair's name is '\.\./mine'; use letters"),
        ("m" * 65 + "=a,b", "at most 64"),
    ],
)
def test_parse_pair_says_what_is_wrong(text: str, sentence: str) -> None:
    with pytest.raises(PairError, match=sentence):
        parse_pair(text)


def test_parse_pairs_gives_one_list_of_names_to_every_inline_pair() -> None:
    pairs = parse_pairs(("a=x,y", "shipped", "b=x,y"), ("labels.txt",))
    assert pairs == (InlinePair("a", "x", "y", "labels.txt"), SHIPPED_PAIR, InlinePair("b", "x", "y", "labels.txt"))


def test_parse_pairs_gives_each_inline_pair_its_own_list() -> None:
    pairs = parse_pairs(("a=x,y", "b=x,y"), ("1.txt", "2.txt"))
    assert [pair.labels for pair in pairs if isinstance(pair, InlinePair)] == ["1.txt", "2.txt"]


@pytest.mark.parametrize(
    ("texts", "labels", "sentence"),
    [
        (("a=x,y", "b=x,y"), ("1", "2", "3"), "3 lists of class names for 2 pairs"),
        (("shipped",), ("1",), "a TOML file names its own"),
    ],
)
def test_parse_pairs_refuses_lists_that_belong_to_no_pair(
    texts: tuple[str, ...], labels: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(PairError, match=sentence):
        parse_pairs(texts, labels)

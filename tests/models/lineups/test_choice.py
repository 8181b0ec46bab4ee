from pathlib import Path

import pytest

from models.errors import LineupError
from models.lineups.card import SHIPPED_LINEUP
from models.lineups.choice import InlineLineup, NamedSource, parse_lineup, parse_lineups


def test_parse_lineup_reads_a_name_and_two_sources() -> None:
    expected = InlineLineup.of("mine", "a.safetensors", "torchvision:resnet50:IMAGENET1K_V1+cbam", labels="labels.txt")
    text = "mine=a.safetensors, torchvision:resnet50:IMAGENET1K_V1+cbam"
    assert parse_lineup(text, labels="labels.txt") == expected


def test_parse_lineup_reads_names_before_sources() -> None:
    lineup = parse_lineup(
        "mine=plain:a.pth,untrained:resnet18+se,new_1:torchvision:resnet18+cbam,c:untrained:resnet18,./E:f.pth"
    )
    assert isinstance(lineup, InlineLineup)
    assert lineup.sources == (
        ("plain", "a.pth"),
        (None, "untrained:resnet18+se"),
        ("new_1", "torchvision:resnet18+cbam"),
        ("c", "untrained:resnet18"),
        (None, "./E:f.pth"),
    )


def test_parse_lineup_takes_a_file_and_the_shipped_lineup(tmp_path: Path) -> None:
    path = tmp_path / "a=b.toml"
    path.touch()
    assert parse_lineup(str(path)) == path
    assert parse_lineup("shipped") == SHIPPED_LINEUP


@pytest.mark.parametrize("path", ["C:\\d.pth", "c:/d.pth"])
def test_letter_before_a_slash_is_a_drive_on_windows_alone(path: str) -> None:
    assert NamedSource.parse(path, platform="win32") == (None, path)
    assert NamedSource.parse("c:d.pth", platform="win32") == ("c", "d.pth")
    if path.startswith("c"):
        assert NamedSource.parse(path, platform="linux") == ("c", "/d.pth")
    else:
        with pytest.raises(LineupError, match=r"'C' in .* is not a network's name"):
            NamedSource.parse(path, platform="linux")


def test_file_with_a_colon_in_its_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("A:b.pth").touch()
    assert NamedSource.parse("A:b.pth") == (None, "A:b.pth")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing.toml", "no such file; write NAME=BASELINE,SE,CBAM"),
        ("mine=a.safetensors", "write NAME=BASELINE,SE,CBAM"),
        ("mine=a,b,c,d,e,f", "write NAME=BASELINE,SE,CBAM with two to five"),
        ("mine=a,", "write NAME=BASELINE,SE,CBAM"),
        ("=a,b", "the lineup's name is ''"),
        ("../mine=a,b", r"the lineup's name is '\.\./mine'; use letters"),
        ("m" * 65 + "=a,b", "at most 64"),
        ("mine\n=a,b", r"the lineup's name is 'mine\\n'"),
        ("mine=one\n:a,b", r"'one\\n' in .* is not a network's name"),
        ("mine=One:a,b", "'One' in 'One:a' is not a network's name: it begins with a small letter"),
        ("mine=a,Torchvision:resnet18", "'Torchvision' in .* is not a network's name"),
        ("mine=a,:b", "'' in ':b' is not a network's name"),
        ("mine=one:a,one:b", "two networks of one name, one, one"),
    ],
)
def test_parse_lineup_says_what_is_wrong(text: str, sentence: str) -> None:
    with pytest.raises(LineupError, match=sentence):
        parse_lineup(text)


def test_parse_lineups_gives_one_list_of_names_to_every_inline_lineup() -> None:
    lineups = parse_lineups(("a=x,y", "shipped", "b=x,y"), ("labels.txt",))
    assert lineups == (
        InlineLineup.of("a", "x", "y", labels="labels.txt"),
        SHIPPED_LINEUP,
        InlineLineup.of("b", "x", "y", labels="labels.txt"),
    )


def test_parse_lineups_gives_each_inline_lineup_its_own_list() -> None:
    lineups = parse_lineups(("a=x,y", "b=x,y"), ("1.txt", "2.txt"))
    assert [lineup.labels for lineup in lineups if isinstance(lineup, InlineLineup)] == ["1.txt", "2.txt"]


@pytest.mark.parametrize(
    ("texts", "labels", "sentence"),
    [
        (("a=x,y", "b=x,y"), ("1", "2", "3"), "3 lists of class names for 2 lineups"),
        (("shipped",), ("1",), "a TOML file names its own"),
    ],
)
def test_parse_lineups_refuses_lists_that_belong_to_no_lineup(
    texts: tuple[str, ...], labels: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(LineupError, match=sentence):
        parse_lineups(texts, labels)

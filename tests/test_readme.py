"""The README, the pages in docs/ and the files beside them say what the program does."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
from fastapi.testclient import TestClient

from app.cli import app
from app.explain.methods import Method
from app.on_ray.settings import RaySettings
from app.render.colour_scale import Colormap
from app.settings import Settings
from models.lineups.lineup import Lineup
from models.names import Geometry, Resolution
from tests.conftest import ROOT

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *DOCS, ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"]

OTHER_VARIABLES = frozenset(
    {
        "CBAM_LENS_FUZZ_SECONDS",  # tests/hostile/test_fuzz.py
        "CBAM_LENS_STUDY_KEY",  # tests/load/study_locustfile.py
        "CBAM_LENS_LINEUP",  # the earlier name of CBAM_LENS_LINEUPS, in the changelog
    }
)
"""Variables that pages name and that are no settings."""


def read(page: str) -> str:
    return (ROOT / "docs" / f"{page}.md").read_text()


def list_commands(text: str) -> Iterator[list[str]]:
    """The words of each `cbam-lens` command in a text, from its name on."""
    for line in re.findall(r"cbam-lens (?=[a-z]+ |[a-z]+$)[^`\n]*", text, flags=re.MULTILINE):
        yield shlex.split(line, comments=True)[1:]


def test_readme_is_short_and_leads_to_every_page() -> None:
    text = README.read_text()
    assert len(text.splitlines()) < 200
    assert len(DOCS) > 5
    for page in [*DOCS, *PAGES[-2:]]:
        assert f"]({page.relative_to(ROOT)})" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        name, _, anchor = unquote(target).partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.is_file(), target
        headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_have_the_options_that_pages_give(page: Path) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for words in list_commands(page.read_text()):
        name, *rest = words
        assert name in commands, words
        command = commands[name]
        if hasattr(command, "commands"):
            assert rest, f"{name} is a group: name one of its commands"
            assert rest[0] in command.commands, words
            command = command.commands[rest.pop(0)]
        parameters = command.params
        known = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known | {"--help"}, words


def test_documentation_lists_every_command() -> None:
    names = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert {words[0] for words in list_commands(read("command-line"))} == names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_name_only_variables_that_exist(page: Path) -> None:
    known = {f"CBAM_LENS_{name.upper()}" for name in Settings.model_fields}
    known |= {f"CBAM_LENS_RAY_{name.upper()}" for name in RaySettings.model_fields}
    assert set(re.findall(r"CBAM_LENS_[A-Z_]+", page.read_text())) <= known | OTHER_VARIABLES


@pytest.mark.parametrize("name", Settings.model_fields)
def test_documentation_names_every_setting(name: str) -> None:
    assert f"| `CBAM_LENS_{name.upper()}` |" in read("deployment")


def test_documentation_gives_the_measured_accuracy(lineup: Lineup) -> None:
    text = read("evidence")
    rows = list(zip(*(lineup.card.networks[name].accuracy for name in ("baseline", "cbam")), strict=True))
    assert len(rows) >= 4
    for baseline, cbam in rows:
        cells = [f"{row.top1:.2%} / {row.top5:.2%}".replace("%", " %") for row in (baseline, cbam)]
        assert f"| {cells[0]} | {cells[1]} |" in text
        geometry = "whole" if baseline.geometry is Geometry.WHOLE else "centre crop"
        assert f"| {geometry}, {baseline.resolution.value} | {cells[0]}" in text


def test_documentation_lists_the_values_of_the_options() -> None:
    text = read("rest-api")
    assert ", ".join(f"`{method.value}`" for method in Method) in text
    assert ", ".join(f"`{colormap.value}`" for colormap in Colormap) in text
    assert ", ".join(str(resolution.value) for resolution in Resolution) in text


def test_documentation_lists_every_call(client: TestClient) -> None:
    text = read("rest-api")
    calls = [
        f"| `{method.upper()} {path}` |"
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        if path.startswith(("/api/v1/", "/v1/"))
        for method in methods
    ]
    assert len(calls) > 10
    assert [call for call in calls if call not in text] == []


def test_citation_and_package_have_one_version() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.+)$", citation, flags=re.MULTILINE) == [package["version"]]
    licences = re.search(r"^license:\n((?:  - .+\n)+)", citation, flags=re.MULTILINE)
    assert licences is not None
    assert re.findall(r"- (.+)", licences[1]) == package["license"].split(" AND ")

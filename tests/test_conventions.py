"""The files that other tools read: GitHub Actions, pre-commit, and the citation."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())

STEPS: list[dict[str, Any]] = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]

HOOKS: list[dict[str, Any]] = [
    {**hook, "repo": repository["repo"]}
    for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in repository["hooks"]
]


def test_workflow_runs_what_must_hold_before_a_change_lands() -> None:
    assert ".ci/run" in [step.get("run") for step in STEPS]


def test_workflow_may_read_the_repository_alone() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [job for job in WORKFLOW["jobs"].values() if "permissions" in job]


def test_workflow_names_each_action_by_a_commit_that_nobody_can_move() -> None:
    actions = [step["uses"] for step in STEPS if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_hook_fetches_nothing(hook: dict[str, Any]) -> None:
    assert (hook["repo"], hook["language"]) == ("local", "system")
    assert hook["entry"].startswith("uv run --no-sync ")


def test_hooks_are_the_formatter_the_linter_and_the_type_checker() -> None:
    assert [hook["name"] for hook in HOOKS] == ["ruff format", "ruff check", "mypy"]


def test_citation_is_found_by_words_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert set(citation["keywords"]) <= set(PROJECT["keywords"])
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"].lower().replace(" ", "-") == PROJECT["name"]

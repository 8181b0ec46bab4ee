"""Imports go one way: routes -> comparison -> engine -> models, explain, render."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

MODULES = sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("models/**/*.py")])


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def read_imports(path: Path) -> set[str]:
    """Every module that a file imports, by its dotted name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


IMPORTS = {name_of(path): read_imports(path) for path in MODULES}


def reach(start: str) -> set[str]:
    """Every module that an import of `start` brings in, ours and others'."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += IMPORTS.get(name, ())
    return seen


def starts_with(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("module", [name for name in IMPORTS if starts_with(name, "models")])
def test_models_never_imports_app(module: str) -> None:
    assert not [name for name in IMPORTS[module] if starts_with(name, "app")]


@pytest.mark.parametrize("module", [name for name in IMPORTS if starts_with(name, "app.render")])
def test_render_never_imports_torch_not_even_through_others(module: str) -> None:
    assert not [name for name in reach(module) if starts_with(name, "torch", "torchvision", "pytorch_grad_cam")]


@pytest.mark.parametrize("module", [name for name in IMPORTS if starts_with(name, "app.routes")])
def test_routes_use_no_torch_and_no_pillow(module: str) -> None:
    assert not [name for name in IMPORTS[module] if starts_with(name, "torch", "PIL", "numpy", "matplotlib")]


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        (
            "app.explain",
            ("app.engine.engine", "app.analysis.comparison", "app.routes", "app.render", "app.api.schemas"),
        ),
        (
            "app.render",
            ("app.engine.engine", "app.analysis.comparison", "app.routes", "app.output.panels", "app.api.schemas"),
        ),
        (
            "app.engine.engine",
            ("app.analysis.comparison", "app.routes", "app.render", "app.api.schemas", "app.output.panels"),
        ),
        ("app.analysis.comparison", ("app.routes", "app.api.schemas", "app.output.panels", "app.main")),
        ("app.errors", ("app", "fastapi", "starlette")),
    ],
)
def test_imports_go_inwards(module: str, forbidden: tuple[str, ...]) -> None:
    for name in [name for name in IMPORTS if starts_with(name, module)]:
        assert not [target for target in IMPORTS[name] if starts_with(target, *forbidden)], name


@pytest.mark.parametrize("module", [name for name in IMPORTS if starts_with(name, "app.cli", "app.commands")])
def test_command_line_answers_without_torch(module: str) -> None:
    """`--help` must not wait for torch: the commands' own modules bring it in only inside of commands."""
    path = next(path for path in MODULES if name_of(path) == module)
    imported = {
        name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module and not starts_with(node.module, "app.commands")
        for name in reach(node.module)
    }
    assert not [name for name in imported if starts_with(name, "torch", "pytorch_grad_cam")]


def test_there_are_modules_to_look_at() -> None:
    assert len(IMPORTS) > 30
    assert "torch" in reach("app.engine.engine")

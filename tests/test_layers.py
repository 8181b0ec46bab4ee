"""Imports go one way: one table lists, for every folder, the folders that it may import, without cycles.

The public interface `cbam_lens` and each module at the top of `app` or `models` is a row of its own; so is each folder,
without the folders inside it.
"""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

MODULES = sorted([ROOT / "cbam_lens.py", *ROOT.glob("app/**/*.py"), *ROOT.glob("models/**/*.py")])


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


MAY_IMPORT = {
    "app.analysis": (
        "app.decoding app.engine app.errors app.explain app.render models.attention models.calibration models.lineups "
        "models.names models.networks models.pictures models.probabilities"
    ),
    "app.api": (
        "app.analysis app.explain app.render models.calibration models.lineups "
        "models.names models.networks models.pictures models.probabilities"
    ),
    "app.bench": (
        "app.analysis app.bench.contestants app.bench.results app.bench.servers app.engine app.errors "
        "app.explain app.render app.settings models.lineups models.progress"
    ),
    "app.bench.contestants": (
        "app.analysis app.bench.results app.bench.servers app.engine app.errors app.explain app.output app.pages "
        "app.render app.settings models.lineups models.names models.networks models.pictures"
    ),
    "app.bench.results": "app.errors",
    "app.bench.servers": "app.analysis app.api app.bench.results app.engine app.settings app.survey models.lineups",
    "app.calibration": (
        "app.engine app.errors app.evaluation.measures app.explain app.output app.settings models.calibration "
        "models.checkpoints models.errors models.lineups models.names models.pictures models.probabilities "
        "models.progress models.training.records"
    ),
    "app.cli": "app.commands app.version",
    "app.commands": (
        "app.analysis app.bench app.bench.results app.calibration app.engine app.errors app.evaluation "
        "app.evaluation.results app.explain app.mcp app.on_ray app.output app.render app.server app.serving "
        "app.settings app.sharing app.study app.study.access app.study.database app.study.making app.survey app.trial "
        "models.attention models.checkpoints models.errors models.lineups models.names models.networks models.training "
        "models.training.recipes"
    ),
    "app.decoding": "app.engine app.errors models.names models.pictures",
    "app.engine": (
        "app.errors app.explain app.settings models.attention models.errors models.lineups models.names "
        "models.networks models.probabilities"
    ),
    "app.errors": "models.errors models.pictures",
    "app.evaluation": (
        "app.analysis app.engine app.errors app.evaluation.measures app.evaluation.results app.settings "
        "app.survey models.lineups models.names models.pictures models.progress models.training.data"
    ),
    "app.evaluation.measures": (
        "app.errors app.evaluation.results app.explain app.render models.lineups models.names models.networks "
        "models.pictures models.probabilities"
    ),
    "app.evaluation.results": "app.analysis app.errors app.explain app.numbers models.names",
    "app.explain": "models.attention models.names models.networks models.pictures",
    "app.main": (
        "app.analysis app.decoding app.engine app.pages app.routes app.routes.intake app.server app.server.guard "
        "app.server.watch app.services app.settings app.study app.study.access app.version models.lineups"
    ),
    "app.mcp": (
        "app.analysis app.api app.engine app.errors app.output app.render app.settings app.version models.names "
        "models.networks"
    ),
    "app.numbers": "",
    "app.on_ray": (
        "app.analysis app.engine app.errors app.main app.server app.server.guard app.server.watch app.services "
        "app.serving app.settings app.study.access app.survey models.lineups"
    ),
    "app.output": (
        "app.analysis app.api app.errors app.explain app.render app.version models.checkpoints models.lineups "
        "models.errors models.lineups.fetching models.names models.networks models.pictures models.progress "
        "models.whole_files"
    ),
    "app.pages": (
        "app.analysis app.api app.errors app.explain app.numbers app.output app.render app.settings app.version "
        "models.attention models.lineups models.names models.networks models.pictures"
    ),
    "app.pages.analysis": (
        "app.analysis app.api app.explain app.numbers app.output app.pages app.render models.attention models.lineups "
        "models.names models.networks"
    ),
    "app.pages.study": "app.numbers app.pages app.study app.study.statistics models.lineups",
    "app.pages.evidence": (
        "app.api app.errors app.evaluation.results app.numbers app.pages models.lineups models.names"
    ),
    "app.python": (
        "app.analysis app.api app.commands app.engine app.errors app.explain app.output app.python.notebook app.render "
        "app.serving app.settings models.errors models.foreign models.lineups models.names models.networks "
        "models.pictures models.probabilities"
    ),
    "app.python.notebook": (
        "app.analysis app.api app.numbers app.output app.pages app.render models.names models.networks"
    ),
    "app.render": "app.explain models.pictures",
    "app.routes": (
        "app.analysis app.api app.errors app.explain app.output app.pages app.pages.analysis app.pages.evidence "
        "app.pages.study app.render app.routes.intake app.server app.server.guard app.server.watch app.settings "
        "app.study app.study.access app.study.database app.study.making models.names models.networks"
    ),
    "app.routes.intake": "app.analysis app.api app.errors",
    "app.server": "app.analysis app.api app.engine app.errors app.explain app.pages models.names",
    "app.server.connections": "",
    "app.server.guard": ("app.engine app.errors app.pages app.server app.settings app.study"),
    "app.server.watch": "app.server app.server.guard app.settings",
    "app.services": "app.analysis app.engine app.server.watch app.settings models.lineups",
    "app.serving": (
        "app.engine app.main app.server app.server.connections app.server.guard app.server.watch app.services "
        "app.settings app.study.access models.lineups"
    ),
    "app.settings": "app.study models.lineups models.lineups.fetching models.names",
    "app.sharing": (
        "app.version models.checkpoints models.errors models.lineups models.networks models.training.records"
    ),
    "app.study": "app.numbers app.study.statistics",
    "app.study.access": "app.errors app.study app.study.database",
    "app.study.database": "app.errors app.study app.study.statistics",
    "app.study.database.migrations": "app.study.database",
    "app.study.database.migrations.versions": "",
    "app.study.making": (
        "app.analysis app.engine app.errors app.evaluation.measures app.explain app.output app.render app.services "
        "app.settings app.study models.lineups models.names models.pictures models.progress"
    ),
    "app.study.statistics": "",
    "app.survey": (
        "app.analysis app.api app.engine app.errors app.output app.render app.settings models.lineups "
        "models.names models.pictures models.progress"
    ),
    "app.trial": (
        "app.analysis app.errors app.evaluation app.evaluation.results app.settings models.lineups models.pictures "
        "models.training models.training.data models.whole_files"
    ),
    "app.version": "",
    "cbam_lens": (
        "app.cli app.python models.errors models.foreign models.lineups models.pictures models.probabilities"
    ),
    "models.attention": "models.names",
    "models.calibration": "",
    "models.checkpoints": (
        "models.attention models.calibration models.errors models.insertion models.names models.networks "
        "models.whole_files"
    ),
    "models.errors": "",
    "models.foreign": "models.attention models.names models.networks models.pictures",
    "models.insertion": "models.attention models.names models.networks",
    "models.lineups": (
        "models.attention models.calibration models.checkpoints models.errors models.foreign models.insertion "
        "models.lineups.fetching "
        "models.names models.networks models.pictures models.probabilities"
    ),
    "models.lineups.fetching": "models.errors models.progress models.whole_files",
    "models.names": "",
    "models.networks": "models.attention models.names",
    "models.pictures": "models.errors models.names",
    "models.probabilities": "",
    "models.progress": "",
    "models.training": (
        "models.checkpoints models.lineups models.names models.networks models.pictures models.training.data "
        "models.training.learning models.training.recipes models.training.records models.training.running"
    ),
    "models.training.data": "models.lineups models.pictures models.training.recipes models.training.running",
    "models.training.learning": (
        "models.attention models.checkpoints models.errors models.insertion models.lineups models.names "
        "models.networks models.pictures models.training.data models.training.recipes models.training.running"
    ),
    "models.training.recipes": "models.lineups models.names models.training.running",
    "models.training.records": (
        "models.attention models.checkpoints models.lineups models.names models.networks models.pictures "
        "models.training.data models.training.learning models.training.recipes models.training.running"
    ),
    "models.training.running": "models.errors models.progress models.whole_files",
    "models.whole_files": "",
}


def find_row(module: str) -> str:
    """The row of the table that a module belongs to."""
    if module.count(".") <= 1 and module not in PACKAGES:
        return module
    return module if module in PACKAGES else module.rpartition(".")[0]


PACKAGES = {name_of(path) for path in MODULES if path.name == "__init__.py"}
ROWS = {name: find_row(name) for name in IMPORTS}


def list_imported_rows(module: str) -> set[str]:
    """The rows that a module imports from, without its own."""
    return {ROWS[name] for name in IMPORTS[module] if name in ROWS and name not in ("app", "models")} - {ROWS[module]}


def test_every_folder_is_in_the_table() -> None:
    assert set(MAY_IMPORT) == set(ROWS.values()) - {"app", "models"}


@pytest.mark.parametrize("row", MAY_IMPORT)
def test_folder_imports_what_the_table_allows_and_all_of_it(row: str) -> None:
    imported = {target for module in IMPORTS if ROWS[module] == row for target in list_imported_rows(module)}
    assert imported == set(MAY_IMPORT[row].split())


def test_table_has_no_circle() -> None:
    rows = {row: set(allowed.split()) for row, allowed in MAY_IMPORT.items()}
    TopologicalSorter(rows).prepare()


@pytest.mark.parametrize("module", [name for name in IMPORTS if starts_with(name, "app.render")])
def test_render_never_imports_torch_not_even_through_others(module: str) -> None:
    assert not [name for name in reach(module) if starts_with(name, "torch", "torchvision", "pytorch_grad_cam")]


@pytest.mark.parametrize(
    "module", [name for name in IMPORTS if starts_with(name, "app.study") and ROWS[name] != "app.study.making"]
)
def test_voting_never_imports_torch_not_even_through_others(module: str) -> None:
    assert not [name for name in reach(module) if starts_with(name, "torch", "torchvision", "pytorch_grad_cam")]


@pytest.mark.parametrize("module", [name for name in IMPORTS if starts_with(name, "app.decoding")])
def test_decoding_processes_never_import_torch(module: str) -> None:
    """They would each hold it in memory, and their host would start seconds later."""
    assert not [name for name in reach(module) if starts_with(name, "torch", "torchvision", "pytorch_grad_cam")]


@pytest.mark.parametrize("module", [name for name in IMPORTS if starts_with(name, "app.routes")])
def test_routes_use_no_torch_and_no_pillow(module: str) -> None:
    assert not [name for name in IMPORTS[module] if starts_with(name, "torch", "PIL", "numpy", "matplotlib")]


@pytest.mark.parametrize(
    "module", [name for name in IMPORTS if starts_with(name, "cbam_lens", "app.cli", "app.commands")]
)
def test_command_line_answers_without_torch(module: str) -> None:
    """`--help` must not wait for torch: the modules of the commands import it only inside of the commands."""
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
